import { messageOf } from '#lib/errors.ts';
import { redactText } from '#lib/redact.ts';
import { showDuration } from '#lib/show.ts';
import type { Clock, Fact, Finding, ProbeResult } from '../model/look.ts';
import type { Probe } from '../probes/probe.ts';
import { mapTexts } from '../words/sentence.ts';

/** A look that overruns its timeout by more than this was stopped by the monitor's own machine, not by the target. */
const stallMs = 1_000;

export type LookLimits = {
  /** Longest a look may take. */
  readonly timeoutMs: number;
  /** A good answer that takes longer is evidence of a degraded target. */
  readonly slowMs: number;
};

/**
 * Runs one look under its timeout. Never throws: what a probe throws is a fault of the monitor, as is a look that the
 * machine kept from ending in time (a suspended or starved process would otherwise see every target down at once).
 */
export async function runProbe(probe: Probe, limits: LookLimits, clock: Clock): Promise<ProbeResult> {
  const start = clock();
  const outcome = await lookOnce(probe, limits.timeoutMs);
  const latencyMs = clock().clockMs - start.clockMs;
  const timed = timedOutcome(withoutSecrets(outcome), latencyMs, limits);
  return { ...timed, latencyMs: Math.round(latencyMs * 10) / 10, ...start };
}

function timedOutcome(outcome: Outcome, latencyMs: number, { timeoutMs, slowMs }: LookLimits): Outcome {
  if (outcome.outcome === 'failed' && latencyMs > timeoutMs + stallMs) {
    return { outcome: 'faulty', detail: `the monitor itself stood still for ${showDuration(latencyMs)}` };
  }
  if (outcome.outcome !== 'ok' || latencyMs <= slowMs) return outcome;
  const slow = `it took ${showDuration(latencyMs)}, more than ${showDuration(slowMs)}`;
  return { ...outcome, outcome: 'degraded', detail: `${outcome.detail}; ${slow}` };
}

type Outcome = Finding & Pick<ProbeResult, 'outcome' | 'isSilent'>;

function withoutSecrets(outcome: Outcome): Outcome {
  const { cause, nextStep, detail, facts } = outcome;
  const redacted = facts?.map(([label, value]): Fact => [label, mapTexts(value, redactText)]);
  return {
    ...outcome,
    detail: redactText(detail),
    ...(cause === undefined ? {} : { cause: mapTexts(cause, redactText) }),
    ...(nextStep === undefined ? {} : { nextStep: mapTexts(nextStep, redactText) }),
    ...(redacted ? { facts: redacted } : {}),
  };
}

async function lookOnce(probe: Probe, timeoutMs: number): Promise<Outcome> {
  const timeout = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => {
      resolve({ outcome: 'failed', detail: `no answer within ${timeoutMs / 1000} s`, isSilent: true });
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
