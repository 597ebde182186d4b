import { messageOf } from '#lib/errors.ts';
import { lightHttp } from '#lib/light-http.ts';
import type { Logger } from '#lib/logger.ts';
import type { Notice } from '../alerts/self-alerts.ts';
import type { TargetSnapshot } from '../health/watch.ts';
import type { Incident } from '../model/incident.ts';
import type { Clock, Fact } from '../model/look.ts';
import type { TimelineEntry } from '../model/quiet.ts';
import type { JobRuns } from '../store/store.ts';
import { decideRestart, hourMs, mostInAnHour, restartAgeMs, type Action, type RestartDecision } from './decide-restart.ts';
import type { Sentence } from '../words/sentence.ts';

export type RestarterDeps = {
  readonly snapshot: () => readonly TargetSnapshot[];
  /** Asked each second, so at little cost; only of a target that is down the snapshot is taken. */
  readonly isDown: (target: string) => boolean;
  readonly jobRuns: Pick<JobRuns, 'begin' | 'end' | 'recent'>;
  readonly keep: (entry: TimelineEntry) => void;
  readonly tell: (notice: Notice) => void;
  /** Looks around, within seconds, and keeps what it saw on the timeline; never rejects. */
  readonly evidence: (of: { readonly target: string; readonly incidentId: string }) => Promise<readonly Fact[]>;
  /** Asks an API to drain and end. Rejects with why it will not. */
  readonly drain: (admin: URL, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  /** How long the machine has been up, in ms. */
  readonly machineUpMs: () => number;
  readonly logger: Logger;
};

const job = 'restart';

/**
 * Restarts what hangs, by rule: each restart is on record before it is tried, so that no crash of the monitor gives one more, and it
 * is on the timeline and told to everybody, in a dry run as well. What shows why it hangs is taken before the drain, which destroys it.
 * @throws {StoreError} the restarts before cannot be read, or one cannot be recorded: then none is tried
 */
export function createRestarter(actions: readonly Action[], deps: RestarterDeps): { readonly run: (signal: AbortSignal) => Promise<void> } {
  const { at, clockMs } = deps.clock();
  const started = { at, machineUpMs: deps.machineUpMs() };
  const restartsMs = deps.jobRuns.recent(job, mostInAnHour).map((run) => clockMs - restartAgeMs(run, started));
  const called = new Set<string>();

  const decide = (action: Action): RestartDecision =>
    decideRestart({ action, targets: deps.snapshot(), restartsMs, nowMs: deps.clock().clockMs });

  const restart = async (action: Action, signal: AbortSignal, seen: { readonly incident: Incident; readonly facts: readonly Fact[] }) => {
    const { target, admin, mode } = action;
    const { incident, facts } = seen;
    const now = deps.clock();
    const key = deps.jobRuns.begin(job, now.at, `${target} hangs`, deps.machineUpMs());
    restartsMs.push(now.clockMs);
    const inHour = restartsMs.filter((atMs) => now.clockMs - atMs < hourMs).length;
    const count = `${inHour} of ${mostInAnHour} within an hour`;
    const failure = mode === 'act' ? await deps.drain(admin, signal).then(() => undefined, messageOf) : undefined;
    const did =
      mode === 'act' ? 'it was asked to drain, and is to be started again' : 'in a dry run nothing was done: mode: act would drain it';
    const detail =
      failure === undefined ? `${target} hangs: ${did}; ${count}` : `${target} hangs, and cannot be asked to drain: ${failure}; ${count}`;
    deps.jobRuns.end(key, { at: deps.clock().at, outcome: failure === undefined ? 'done' : 'failed', detail });
    report(deps, {
      target,
      incident,
      detail,
      facts,
      nextStep: { code: 'whyItHung' },
    });
  };
  return {
    run: async (signal) => {
      for (const action of actions.filter(({ target }) => deps.isDown(target))) {
        const decision = decide(action);
        if (decision.do === 'restart') {
          const facts = await deps.evidence({ target: action.target, incidentId: decision.incident.id });
          // Meanwhile it may have answered, or somebody may have taken it on.
          const still = decide(action);
          if (still.do === 'restart' && !signal.aborted) await restart(action, signal, { incident: still.incident, facts });
        }
        if (decision.do === 'call' && !called.has(decision.incident.id)) {
          called.add(decision.incident.id);
          const detail = `${action.target} hangs still after ${mostInAnHour} restarts within an hour: no more is tried, a person must look`;
          report(deps, { ...action, incident: decision.incident, detail, nextStep: { code: 'lookByHand', target: action.target } });
        }
      }
    },
  };
}

type Report = {
  readonly target: string;
  readonly incident: Incident;
  readonly detail: string;
  readonly facts?: readonly Fact[];
  readonly nextStep: Sentence;
};

function report({ keep, tell, clock, logger }: RestarterDeps, { target, incident, detail, facts = [], nextStep }: Report): void {
  keep({ at: clock().at, event: 'action', probe: target, incidentId: incident.id, by: 'monitor', detail });
  tell({ part: 'action', detail, facts, nextStep });
  logger.warn({ probe: target }, detail);
}

const drainTimeoutMs = 5_000;

/** Asks the admin listener of an API to drain. @throws why it will not */
export const askToDrain =
  (token: string | undefined): RestarterDeps['drain'] =>
  (admin, signal) =>
    new Promise((resolve, reject) => {
      const sent = lightHttp().request(new URL('/drain', admin), {
        method: 'POST',
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(drainTimeoutMs)]),
        headers: { 'user-agent': 'atalaya-monitor', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        response.resume();
        if (response.statusCode === 202) resolve();
        else
          reject(
            new Error(`${admin.origin} answers HTTP ${response.statusCode}${response.statusCode === 401 ? '; check ADMIN_TOKEN' : ''}`),
          );
      });
      sent.end();
    });
