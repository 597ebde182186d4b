import type Koa from 'koa';
import type { ServerResponse } from 'node:http';
import type { Logger } from '#lib/logger.ts';

/** Tells pages that are open that there is something new to fetch, by server-sent events. */
export type Live = {
  /**
   * Takes on a page that listens, and tells it at once when it has not seen the present version.
   * Answers 503 when as many as may be listen already; the page then comes again a minute later. Ends after ten minutes.
   */
  readonly listen: (ctx: Koa.Context) => Promise<void>;
  /** Resolves once it looks for no more news; called when nobody listens any more. */
  readonly close: () => Promise<void>;
};

export type LiveDeps = {
  /** What stands for everything shown: another text whenever a page would be another. */
  readonly version: () => Promise<string>;
  readonly logger: Logger;
  /** A page that has listened for so long comes again by itself, and is asked again who it is. */
  readonly longestMs?: number;
};

const mostListeners = 64;
const lookMs = 1_000;
/** Shorter than the time after which the server, or a proxy with its usual settings, ends a connection that is silent. */
const heartbeatMs = 10_000;

/** Looks for news only while somebody listens. */
export function createLive({ version, logger, longestMs = 600_000 }: LiveDeps): Live {
  const seen = new Map<ServerResponse, string>();
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  let quietMs = 0;
  const tell = (response: ServerResponse, now: string): void => {
    seen.set(response, now);
    response.write(`id: ${now}\nevent: changed\ndata: ${now}\n\n`);
  };
  const look = async (): Promise<void> => {
    const now = await version();
    for (const [response, last] of seen) if (last !== now) tell(response, now);
    quietMs += lookMs;
    if (quietMs < heartbeatMs) return;
    quietMs = 0;
    for (const response of seen.keys()) response.write(': still here\n\n');
  };
  const again = (): void => {
    timer = setTimeout(() => {
      looking = look()
        .catch((err: unknown) => logger.error({ err }, 'listening pages could not be told what is new'))
        .finally(() => (seen.size > 0 ? again() : (timer = undefined)));
    }, lookMs).unref();
  };
  return {
    listen: async (ctx) => {
      if (seen.size >= mostListeners) {
        ctx.status = 503;
        ctx.set('retry-after', '60');
        ctx.body = { detail: 'too many pages listen' };
        return;
      }
      const { res } = ctx;
      // Until then it counts: many that come at once are still bounded.
      seen.set(res, lastSeen(ctx));
      const ending = setTimeout(() => res.end(), longestMs).unref();
      res.once('close', () => {
        clearTimeout(ending);
        seen.delete(res);
      });
      ctx.respond = false;
      // nginx would keep events back to fill its buffer.
      res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
      res.write('retry: 3000\n\n');
      const now = await version();
      if (seen.has(res) && seen.get(res) !== now) tell(res, now);
      if (!timer) again();
    },
    close: async () => {
      await looking;
      clearTimeout(timer);
    },
  };
}

/** A browser that comes back says itself what it saw last; at first the page does. */
function lastSeen(ctx: Koa.Context): string {
  const { seen } = ctx.query;
  return ctx.get('last-event-id') || (typeof seen === 'string' ? seen : '');
}
