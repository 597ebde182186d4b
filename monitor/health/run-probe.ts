import { messageOf } from '#lib/errors.ts';
import { redactText } from '#lib/redact.ts';
import type { Clock, Fact, Finding, ProbeResult } from '../model/look.ts';
import type { Probe, ProbeReport } from '../probes/probe.ts';

/** A look that overruns its timeout by more than this was stopped by the monitor's own machine, not by the target. */
export const stallMs = 1_000;

/**
 * Runs one look under its timeout. Never throws: what a probe throws is a fault of the monitor, as is a look that the
 * machine kept from ending in time (a suspended or starved process would otherwise see every target down at once).
 */
export async function runProbe(probe: Probe, timeoutMs: number, clock: Clock): Promise<ProbeResult> {
  const start = clock();
  const outcome = await lookOnce(probe, timeoutMs);
  const latencyMs = clock().clockMs - start.clockMs;
  const result = { ...withoutSecrets(outcome), latencyMs: Math.round(latencyMs * 10) / 10, ...start };
  if (outcome.outcome !== 'failed' || latencyMs <= timeoutMs + stallMs) return result;
  return { ...result, outcome: 'faulty', detail: `the monitor itself stood still for ${Math.round(latencyMs / 1000)} s` };
}

type Outcome = Finding & Pick<ProbeResult, 'outcome'>;

function withoutSecrets(outcome: Outcome): Outcome {
  const { detail, facts } = outcome;
  const redacted = facts?.map(([label, value]): Fact => [label, redactText(value)]);
  return { ...outcome, detail: redactText(detail), ...(redacted ? { facts: redacted } : {}) };
}

async function lookOnce(probe: Probe, timeoutMs: number): Promise<Outcome> {
  const timeout = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ProbeReport>((resolve) => {
    timer = setTimeout(() => {
      resolve({ outcome: 'failed', detail: `no answer within ${timeoutMs / 1000} s` });
      timeout.abort(new Error('the probe ran out of time'));
    }, timeoutMs);
  });
  try {
    return await Promise.race([probe(timeout.signal), late]);
  } catch (err) {
    return { outcome: 'faulty', detail: messageOf(err) };
  } finally {
    clearTimeout(timer);
    timeout.abort();
  }
}
