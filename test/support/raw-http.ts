import { createConnection, type Socket } from 'node:net';

/** An answer as it came over the wire, header names in small letters. */
export type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

/** Sends bytes as they are, right or wrong, one request after the other on a connection that stays as long as the server lets it. */
export type RawConnection = {
  /**
   * @param isHead no body follows, whatever the headers say
   * @throws {Error} when the server closes without an answer, or gives none in time
   */
  readonly exchange: (request: string | Buffer, options?: { readonly isHead?: boolean; readonly timeoutMs?: number }) => Promise<RawAnswer>;
  /** The next request begins a new connection: what was sent may not have ended where the server thinks. */
  readonly close: () => void;
};

export function rawConnection(port: number): RawConnection {
  let socket: Socket | undefined;
  const close = (): void => {
    socket?.destroy();
    socket = undefined;
  };
  const open = (): Socket => {
    const fresh = createConnection(port, '127.0.0.1').on('error', () => {});
    fresh.once('close', () => {
      if (socket === fresh) socket = undefined;
    });
    return fresh;
  };
  return {
    close,
    exchange: async (request, { isHead = false, timeoutMs = 20_000 } = {}) => {
      socket ??= open();
      const answer = await received(socket, { request, isHead, timeoutMs }).catch((err: unknown) => {
        close();
        throw err;
      });
      if (answer.headers['connection'] === 'close') close();
      return answer;
    },
  };
}

type Asked = { readonly request: string | Buffer; readonly isHead: boolean; readonly timeoutMs: number };

function received(socket: Socket, { request, isHead, timeoutMs }: Asked): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const timer = setTimeout(() => end(() => reject(new Error(`no answer within ${timeoutMs} ms`))), timeoutMs);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const answer = parseAnswer(bytes, isHead);
      if (answer) end(() => resolve(answer));
    };
    const onClose = (): void => end(() => reject(new Error(`the connection was closed after ${bytes.length} bytes of an answer`)));
    socket.on('data', onData).once('close', onClose);
    socket.write(request);
  });
}

/** The first final answer in these bytes; undefined while it is not whole. Every answer of the API tells its length. */
function parseAnswer(bytes: Buffer, isHead: boolean): RawAnswer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  const rest = bytes.subarray(headEnd + 4);
  if (status < 200) return parseAnswer(rest, isHead);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  const hasBody = !isHead && status !== 204 && status !== 304;
  const length = hasBody ? Number(headers['content-length'] ?? 0) : 0;
  return rest.length < length ? undefined : { status, headers, text: rest.subarray(0, length).toString('utf8') };
}

export type RawRequest = {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
};

/** A well-formed request with these parts; a body without a type of its own is JSON. */
export function requestText({ method, target, headers = {}, body }: RawRequest): string {
  const framing = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ host: 'localhost', ...framing, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}
