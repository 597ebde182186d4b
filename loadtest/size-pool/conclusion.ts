import { showDuration } from '#lib/show.ts';
import { fitUsl, kneeOf } from '../capacity/curve.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { Next, Question } from './next-step.ts';
import { lossOf, plateauOf, throughputOf } from './standing.ts';
import { median, showLoss } from './sweep.ts';
import { isSame, limitedBy, totalOf, type Played, type PoolSetting } from './window.ts';

/** How it ended: an answer, or why there is none. */
export type End = Exclude<Next, { kind: 'play' }>;

/** A sizing from its windows to its words. */
export type Conclusion = {
  readonly question: Question;
  /** API processes, each with a pool of its own. */
  readonly workers: number;
  readonly users: number;
  readonly played: readonly Played[];
  readonly end: End;
  /** PASS: what is configured does as well; FAIL: it surely loses; INVALID: nobody can say. */
  readonly verdict: Verdict;
  /** Ready to paste; undefined where nothing is recommended. */
  readonly line: string | undefined;
  /** Why, and what else is known, one sentence each. */
  readonly says: readonly string[];
  readonly rows: readonly Row[];
};

/** What one size showed in the sweep. */
export type Row = {
  readonly size: number;
  readonly windows: number;
  readonly perSecond: number;
  readonly p95Ms: number | null;
  readonly loss: string;
};

/** Says what the windows showed. Pure. */
export function conclude(
  question: Question,
  { workers, users }: { workers: number; users: number },
  played: readonly Played[],
  end: End,
): Conclusion {
  const verdict = verdictOf(end, question.configured);
  const rows = rowsOf(question, played);
  const common = { question, workers, users, played, end, verdict, rows };
  const checks = crossChecks(question, rows);
  if (end.kind === 'refusal') {
    const meanwhile = `meanwhile it was limited by ${limitedBy(played)}; a machine that does nothing else, or longer windows (--window), can tell more`;
    const why = [`no size is recommended (${end.reason}): ${end.says}`, ...(end.reason === 'too noisy' ? [meanwhile] : [])];
    return { ...common, line: undefined, says: [...why, ...checks] };
  }
  const { setting, beside } = end.confirmed;
  const why = limitedBy(played.filter((window) => isSame(window.setting, setting)));
  const line = `DB_POOL_SIZE=${setting.size} DB_MAX_OVERFLOW=${setting.overflow}  # for each of ${workers} API processes; more gains nothing: limited by ${why}`;
  const heldOut = played.filter(({ stage }) => stage === 'held-out');
  const others = beside.map(
    (loss) => `${showSetting(loss.setting, question.configured)}, ${rate(throughputOf(loss.setting, heldOut))}, ${showLoss(loss)}`,
  );
  return {
    ...common,
    line,
    says: [
      `applied and measured again in ${countRounds(heldOut)} rounds held out: ${showSetting(setting, question.configured)}, ${rate(throughputOf(setting, heldOut))}; beside it ${others.join('; ')}`,
      ...(end.found.openBelow ? [`${end.found.openBelow.size} connections may be enough too: these rounds cannot tell`] : []),
      ...checks,
    ],
  };
}

function verdictOf(end: End, configured: PoolSetting): Verdict {
  if (end.kind === 'refusal') return 'INVALID';
  return end.confirmed.beside.some(({ setting, finding }) => isSame(setting, configured) && finding === 'worse') ? 'FAIL' : 'PASS';
}

const rate = (perSecond: number): string => `${perSecond.toFixed(0)}/s`;

const countRounds = (played: readonly Played[]): number => new Set(played.map(({ round }) => round)).size;

const showSetting = (setting: PoolSetting, configured: PoolSetting): string =>
  `${setting.overflow === 0 ? setting.size : `${setting.size}+${setting.overflow}`} connections${isSame(setting, configured) ? ' as configured' : ''}`;

function rowsOf({ sizes }: Question, all: readonly Played[]): Row[] {
  const played = all.filter(({ stage }) => stage === 'sweep');
  const settings = sizes.map((size) => ({ size, overflow: 0 }));
  const plateau = plateauOf(settings, played);
  return settings.map((setting) => {
    const windows = played.filter((window) => isSame(window.setting, setting));
    const p95s = windows.flatMap(({ p95Ms }) => p95Ms ?? []);
    const isAlone = plateau.every((one) => isSame(one, setting));
    const loss = isAlone ? 'the fastest' : showLoss(lossOf(setting, plateau, played));
    return {
      size: totalOf(setting),
      windows: windows.length,
      perSecond: throughputOf(setting, played),
      p95Ms: p95s.length === 0 ? null : median(p95s),
      loss,
    };
  });
}

/** What other methods make of the same curve; they decide nothing. */
function crossChecks({ sizes }: Question, rows: readonly Row[]): string[] {
  const seen = rows.filter(({ windows }) => windows > 0);
  if (seen.length === 0) return [];
  const best = seen.reduce((a, b) => (b.perSecond > a.perSecond ? b : a));
  // Connections over throughput: that curve turns upward where more of them gain little.
  const knee = kneeOf(seen.filter(({ size }) => size <= best.size).map(({ size, perSecond }) => ({ x: perSecond, y: size })));
  return [
    `fastest by its mean: ${best.size} of ${sizes.join(', ')} connections${knee ? `; the curve bends at ${knee.y}` : ''}`,
    `Universal Scalability Law: ${sayUsl(seen)}`,
  ];
}

function sayUsl(seen: readonly Row[]): string {
  const usl = fitUsl(seen);
  if (usl.kind === 'refused') return `not used, ${usl.says}`;
  const sizes = seen.map(({ size }) => size);
  const isTried = usl.optimum >= Math.min(...sizes) && usl.optimum <= Math.max(...sizes);
  if (!isTried) return 'not used, its highest point lies outside the sizes that were tried';
  return `highest at ${usl.optimum.toFixed(1)} connections (σ ${usl.sigma.toFixed(3)}, κ ${usl.kappa.toFixed(5)}, R² ${usl.rSquared.toFixed(2)})`;
}

export const showP95 = (ms: number | null): string => (ms === null ? '–' : showDuration(ms));
