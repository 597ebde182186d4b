import { Server, ServerResponse, type IncomingMessage } from 'node:http';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Pool, type PoolClient } from 'pg';

/** An answer of the API on its way out; whatever is changed here is what the client gets. */
export type Outgoing = {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly request: IncomingMessage;
  status: number;
  /** Names as the API wrote them. */
  headers: [string, string][];
  body: string;
  /** Content-Length says so many bytes more than there are. */
  lengthOffBy: number;
  /** After so many characters the connection is cut. */
  cutAfter: number | undefined;
};

type Loose = (this: unknown, ...args: unknown[]) => unknown;
type Change = (answer: Outgoing) => unknown;

const changes: Change[] = [];

/** Changes every answer that this worker gives from now on. */
export function onAnswer(change: Change): void {
  if (changes.push(change) === 1) patchResponses();
}

/** Changes the JSON of one in `every` answers of 2xx to requests that match. */
export function onJson(match: RegExp, every: number, change: (json: never) => unknown): void {
  const isTurn = oneIn(every);
  onAnswer((answer) => {
    if (!match.test(`${answer.method} ${answer.path}`) || answer.status >= 300 || answer.body === '') return;
    const json: unknown = JSON.parse(answer.body);
    if (!isTurn(json)) return;
    const next = change(json as never);
    if (next !== undefined) answer.body = JSON.stringify(next).replaceAll(moneyMember, twoPlaces);
  });
}

/** As the API writes it: JavaScript would leave out zeros at the end. */
const moneyMember = /("(?:price|total)":)(\d+(?:\.\d+)?)/g;
const twoPlaces = (_member: string, name: string, amount: string): string => `${name}${Number(amount).toFixed(2)}`;

/** Whether it is this one's turn; empty lists have none. */
export function oneIn(every: number): (thing?: unknown) => boolean {
  let count = 0;
  return (thing) => !(Array.isArray(thing) && thing.length < 3) && (count += 1) % every === 0;
}

type Held = ServerResponse & { held?: { readonly status: number; readonly lines: readonly string[] } };

/** The head of an answer is held back until its body is there, so that both can be changed together. */
function patchResponses(): void {
  const prototype = ServerResponse.prototype as unknown as { writeHead: Loose; end: Loose };
  const { writeHead, end } = prototype;
  prototype.writeHead = holdHead;
  prototype.end = function release(body, ...rest) {
    const response = this as Held;
    const { held } = response;
    if (held === undefined) return end.call(response, body, ...rest);
    delete response.held;
    void send(response, outgoing(response.req, held, typeof body === 'string' ? body : ''), { writeHead, end });
    return response;
  };
}

function holdHead(this: unknown, status: unknown, lines: unknown): unknown {
  const list = Array.isArray(lines) ? lines : Object.entries(lines ?? {}).flat();
  (this as Held).held = { status: Number(status), lines: list.map(String) };
  return this;
}

async function send(response: Held, answer: Outgoing, { writeHead, end }: { writeHead: Loose; end: Loose }): Promise<void> {
  for (const change of changes) await change(answer);
  const length = String(Buffer.byteLength(answer.body) + answer.lengthOffBy);
  const lines = answer.headers.flatMap(([name, value]) => [name, name.toLowerCase() === 'content-length' ? length : value]);
  writeHead.call(response, answer.status, lines);
  if (answer.cutAfter === undefined) end.call(response, answer.body);
  else response.write(answer.body.slice(0, answer.cutAfter), () => response.socket?.destroy());
}

function outgoing(request: IncomingMessage, { status, lines }: NonNullable<Held['held']>, body: string): Outgoing {
  const headers = lines.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, lines[i + 1] ?? '']] : []));
  return { method: request.method ?? '', path: request.url ?? '', request, status, headers, body, lengthOffBy: 0, cutAfter: undefined };
}

/** Changes every request before the API sees it. */
export function onRequest(change: (request: IncomingMessage) => unknown): void {
  const prototype = Server.prototype as unknown as { emit: Loose };
  const { emit } = prototype;
  prototype.emit = function tampered(event, ...args) {
    if (event === 'request') change(args[0] as IncomingMessage);
    return emit.call(this, event, ...args);
  };
}

type Query = { readonly text?: string };

/** Changes every statement before the database sees it; a COMMIT that never was is still reported as one. */
export function onStatement(change: (text: string) => string): void {
  const prototype = Client.prototype as unknown as { query: Loose };
  const { query } = prototype;
  prototype.query = function tampered(config, ...rest) {
    const text = typeof config === 'string' ? config : (config as Query | undefined)?.text;
    const changedText = text === undefined ? undefined : change(text);
    if (changedText === undefined || changedText === text) return query.call(this, config, ...rest);
    const next = typeof config === 'string' ? changedText : Object.assign(Object.create(config as object) as Query, { text: changedText });
    const result = query.call(this, next, ...rest);
    return /^\s*commit\b/i.test(text ?? '') && result instanceof Promise ? asCommit(result) : result;
  };
}

const asCommit = async (result: Promise<object>): Promise<object> => ({ ...(await result), command: 'COMMIT' });

/** Pool clients of one checkout in `every` are never given back; `instead` happens to them then. */
export function keepClients(every: number, instead: (client: PoolClient) => unknown = () => {}): void {
  const prototype = Pool.prototype as unknown as { connect: Loose };
  const { connect } = prototype;
  const isTurn = oneIn(every);
  const keep = (client: PoolClient): PoolClient => {
    if (isTurn()) client.release = () => void instead(client);
    return client;
  };
  prototype.connect = function tampered(callback) {
    if (typeof callback !== 'function') return (connect.call(this) as Promise<PoolClient>).then(keep);
    return connect.call(this, (err: unknown, client?: PoolClient) => {
      const kept = client && keep(client);
      return (callback as Loose)(err, kept, () => kept?.release());
    });
  };
}

/** True in one worker of the stack: the first that asks. */
export function isFirstWorker(): boolean {
  try {
    closeSync(openSync(join(process.env['ZOO_DIR'] ?? '.', 'first-worker'), 'wx'));
    return true;
  } catch {
    return false;
  }
}

export const setHeader = (answer: Outgoing, name: string, value: string | undefined): void => {
  const others = answer.headers.filter(([known]) => known.toLowerCase() !== name.toLowerCase());
  answer.headers = value === undefined ? others : [...others, [name, value]];
};
