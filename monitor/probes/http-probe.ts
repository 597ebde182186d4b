import { request as httpRequest, type IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { messageOf } from '#lib/errors.ts';
import { violationOf, type Condition, type Observed } from './condition.ts';
import { MonitorFaultError, type Probe, type ProbeReport } from './probe.ts';
import type { ResolveHost } from './resolve-host.ts';

export type HttpTarget = {
  readonly url: URL;
  /** All must hold, or the target has failed. */
  readonly conditions: readonly Condition[];
  /** While one of these does not hold the target is degraded. */
  readonly degradedUnless: readonly Condition[];
};

const maxBodyBytes = 256 * 1024;

/** A probe that GETs a page over a new connection each time, so that a server that no longer accepts is seen. Redirects are not followed. */
export function httpProbe(target: HttpTarget, resolveHost: ResolveHost): Probe {
  return async (signal) => {
    try {
      const address = await resolveHost(target.url.hostname, signal);
      return judgeResponse(target, await get(target.url, address, signal));
    } catch (err) {
      if (err instanceof MonitorFaultError) throw err;
      return { outcome: 'failed', detail: `${target.url.origin} does not answer: ${messageOf(err)}` };
    }
  };
}

/** What a response says about the target. Pure. */
export function judgeResponse(target: Pick<HttpTarget, 'conditions' | 'degradedUnless'>, observed: Observed): ProbeReport {
  const seen = `HTTP ${observed.status}`;
  const violations = target.conditions.flatMap((condition) => violationOf(condition, observed) ?? []);
  if (violations.length > 0) return { outcome: 'failed', detail: `${seen}; ${violations.join('; ')}` };
  const warnings = target.degradedUnless.flatMap((condition) => violationOf(condition, observed) ?? []);
  return warnings.length > 0 ? { outcome: 'degraded', detail: `${seen}; ${warnings.join('; ')}` } : { outcome: 'ok', detail: seen };
}

async function get(url: URL, address: string, signal: AbortSignal): Promise<Observed> {
  const request = url.protocol === 'https:' ? (await import('node:https')).request : httpRequest;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      signal,
      agent: false,
      headers: { accept: 'application/json', 'user-agent': 'atalaya-monitor' },
      // The address is known already; the name still goes into the Host header and the TLS handshake.
      lookup: (_host, options, callback) => {
        const family = isIPv6(address) ? 6 : 4;
        if (options.all) callback(null, [{ address, family }]);
        else callback(null, address, family);
      },
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

/** At most `maxBodyBytes`; the rest is not read. */
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
