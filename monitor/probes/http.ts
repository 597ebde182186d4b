import type { LookupAddress } from 'node:dns';
import * as z from 'zod';
import { messageOf } from '#lib/errors.ts';
import { redactUrl } from '#lib/redact.ts';
import { conditionText, violationOf, type Condition, type Observed } from './condition.ts';
import { serverName, tlsMode } from './fields.ts';
import { httpGet, type HttpQuestion } from './http-get.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport, type ResolveHost } from './probe.ts';
import type { Sentence } from '../words/sentence.ts';

export type HttpTarget = HttpQuestion & {
  /** All must hold, or the target has failed. */
  readonly conditions: readonly Condition[];
  /** While one of these does not hold the target is degraded. */
  readonly degradedUnless: readonly Condition[];
  /** Each address of the name is asked, not only the first that takes the connection. */
  readonly everyAddress?: boolean;
  /** Longest one address of several is waited for, so that one that hangs is told as one. */
  readonly addressTimeoutMs?: number;
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
    everyAddress: z
      .boolean()
      .default(false)
      .describe('Asks each address of the name: some that fail degrade the target, it has failed when all do.'),
  },
  create: ({ url, ...target }, { env, resolveHost, timeoutMs }) =>
    httpProbe({ ...target, url: urlOf(url, env.API_URL), addressTimeoutMs: timeoutMs * 0.8 }, resolveHost),
  describe: ({ url }, env) => redactUrl(urlOf(url, env.API_URL).href),
});

function urlOf(url: string, apiUrl: string): URL {
  return absolute(url, apiUrl) ?? new URL(apiUrl);
}

const nextStep: Sentence = { code: 'askByHand' };

/** A probe that GETs a page over a new connection each time, so that a server that no longer accepts is seen. Redirects are not followed. */
export function httpProbe(target: HttpTarget, resolveHost: ResolveHost): Probe {
  const ask = async (addresses: readonly LookupAddress[], signal: AbortSignal): Promise<ProbeReport> =>
    httpGet(target, addresses, signal).then(
      (observed) => judgeResponse(target, observed),
      (err: unknown) => noAnswer(target, err),
    );
  return async (signal) => {
    try {
      const addresses = await resolveHost(target.url.hostname, signal);
      if (!target.everyAddress || addresses.length === 1) return await ask(addresses, signal);
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(target.addressTimeoutMs ?? 2_000)]);
      return judgeAddresses(await Promise.all(addresses.map(async (one) => ({ ...(await ask([one], bounded)), address: one.address }))));
    } catch (err) {
      if (err instanceof MonitorFaultError) throw err;
      return noAnswer(target, err);
    }
  };
}

const noAnswer = ({ url }: HttpTarget, err: unknown): ProbeReport => ({
  outcome: 'failed',
  detail: `${url.origin} does not answer: ${messageOf(err)}`,
  nextStep,
});

type AddressReport = ProbeReport & { readonly address: string };

/** What the answers of all addresses come to: while one of them is well clients may still be served, so it is degraded. Pure. */
export function judgeAddresses(reports: readonly AddressReport[]): ProbeReport {
  const unwell = reports.filter(({ outcome }) => outcome !== 'ok');
  const [first] = unwell;
  if (!first) return { outcome: 'ok', detail: `all ${reports.length} addresses answer` };
  const detail = unwell.map(({ address, detail: said }) => `${address}: ${said}`).join('; ');
  const outcome = reports.every((each) => each.outcome === 'failed') ? 'failed' : 'degraded';
  return {
    outcome,
    detail: `${unwell.length} of ${reports.length} addresses: ${detail}`,
    nextStep,
    ...(first.facts ? { facts: first.facts } : {}),
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
