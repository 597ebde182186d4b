import { byClient, isAllowed, isTimed, medianMs, ofStage, tookMs, type Exchange, type Recording } from '../exchange.ts';
import {
  askAtOnce,
  askInTurn,
  fail,
  invalid,
  unproved,
  pass,
  type Check,
  type Finding,
  type Matter,
  type Player,
  type Stage,
  type Store,
} from '../matter.ts';
import { countOf } from '../windows.ts';

/** How much longer than before an answer may take while the store is silent. */
const silenceMs = 100;
const recoverMs = 5_000;
/** Requests at once from each of some clients while the store does not answer. */
const witnesses = 3;

const needsStore: NonNullable<Stage['isPrevented']> = ({ store }) =>
  store === undefined ? 'only a store that was started for the test may be stopped' : undefined;

/** What is asked while the store does not answer: some in turn, to be timed, as long as there are answers; some at once. */
async function askWithout({ client, each, declared: { limit } }: Player): Promise<void> {
  const waiting = await client();
  for (let asked = 0; asked < timedCount(limit); asked += 1) {
    const { answer } = await waiting.ask({ note: 'in turn' });
    if (answer === undefined) break;
  }
  await each(Array.from({ length: witnesses }), async () => void (await askAtOnce(await client(), 2 * limit, { note: 'at once' })));
}

/** The same before the store goes away and while it is away. */
const away = (name: string, leave: (store: Store) => unknown, comeBack: (store: Store) => unknown): Stage => ({
  name,
  clients: 4,
  isAlone: true,
  isPrevented: needsStore,
  play: async (player) => {
    const { store } = player.means;
    if (store === undefined) return;
    await askInTurn(await player.client(), timedCount(player.declared.limit), { note: 'before' });
    await leave(store);
    try {
      await askWithout(player);
    } finally {
      await comeBack(store);
    }
  },
});

const frozen = away(
  'store-frozen',
  (store_) => store_.freeze(),
  (store_) => store_.thaw(),
);
const killed = away(
  'store-killed',
  (store_) => store_.kill(),
  (store_) => store_.restart(),
);

/** Requests in turn that are timed. */
const timedCount = (limit: number): number => Math.min(limit, 10);

/** After the store is back: a while for the target to notice, then exactness as before. */
const recovered: Stage = {
  name: 'store-back',
  clients: 3,
  isAlone: true,
  isPrevented: needsStore,
  play: async ({ client, now, waitUntil, declared: { limit } }) => {
    await (await client()).ask({ note: 'settling' });
    await waitUntil(now() + recoverMs);
    for (let trial = 0; trial < 2; trial += 1) await askAtOnce(await client(), 2 * limit, { note: 'at once' });
  },
};

const judgeAnswers =
  (stage: string) =>
  (recording: Recording): Finding => {
    const asked = ofStage(recording, stage).filter(({ note }) => note !== 'before');
    const bad = asked.filter(({ answer }) => answer === undefined || answer.status >= 500);
    const [first] = bad;
    if (first) return fail(`${bad.length} of ${asked.length} ended in ${first.answer?.status ?? first.failure?.kind}`, bad);
    return pass(`${asked.length} answered, none with a 5xx`);
  };

const judgePrompt =
  (stage: string) =>
  (recording: Recording): Finding => {
    const timed = ofStage(recording, stage).filter(isTimed);
    const [before, during] = ['before', 'in turn'].map((note) => timed.filter((one) => one.note === note)) as [Exchange[], Exchange[]];
    const worst = during.toSorted((a, b) => tookMs(b) - tookMs(a));
    const [slowest] = worst;
    if (before.length === 0 || slowest === undefined) return unproved('the client was late all the time');
    const usualMs = medianMs(before);
    const says = `${medianMs(during).toFixed(0)} ms in the middle and ${tookMs(slowest).toFixed(0)} ms at most, ${usualMs.toFixed(0)} ms before`;
    if (medianMs(during) > usualMs + silenceMs) return fail(says, worst);
    // A single slow one may be the machine's; one that waits for the store waits many times longer.
    return tookMs(slowest) > usualMs + 10 * silenceMs ? fail(says, worst.slice(0, 1)) : pass(says);
  };

/** Open (all allowed), closed (none allowed) and local (at least the limit, by each process for itself) are declared modes. */
const judgeMode =
  (stage: string) =>
  (recording: Recording): Finding => {
    const { limit } = recording.declared;
    const clients = byClient(ofStage(recording, stage).filter(({ note }) => note === 'at once'));
    const allowed = clients.map((exchanges) => exchanges.filter((one) => isAllowed(recording, one)).length);
    const says = `allowed: ${allowed.join(', ')} of ${2 * limit} at once, limit ${limit}`;
    if (allowed.length === 0) return invalid('nothing was asked');
    if (allowed.every((count) => count === 2 * limit)) return fail(`${says}: without its store nothing is limited`, clients[0]?.slice(-2));
    if (allowed.every((count) => count < limit))
      return fail(`${says}: without its store nobody gets what is theirs`, clients[0]?.slice(0, 2));
    return pass(`${says}: counted without the store`);
  };

function judgeBack(recording: Recording): Finding {
  const counts = byClient(ofStage(recording, 'store-back').filter(({ note }) => note === 'at once')).map((one) => countOf(recording, one));
  const wrong = counts.find((count) => count.wrong !== undefined)?.wrong;
  if (wrong) return fail(`${recoverMs / 1_000} s after the store was back: ${wrong.says}`, wrong.witnesses);
  return pass(`exact again: ${counts.map(({ allowed }) => allowed).join(', ')}`);
}

const during = (stage: string, what: string): readonly Check[] => [
  {
    id: `${stage}-answers`,
    clause: 'L9',
    title: `While the store ${what}, no request fails`,
    stages: [stage],
    judge: judgeAnswers(stage),
  },
  {
    id: `${stage}-prompt`,
    clause: 'L9',
    title: `While the store ${what}, answers come within ${silenceMs} ms of what they took before`,
    stages: [stage],
    judge: judgePrompt(stage),
  },
  {
    id: `${stage}-limits`,
    clause: 'L9',
    title: `While the store ${what}, requests are still limited, and not refused to all`,
    stages: [stage],
    judge: judgeMode(stage),
  },
];

export const store: Matter = {
  stages: [frozen, killed, recovered],
  checks: [
    ...during('store-frozen', 'is frozen'),
    ...during('store-killed', 'is dead'),
    {
      id: 'store-back-exact',
      clause: 'L9',
      title: `${recoverMs / 1_000} s after the store is back the limit is exact again`,
      stages: ['store-back'],
      judge: judgeBack,
    },
  ],
};
