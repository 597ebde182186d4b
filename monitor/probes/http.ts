import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import * as z from 'zod';
import { messageOf } from '#lib/errors.ts';
import { redactUrl } from '#lib/redact.ts';
import { conditionText, violationOf, type Condition, type Observed } from './condition.ts';
import { lightHttp } from '#lib/light-http.ts';
import { answerWith } from './connect.ts';
import { serverName, tlsMode } from './fields.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport, type ResolveHost } from './probe.ts';

export type HttpTarget = {
  readonly url: URL;
  /** All must hold, or the target has failed. */
  readonly conditions: readonly Condition[];
  /** While one of these does not hold the target is degraded. */
  readonly degradedUnless: readonly Condition[];
  /** Name in the Host header and the TLS handshake, where it is not the one in `url`. */
  readonly serverName?: string | undefined;
  readonly tlsMode?: z.output<ReturnType<typeof tlsMode>>;
};

const absolute = (url: string, apiUrl: string): URL | undefined => {
  const parsed = URL.parse(url, apiUrl);
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed : undefined;
};

export const httpKind = probeKind({
  kind: 'http',
  schema: {
    url: z
      .string()
      .min(1)
      .refine((url) => absolute(url, 'http://api') !== undefined, 'must be an http URL, or a path below API_URL')
      .describe('Absolute, or a path below API_URL.'),
    conditions: z.array(conditionText).prefault(['[STATUS] == 200']).describe('All must hold, or the target has failed.'),
    degradedUnless: z.array(conditionText).prefault([]).describe('While one of these does not hold the target is degraded.'),
    serverName: serverName().optional().describe('Name in the Host header and the TLS handshake; default: the one in url.'),
    tlsMode: tlsMode().default('acme').describe('self-signed: the certificate is not checked.'),
  },
  create: ({ url, ...target }, { env, resolveHost }) => httpProbe({ ...target, url: urlOf(url, env.API_URL) }, resolveHost),
  describe: ({ url }, env) => redactUrl(urlOf(url, env.API_URL).href),
});

function urlOf(url: string, apiUrl: string): URL {
  return absolute(url, apiUrl) ?? new URL(apiUrl);
}

const nextStep = 'ask it by hand: its whole answer, and the end of its log, say more';

/** A body is read up to this; a longer one is cut, and is then no JSON. */
const maxBodyBytes = 256 * 1024;

/** A probe that GETs a page over a new connection each time, so that a server that no longer accepts is seen. Redirects are not followed. */
export function httpProbe(target: HttpTarget, resolveHost: ResolveHost): Probe {
  return async (signal) => {
    try {
      return judgeResponse(target, await get(target, resolveHost, signal));
    } catch (err) {
      if (err instanceof MonitorFaultError) throw err;
      return { outcome: 'failed', detail: `${target.url.origin} does not answer: ${messageOf(err)}`, nextStep };
    }
  };
}

/** What a response says about the target. Pure. */
export function judgeResponse(target: Pick<HttpTarget, 'conditions' | 'degradedUnless'>, observed: Observed): ProbeReport {
  const seen = `HTTP ${observed.status}`;
  const violationsOf = (conditions: readonly Condition[]): string[] => conditions.flatMap((each) => violationOf(each, observed) ?? []);
  const failures = violationsOf(target.conditions);
  const problems = failures.length > 0 ? failures : violationsOf(target.degradedUnless);
  if (problems.length === 0) return { outcome: 'ok', detail: seen };
  const unwell = unwellParts(observed.body);
  return {
    outcome: failures.length > 0 ? 'failed' : 'degraded',
    detail: [seen, ...problems].join('; '),
    nextStep,
    ...(unwell.length > 0 ? { facts: [['Says of itself', unwell.join(', ')]] } : {}),
  };
}

const unwellWords = new Set(['critical', 'degraded', 'warning', 'unhealthy', 'down', 'fail', 'failed', 'failing', 'error']);
const maxPartsShown = 8;

/**
 * The parts of a health document that say of themselves that they are not well, such as `checks.database is critical`.
 * The document as a whole is left out. Pure.
 */
export function unwellParts(body: unknown, path = ''): readonly string[] {
  if (typeof body !== 'object' || body === null) return [];
  const { health, status } = body as { readonly health?: unknown; readonly status?: unknown };
  const word = [health, status].find((said): said is string => typeof said === 'string' && unwellWords.has(said.toLowerCase()));
  const own = word === undefined || path === '' ? [] : [`${path} is ${word}`];
  const below = Object.entries(body).flatMap(([key, value]) => unwellParts(value, path === '' ? key : `${path}.${key}`));
  return [...own, ...below].slice(0, maxPartsShown);
}

async function get(target: HttpTarget, resolveHost: ResolveHost, signal: AbortSignal): Promise<Observed> {
  const { url } = target;
  const addresses = await resolveHost(url.hostname, signal);
  // Loaded only where it is needed: a monitor at rest keeps its memory.
  const { request } = url.protocol === 'https:' ? await import('node:https') : lightHttp();
  const name = target.serverName ?? url.hostname;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      signal,
      agent: false,
      headers: { host: target.serverName ?? url.host, accept: 'application/json', 'user-agent': 'atalaya-monitor' },
      lookup: answerWith(addresses),
      // An address has no place in the handshake.
      servername: isIP(name) === 0 ? name : '',
      rejectUnauthorized: target.tlsMode !== 'self-signed',
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      readBody(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, responseTimeMs: performance.now() - startedAt, body: parsedOrText(body) }),
        reject,
      );
    });
    sent.end();
  });
}

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
