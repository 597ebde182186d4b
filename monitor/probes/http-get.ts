import type { LookupAddress } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { lightHttp } from '#lib/light-http.ts';
import type { Observed } from './condition.ts';
import { answerWith } from './connect.ts';

export type HttpQuestion = {
  readonly url: URL;
  /** Name in the Host header and the TLS handshake, where it is not the one in `url`. */
  readonly serverName?: string | undefined;
  readonly tlsMode?: 'acme' | 'self-signed';
};

const dayMs = 86_400_000;

/** A body is read up to this; a longer one is cut, and is then no JSON. */
const maxBodyBytes = 256 * 1024;

/**
 * GETs a page over a new connection, at the first of the addresses that answers. Redirects are not followed.
 * @throws why there is no answer
 */
export async function httpGet(question: HttpQuestion, addresses: readonly LookupAddress[], signal: AbortSignal): Promise<Observed> {
  const { url, serverName, tlsMode } = question;
  // Loaded only where it is needed: a monitor at rest keeps its memory.
  const { request } = url.protocol === 'https:' ? await import('node:https') : lightHttp();
  const name = serverName ?? url.hostname;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      signal,
      agent: false,
      headers: { host: serverName ?? url.host, accept: 'application/json', 'user-agent': 'atalaya-monitor' },
      lookup: answerWith(addresses),
      // An address has no place in the handshake.
      servername: isIP(name) === 0 ? name : '',
      rejectUnauthorized: tlsMode !== 'self-signed',
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const certificateDays = certificateDaysOf(response.socket);
      readBody(response).then(
        (body) =>
          resolve({
            status: response.statusCode ?? 0,
            responseTimeMs: performance.now() - startedAt,
            certificateDays,
            headers: headersOf(response),
            body: parsedOrText(body),
          }),
        reject,
      );
    });
    sent.end();
  });
}

function certificateDaysOf(socket: Socket | TLSSocket): number | undefined {
  const validTo = 'getPeerCertificate' in socket ? socket.getPeerCertificate().valid_to : undefined;
  return validTo === undefined ? undefined : (Date.parse(validTo) - Date.now()) / dayMs;
}

/** Without cookies: what a condition saw is told. */
const headersOf = ({ headersDistinct }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headersDistinct)
      .filter(([name]) => name !== 'set-cookie')
      .map(([name, values]) => [name, values?.join(', ') ?? '']),
  );

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
}

function parsedOrText(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
