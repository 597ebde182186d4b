import { byTrial, isAllowed, isRefused, latestMs, ofStage, type Exchange, type Recording } from '../exchange.ts';
import { isWhole, readList, retryAfterSeconds } from '../fields.ts';
import {
  askAtOnce,
  fail,
  invalid,
  unproved,
  notSupported,
  pass,
  type Check,
  type Client,
  type Finding,
  type Matter,
  type Player,
  type Stage,
} from '../matter.ts';

/** Moments of a period at which a refusal is asked for after the limit was used up: the fraction of a second left differs. */
const phases = [0, 0.37, 0.61] as const;
/** Just before the earliest moment that Retry-After may round up to. */
const earlyMs = 60;

/** A longer wait than this is judged without waiting for it. */
const longest = (periodMs: number): number => 2 * periodMs + 1_000;

/** Uses the limit up, waits part of a period, is refused, and asks again when Retry-After says so. */
const wait: Stage = {
  name: 'wait',
  clients: 1,
  play: async (player) => {
    await player.each(phases, async (phase) => refuseThenAsk(player, await player.client(), phase, (seconds) => seconds * 1_000));
  },
};

/** The same, but asks a second before Retry-After says so. */
const hurry: Stage = {
  name: 'hurry',
  clients: 1,
  play: (player) =>
    player.each([0, 0.8], async (phase) =>
      refuseThenAsk(player, await player.client(), phase, (seconds) => (seconds - 1) * 1_000 - earlyMs),
    ),
};

const noteOf = (phase: number): string => `after ${phase * 100} % of the period`;

async function refuseThenAsk(
  { declared, waitUntil }: Player,
  client: Client,
  phase: number,
  waitMs: (seconds: number) => number,
): Promise<void> {
  const variation = { note: noteOf(phase) };
  const [first] = await askAtOnce(client, declared.limit, variation);
  await waitUntil((first?.sentMs ?? 0) + phase * declared.periodMs);
  const refused = await client.ask(variation);
  const seconds = retryAfterSeconds(refused.answer);
  if (seconds === undefined || waitMs(seconds) <= 0 || waitMs(seconds) > longest(declared.periodMs)) return;
  await waitUntil(refused.endedMs + waitMs(seconds));
  await client.ask(variation);
}

const refusedOf = (recording: Recording): readonly Exchange[] => recording.exchanges.filter((one) => isRefused(recording, one));
const nothingRefused = 'nothing was refused';
const notSent = 'refusals carry no Retry-After';
const tooLate = 'the client was late in asking again';

/** Judges the Retry-After of every refusal that has one. */
const judgeEach =
  (problem: (exchange: Exchange, recording: Recording) => string | undefined, good: string) =>
  (recording: Recording): Finding => {
    const refused = refusedOf(recording);
    if (refused.length === 0) return invalid(nothingRefused);
    const sent = refused.filter(({ answer }) => answer?.fields['retry-after'] !== undefined);
    if (sent.length === 0) return notSupported(notSent);
    const wrong = sent.filter((one) => problem(one, recording) !== undefined);
    const [first] = wrong;
    return first ? fail(problem(first, recording) ?? '', wrong) : pass(`${sent.length} refusals: ${good}`);
  };

function judgePresent(recording: Recording): Finding {
  const refused = refusedOf(recording);
  if (refused.length === 0) return invalid(nothingRefused);
  const without = refused.filter(({ answer }) => answer?.fields['retry-after'] === undefined);
  if (without.length === refused.length) return notSupported(notSent);
  if (without.length > 0) return fail(`${without.length} of ${refused.length} refusals carry no Retry-After`, without);
  return pass(`on all ${refused.length} refusals`);
}

type Trial = { readonly first: Exchange; readonly refused: Exchange; readonly next: Exchange; readonly seconds: number };

/** The first request, the refusal, and what was asked when Retry-After was over, of each client. */
function trialsOf(recording: Recording, stage: string): readonly Trial[] {
  return byTrial(ofStage(recording, stage)).flatMap((exchanges) => {
    const [first, [refused, next]] = [exchanges[0], exchanges.slice(recording.declared.limit)];
    const seconds = retryAfterSeconds(refused?.answer);
    return first && refused && next && seconds !== undefined && isRefused(recording, refused) ? [{ first, refused, next, seconds }] : [];
  });
}

/** Whether refusal and next request were asked when they were meant to be: only then would they show a time rounded down. */
function isOnTime({ declared: { periodMs } }: Recording, { first, refused, next, seconds }: Trial): boolean {
  const phase = phases.find((one) => noteOf(one) === first.note) ?? 0;
  const isRefusedOnTime = refused.endedMs <= first.sentMs + phase * periodMs + latestMs;
  return isRefusedOnTime && next.endedMs <= refused.sentMs + seconds * 1_000 + latestMs;
}

function judgeHonest(recording: Recording): Finding {
  const trials = trialsOf(recording, 'wait');
  if (trials.length === 0) return notSupported('no refusal told a time to wait that could be waited for');
  const lie = trials.find(({ refused, next, seconds }) => isRefused(recording, next) && next.sentMs >= refused.endedMs + seconds * 1_000);
  if (lie) return fail(`refused again after the ${lie.seconds} s that Retry-After asked for`, [lie.refused, lie.next]);
  const late = trials.filter((trial) => !isOnTime(recording, trial)).map(({ next }) => next);
  // Right after the limit was used up almost a whole period is left, so that a time rounded down is almost a second short.
  if (late.length > 0 || !trials.some(({ first }) => first.note === noteOf(0))) return unproved(tooLate, late);
  return pass(`allowed after ${trials.map(({ seconds }) => `${seconds} s`).join(', ')}`);
}

function judgeTight(recording: Recording): Finding {
  const trials = trialsOf(recording, 'hurry');
  if (trials.length === 0) {
    const isTold = ofStage(recording, 'hurry').some((one) => isRefused(recording, one) && retryAfterSeconds(one.answer) !== undefined);
    return isTold ? pass('1 s, which can be no shorter') : notSupported(notSent);
  }
  const tooLong = trials.find(
    ({ refused, next, seconds }) => isAllowed(recording, next) && next.endedMs < refused.sentMs + (seconds - 1) * 1_000,
  );
  if (tooLong === undefined && trials.some(({ next }) => !isRefused(recording, next))) return unproved(tooLate);
  if (tooLong === undefined)
    return pass(`refused still a second before ${trials.map(({ seconds }) => `${seconds} s`).join(', ')} were over`);
  const { refused, next, seconds } = tooLong;
  return fail(`Retry-After is ${seconds} s, and more than a second before its end a request was allowed`, [refused, next]);
}

/** @returns the longest effective window that an answer tells */
function longestReset(exchange: Exchange): number | undefined {
  const resets = readList(exchange.answer?.fields['ratelimit'] ?? '')
    ?.filter(({ parameters }) => parameters.get('r') === 0)
    .flatMap(({ parameters }) => {
      const reset = parameters.get('t');
      return isWhole(reset, 0) ? [reset] : [];
    });
  return resets === undefined || resets.length === 0 ? undefined : Math.max(...resets);
}

function judgeCoversReset(recording: Recording): Finding {
  const both = refusedOf(recording).filter((one) => retryAfterSeconds(one.answer) !== undefined && longestReset(one) !== undefined);
  if (both.length === 0) return notSupported('no refusal carries both Retry-After and RateLimit with t');
  const early = both.filter((one) => (retryAfterSeconds(one.answer) ?? 0) < (longestReset(one) ?? 0));
  const [first] = early;
  if (first) return fail(`Retry-After is ${retryAfterSeconds(first.answer)} s, t is ${longestReset(first)} s`, early);
  return pass(`${both.length} refusals: Retry-After ≥ t`);
}

const check = (id: string, clause: string, title: string, stages: readonly string[], judge: Check['judge']): Check => ({
  id,
  clause,
  title,
  stages,
  judge,
});

const checks: readonly Check[] = [
  check('retry-after-sent', 'RFC 6585 §4, L4', 'Every refusal says when to ask again', ['sequence', 'burst'], judgePresent),
  check(
    'retry-after-syntax',
    'RFC 9110 §10.2.3',
    'Retry-After is a whole number of seconds, or a date',
    ['sequence', 'burst'],
    judgeEach(
      ({ answer }) => (retryAfterSeconds(answer) === undefined ? `Retry-After is "${answer?.fields['retry-after']}"` : undefined),
      'seconds or a date',
    ),
  ),
  check(
    'retry-after-least',
    'L4',
    'Retry-After is at least one second: 0 asks to be asked again at once',
    ['sequence', 'burst'],
    judgeEach(
      ({ answer }) => ((retryAfterSeconds(answer) ?? 1) < 1 ? `Retry-After is "${answer?.fields['retry-after']}"` : undefined),
      '≥ 1 s',
    ),
  ),
  check(
    'retry-after-bounds',
    'L4',
    'Retry-After is no longer than a period, rounded up',
    ['sequence', 'burst'],
    judgeEach(
      ({ answer }, { declared: { periodMs } }) =>
        (retryAfterSeconds(answer) ?? 0) > Math.ceil(periodMs / 1_000) + 1
          ? `Retry-After is ${answer?.fields['retry-after']} s, the period ${periodMs / 1_000} s`
          : undefined,
      'no longer than a period',
    ),
  ),
  check('retry-after-honest', 'L4', 'Whoever waits exactly as long as Retry-After says is not refused again', ['wait'], judgeHonest),
  check('retry-after-tight', 'L4', 'Retry-After is less than a second longer than need be', ['hurry'], judgeTight),
  check(
    'retry-after-covers-t',
    'draft-11 §6',
    'Retry-After does not end before the effective window of a policy that is used up',
    ['sequence', 'burst'],
    judgeCoversReset,
  ),
];

export const retryAfter: Matter = { stages: [wait, hurry], checks };
