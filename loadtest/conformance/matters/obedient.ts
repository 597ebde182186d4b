import { byClient, isAllowed, isRefused, ofStage, type Declared, type Exchange, type Recording } from '../exchange.ts';
import { retryAfterSeconds, told } from '../fields.ts';
import {
  askAtOnce,
  fail,
  invalid,
  unproved,
  notSupported,
  pass,
  type Client,
  type Finding,
  type Matter,
  type Player,
  type Stage,
} from '../matter.ts';

/** The least share of its quota that a client gets who does what the fields say. */
const leastShare = 0.98;
/** What a wait may be too long by where it is told as a moment: a second of its own, and one of the answer's Date. */
const roundingMs = 2_000;
/** Clients side by side at most, so that many requests do not take as many periods. */
const mostClients = 50;

const obey: Stage = {
  name: 'obedient',
  clients: 1,
  isAlone: true,
  play: async (player) => {
    const { declared, means, client, now, waitUntil } = player;
    const rounds = 3;
    const many = Math.min(mostClients, means.clients, Math.max(1, Math.floor(means.obedientRequests / (declared.limit * rounds))));
    const perClient = Math.ceil(means.obedientRequests / many);
    const obedient: Client[] = [];
    while (obedient.length < many) obedient.push(await client());
    const startedMs = now();
    await Promise.all(
      obedient.map(async (one, index) => {
        // Spread over a period, as clients are who know nothing of each other.
        await waitUntil(startedMs + (index * declared.periodMs) / many);
        await followFields(player, one, perClient);
      }),
    );
  },
};

/**
 * Asks as often at once as the last answer said is left, and while nothing is left waits as long as it said. Knows nothing
 * of limit and period, and stops where it is told nothing, or to wait for more than two periods.
 */
async function followFields({ declared, waitUntil }: Player, client: Client, requests: number): Promise<void> {
  let last = await client.ask({ note: 'round 0' });
  for (let round = 1, asked = 1; asked < requests; round += 1) {
    const said = told(last.answer, declared);
    const waitSeconds = toldWaitSeconds(last, declared);
    if (said === undefined || waitSeconds === undefined || waitSeconds * 1_000 > 2 * declared.periodMs + 1_000) return;
    if (waitSeconds > 0) await waitUntil(last.endedMs + waitSeconds * 1_000);
    const batch = Math.min(Math.max(1, said.remaining), requests - asked);
    const answers = await askAtOnce(client, batch, { note: `round ${round}` });
    asked += batch;
    last = strictest(answers, declared);
  }
}

/** How long an answer lets its client wait; undefined: it is used up, and nothing says until when. */
function toldWaitSeconds({ answer }: Exchange, declared: Declared): number | undefined {
  const said = told(answer, declared);
  return retryAfterSeconds(answer) ?? (said?.remaining === 0 ? said.resetSeconds : 0);
}

/** Of answers to requests at once the one that leaves least, and of those the one that came last. */
const strictest = (answers: readonly Exchange[], declared: Declared): Exchange =>
  answers.toSorted((a, b) => leftBy(a, declared) - leftBy(b, declared) || b.endedMs - a.endedMs)[0] as Exchange;

const leftBy = ({ answer }: Exchange, declared: Declared): number => told(answer, declared)?.remaining ?? 0;

type Use = {
  /** Requests that were served, of those the limit allows in the same time. */
  readonly share: number;
  /** The same without the time in which requests were under way. */
  readonly shareOfWaits: number;
  /** How much longer than a period it was let wait each time it waited, in milliseconds. */
  readonly beyondMs: number;
  /** How much longer than it was told it waited each time, in milliseconds. */
  readonly lateMs: number;
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** How much of its quota a client used, from its first request to when it had waited for the last time. */
function useOf(recording: Recording, exchanges: readonly Exchange[]): Use | undefined {
  const { limit, periodMs } = recording.declared;
  const rounds = [...Map.groupBy(exchanges, ({ note }) => note).values()].map((round) => ({
    beginMs: Math.min(...round.map(({ sentMs }) => sentMs)),
    endMs: Math.max(...round.map(({ endedMs }) => endedMs)),
    served: round.filter((one) => isAllowed(recording, one)).length,
    toldMs: (toldWaitSeconds(strictest(round, recording.declared), recording.declared) ?? Infinity) * 1_000,
  }));
  const waits = rounds.map(({ beginMs }, i) => beginMs - (rounds[i - 1]?.endMs ?? beginMs));
  const last = waits.findLastIndex((waitMs) => waitMs > periodMs / 10);
  const spanMs = (rounds[last]?.beginMs ?? 0) - (rounds[0]?.beginMs ?? 0);
  if (spanMs < 2 * periodMs) return undefined;
  const served = sum(rounds.slice(0, last).map((round) => round.served));
  const quota = (ms: number): number => (limit * ms) / periodMs;
  const waited = waits.slice(0, last + 1).filter((waitMs) => waitMs > periodMs / 10);
  const asToldMs = mean(
    waits.slice(0, last + 1).flatMap((waitMs, i) => (waitMs > periodMs / 10 ? Math.min(waitMs, rounds[i - 1]?.toldMs ?? waitMs) : [])),
  );
  return {
    share: served / quota(spanMs),
    shareOfWaits: served / quota(sum(waited)),
    beyondMs: asToldMs - periodMs,
    lateMs: mean(waited) - asToldMs,
  };
}

const tellsTooLittle = 'answers do not tell what is left, and until when';

function judgeNeverRefused(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'obedient');
  const refused = exchanges.filter((one) => isRefused(recording, one));
  if (refused.length > 0) return fail(`${refused.length} of ${exchanges.length} requests refused`, refused);
  if (byClient(exchanges).every((one) => useOf(recording, one) === undefined)) return notSupported(tellsTooLittle);
  return pass(`${exchanges.length} requests, none refused`);
}

function judgeUse(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'obedient');
  const uses = byClient(exchanges).flatMap((one) => useOf(recording, one) ?? []);
  if (uses.length === 0) return notSupported(tellsTooLittle);
  const share = mean(uses.map((use) => use.share));
  const says = `${(share * 100).toFixed(1)} % of the quota used by ${uses.length} clients`;
  if (share >= leastShare) return pass(says);
  const shareOfWaits = mean(uses.map((use) => use.shareOfWaits));
  const withoutLatency = `${(shareOfWaits * 100).toFixed(1)} % but for the time requests were under way`;
  if (shareOfWaits >= leastShare) return unproved(`${says}, ${withoutLatency}: use a longer period or a smaller limit`);
  const beyondMs = mean(uses.map((use) => use.beyondMs));
  if (beyondMs <= roundingMs) {
    const isLate = mean(uses.map((use) => use.lateMs)) > beyondMs;
    return invalid(
      `${says}: ${isLate ? 'the client asked again late' : 'waits are told in whole seconds, which a longer period makes small'}`,
    );
  }
  return fail(`${says}, ${withoutLatency}`, exchanges.slice(-2));
}

export const obedient: Matter = {
  stages: [obey],
  checks: [
    {
      id: 'obedient-never-refused',
      clause: 'draft-11 §7',
      title: 'A client that follows only the fields is never refused',
      stages: ['obedient'],
      judge: judgeNeverRefused,
    },
    {
      id: 'obedient-uses-quota',
      clause: 'draft-11 §7',
      title: `A client that follows only the fields uses ${leastShare * 100} % of its quota`,
      stages: ['obedient'],
      judge: judgeUse,
    },
  ],
};
