import { EventEmitter, on, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * How the recorder treats a request. `accept` answers as Slack does; `hang` reads it and never answers; `keep-silent` takes
 * the message in, and its answer never arrives; `reset` cuts the connection.
 */
export type SlackBehaviour =
  | 'accept'
  | 'hang'
  | 'keep-silent'
  | 'reset'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

export type SlackMessage = { readonly text: string; readonly body: unknown; readonly at: number };

export type SlackRecorder = {
  /** What SLACK_WEBHOOK_URL is set to. */
  readonly url: string;
  /** Messages taken in, in order. */
  readonly messages: readonly SlackMessage[];
  /** Texts of the messages that begin with `start`. */
  readonly texts: (start?: string) => string[];
  /** Requests of any fate. */
  readonly requestCount: () => number;
  readonly behave: (behaviour: SlackBehaviour) => void;
  /** Resolves once the condition holds; it is asked after every request. @throws after `timeoutMs`, showing what came. */
  readonly until: (condition: () => boolean, timeoutMs?: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A local server that stands where Slack's webhooks are. */
export async function startSlackRecorder(): Promise<SlackRecorder> {
  const messages: SlackMessage[] = [];
  const events = new EventEmitter();
  let behaviour: SlackBehaviour = 'accept';
  let requests = 0;
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await readAll(request)) as { text: string };
    requests += 1;
    const present = behaviour;
    if (present === 'accept' || present === 'keep-silent') messages.push({ text: body.text, body, at: Date.now() });
    answer(request, response, present);
    events.emit('request');
  };
  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const texts = (start = ''): string[] => messages.map(({ text }) => text).filter((text) => text.startsWith(start));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T00/B00/secret-of-the-webhook`,
    messages,
    texts,
    requestCount: () => requests,
    behave: (next) => {
      behaviour = next;
    },
    until: (condition, timeoutMs = 40_000) =>
      untilEvent(events, 'request', condition, { timeoutMs, describe: () => `Slack got ${JSON.stringify(texts())}` }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, behaviour: SlackBehaviour): void {
  if (behaviour === 'hang' || behaviour === 'keep-silent') return;
  if (behaviour === 'reset') request.socket.resetAndDestroy();
  else if (behaviour === 'accept') response.end('ok');
  else response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body ?? '');
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Resolves once the condition holds, asking now and after each such event. @throws after `timeoutMs` */
export async function untilEvent(
  events: EventEmitter,
  name: string,
  condition: () => boolean,
  { timeoutMs, describe }: { readonly timeoutMs: number; readonly describe: () => string },
): Promise<void> {
  if (condition()) return;
  try {
    for await (const _ of on(events, name, { signal: AbortSignal.timeout(timeoutMs) })) if (condition()) return;
  } catch (err) {
    throw new Error(`what was waited for did not come within ${timeoutMs / 1000} s: ${describe()}`, { cause: err });
  }
}
