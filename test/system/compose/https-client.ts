import { request } from 'node:https';

export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn, each as often as it came. */
  readonly rawHeaders: readonly string[];
  readonly body: unknown;
};

export type Call = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

export type HttpsClient = (path: string, call?: Call) => Promise<Reply>;

/** Speaks JSON to https://localhost:`port` and believes no certificate but the given one. */
export function httpsClient(port: number, certificate: string): HttpsClient {
  return (path, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const content = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
      const options = { method, host: '127.0.0.1', port, path, ca: certificate, servername: 'localhost', timeout: 30_000 };
      const req = request({ ...options, headers: { host: `localhost:${port}`, ...content, ...headers } }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            rawHeaders: res.rawHeaders,
            body: parse(Buffer.concat(chunks).toString()),
          }),
        );
      });
      req.on('timeout', () => req.destroy(new Error(`${method} ${path}: no answer in 30 s`)));
      req.on('error', reject);
      req.end(payload);
    });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
