import type { IncomingMessage } from 'node:http';
import type { FetchFunction } from '@slack/webhook';
import { lightHttp } from '#lib/light-http.ts';

type FetchResponse = Awaited<ReturnType<FetchFunction>>;

const maxAnswerBytes = 64 * 1024;

/**
 * What a webhook client needs of `fetch`: a POST over a connection of its own; no redirect is followed. The real `fetch`
 * works too, but what it loads stays in the memory of a monitor at rest, some 20 MB.
 * @throws when no whole answer comes, or the signal fires
 */
export const webhookFetch: FetchFunction = async (url, init) => {
  const { method = 'GET', headers = {}, body, signal } = init ?? {};
  const text = typeof body === 'string' ? body : '';
  const { request: send } = new URL(url).protocol === 'https:' ? await import('node:https') : lightHttp();
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method,
      headers: { ...headers, 'content-length': Buffer.byteLength(text) },
      agent: false,
      ...(signal ? { signal } : {}),
    });
    request.once('error', reject);
    request.once('response', (response) => {
      readAll(response).then((answer) => resolve(asFetchResponse(response, answer)), reject);
    });
    request.end(text);
  });
};

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) break;
  }
  return Buffer.concat(chunks);
}

function asFetchResponse(response: IncomingMessage, answer: Buffer): FetchResponse {
  const status = response.statusCode ?? 0;
  const headers = new Map(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  const text = answer.toString('utf8');
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText: response.statusMessage ?? '',
    url: '',
    headers: { get: (name) => headers.get(name.toLowerCase()) ?? null, entries: () => headers.entries() },
    text: () => Promise.resolve(text),
    json: async () => JSON.parse(text) as unknown,
    arrayBuffer: () => Promise.resolve(new Uint8Array(answer).buffer),
  };
}
