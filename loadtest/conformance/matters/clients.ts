import { byClient, isRefused, ofStage, type Recording } from '../exchange.ts';
import {
  askAtOnce,
  fail,
  invalid,
  lacking,
  unproved,
  pass,
  type Check,
  type Client,
  type Finding,
  type Matter,
  type Stage,
} from '../matter.ts';
import { earlyRefusal, isWithinPeriod } from '../windows.ts';

const tookTooLong = 'what was asked took longer than a period';
const goodClients = 5;
/** What good clients use, and how many times faster than the limit the abuser asks. */
const goodShare = 0.8;
const abuse = 5;

/** One client who asks far too often beside some who never ask too often. */
const crowd: Stage = {
  name: 'crowd',
  clients: goodClients + 1,
  play: async ({ client, now, waitUntil, declared: { limit, periodMs } }) => {
    const abuser = await client();
    const good: Client[] = [];
    while (good.length < goodClients) good.push(await client());
    const startedMs = now();
    const paced = async (one: Client, share: number, note: string): Promise<void> => {
      const everyMs = periodMs / (limit * share);
      for (let sent = 0; sent * everyMs < 1.2 * periodMs; sent += 1) {
        await waitUntil(startedMs + sent * everyMs);
        await one.ask({ note });
      }
    };
    await Promise.all([paced(abuser, abuse, 'abuser'), ...good.map((one) => paced(one, goodShare, 'good'))]);
  },
};

/** One client uses its limit up, another one asks from the same address. */
const neighbour: Stage = {
  name: 'neighbour',
  clients: 2,
  isPrevented: (_, { identity }) => (identity === 'ip' ? 'clients are told apart by their address here' : undefined),
  play: async ({ client, declared: { limit } }) => {
    const [first, second] = [await client(), await client()];
    await askAtOnce(first, limit + 1);
    await second.ask();
  },
};

/** Twice the limit at once from one address, each time with another credential that proves nothing. */
const guesses: Stage = {
  name: 'guesses',
  clients: 1,
  isPrevented: (_, { identity }) => (identity === 'ip' ? undefined : 'clients are not told apart by their address here'),
  play: async ({ client, declared: { limit } }) => {
    const guesser = await client();
    const guess = (_: unknown, index: number) =>
      guesser.ask({ headers: { Authorization: `Bearer guess-${index}` }, note: `guess ${index}` });
    await Promise.all(Array.from({ length: 2 * limit }, guess));
  },
};

function judgeGuesses(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'guesses');
  const refused = exchanges.filter((one) => isRefused(recording, one));
  if (refused.length > 0) return pass(`${refused.length} of ${exchanges.length} guesses refused`);
  if (!isWithinPeriod(recording, exchanges)) return unproved(tookTooLong);
  return lacking(recording, `${exchanges.length} guesses at once and none refused`, exchanges.slice(-2));
}

function judgeIsolation(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'crowd');
  const good = byClient(exchanges.filter(({ note }) => note === 'good'));
  for (const ofClient of good) {
    const early = earlyRefusal(recording, ofClient);
    if (early) return fail('a client far below its limit was refused beside one far above', early.slice(0, 2));
  }
  const refused = good.flat().filter((one) => isRefused(recording, one));
  if (refused.length > 0) return unproved('the client was late, and made up for it faster than the limit allows', refused);
  if (!exchanges.some((one) => one.note === 'abuser' && isRefused(recording, one))) return unproved('the abuser was never refused');
  return pass(`${good.flat().length} requests of ${good.length} good clients, none refused beside an abuser`);
}

function judgeNeighbour(recording: Recording): Finding {
  const exchanges = ofStage(recording, 'neighbour');
  const last = exchanges.at(-1);
  if (last === undefined) return invalid('nothing was asked');
  if (isRefused(recording, last)) return fail('a second client of one address was refused for what the first had used', [last]);
  if (!isWithinPeriod(recording, exchanges)) return unproved(tookTooLong);
  return pass('a second client of the same address has a quota of its own');
}

const checks: readonly Check[] = [
  {
    id: 'clients-isolated',
    clause: 'L7',
    title: 'Beside a client far above its limit nobody below is refused',
    stages: ['crowd'],
    judge: judgeIsolation,
  },
  {
    id: 'clients-share-no-address',
    clause: 'L8',
    title: 'Two clients behind one address have a quota each, where something else tells them apart',
    stages: ['neighbour'],
    judge: judgeNeighbour,
  },
  {
    id: 'guesses-limited',
    clause: 'L8',
    title: 'Whoever guesses credentials is limited by address, however many credentials that are',
    stages: ['guesses'],
    judge: judgeGuesses,
  },
];

export const clients: Matter = { stages: [crowd, neighbour, guesses], checks };
