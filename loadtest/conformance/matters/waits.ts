import { byTrial, isAllowed, isRefused, latestMs, ofStage, type Exchange, type Recording } from '../exchange.ts';
import { retryAfterSeconds } from '../fields.ts';
import {
  askAtOnce,
  fail,
  notSupported,
  pass,
  unproved,
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

const notSent = 'refusals carry no Retry-After';
const tooLate = 'the client was late in asking again';

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

export const waits: Matter = {
  stages: [wait, hurry],
  checks: [
    {
      id: 'retry-after-honest',
      clause: 'L4',
      title: 'Whoever waits exactly as long as Retry-After says is not refused again',
      stages: ['wait'],
      judge: judgeHonest,
    },
    {
      id: 'retry-after-tight',
      clause: 'L4',
      title: 'Retry-After is less than a second longer than need be',
      stages: ['hurry'],
      judge: judgeTight,
    },
  ],
};
