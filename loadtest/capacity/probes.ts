import { judgeAccounts } from '../judge/accounting.ts';
import { judgeArrivals } from '../judge/arrivals.ts';
import type { Judge } from '../judge/check.ts';
import { judgeEndpoints } from '../judge/endpoint-limits.ts';
import { phaseAt } from '../judge/figures.ts';
import { judgeInstrument } from '../judge/instrument.ts';
import { judgeLimits } from '../judge/limits.ts';
import { judge, type Judgement, type Verdict } from '../judge/verdict.ts';
import { judgeWindows } from '../judge/window-limits.ts';
import { highestRate } from '../generate/arrivals.ts';
import type { Measurement, PlayedPhase } from '../measurement/measurement.ts';
import type { Probed } from './search.ts';

/** One rate held for a while, and what became of the limits. */
export type Probe = Probed & {
  readonly judgement: Judgement;
  /** Why it is not kept, in one sentence; empty when it is. */
  readonly why: string;
};

/** With fewer of its seconds watched, nobody knows what this machine did meanwhile. */
const watchedShare = 0.75;

/** Speed, errors, and whether the client can be believed; content and books are judged over the whole run. */
const judges: readonly Judge[] = [judgeLimits, judgeEndpoints, judgeWindows, judgeArrivals, judgeAccounts, judgeInstrument];

const outcomeOf: Readonly<Record<Verdict, Probed['outcome']>> = { PASS: 'kept', FAIL: 'missed', INVALID: 'unclear' };

/** What each phase of a search was found to be: judged like a run of its own, by the same limits. Pure. */
export const probesOf = (measurement: Measurement): Probe[] => measurement.phases.map((phase) => probeOf(measurement, phase));

const judged = new WeakMap<PlayedPhase, Probe>();

function probeOf(measurement: Measurement, phase: PlayedPhase): Probe {
  const known = judged.get(phase);
  if (known) return known;
  const isOf = ({ second }: { readonly second: number }): boolean => phaseAt(measurement, second) === phase;
  const { slices, samples, machine } = measurement;
  const own = {
    phases: [phase],
    slices: slices.filter(isOf),
    samples: samples.filter(isOf),
    machine: machine.filter(isOf),
    // Of the whole run; and a search is calibrated once, at its first rate.
    rest: null,
  };
  const judgement = judge({ ...measurement, ...own }, judges);
  const isWatched = own.machine.length >= (watchedShare * (phase.warmUpMs + phase.durationMs)) / 1_000;
  const isUntold = judgement.verdict === 'FAIL' && !isWatched;
  const probe: Probe = {
    rate: phase.load.kind === 'open' ? highestRate(phase.load) : 0,
    outcome: isUntold ? 'unclear' : outcomeOf[judgement.verdict],
    judgement,
    why: isUntold ? 'the watch over this machine itself stood still' : (judgement.reasons[0] ?? ''),
  };
  judged.set(phase, probe);
  return probe;
}
