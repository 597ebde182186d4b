import Koa from 'koa';
import type { ApiContext, Exchange } from './exchange.ts';

/**
 * Koa without its responder and its listeners for the end of every answer: `send` answers, and the server itself notices
 * broken sockets. Under load those listeners are a good part of what Koa costs.
 */
export class LeanKoa extends Koa<Exchange> {
  /** Takes the place of Koa's own method of this name, which `callback()` calls for each request. */
  handleRequest(ctx: ApiContext, run: (ctx: ApiContext) => Promise<void>): Promise<void> {
    return run(ctx).catch((err: unknown) => {
      this.emit('error', err, ctx);
      // Whatever went wrong, nobody is left waiting.
      if (!ctx.res.headersSent) ctx.res.writeHead(500).end();
    });
  }
}
