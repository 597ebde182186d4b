import { isAllowed, ofStage, type Declared, type Exchange, type Recording } from '../exchange.ts';
import { told } from '../fields.ts';
import {
  askInTurn,
  fail,
  unproved,
  notSupported,
  pass,
  type Check,
  type Finding,
  type Matter,
  type Stage,
  type Variation,
} from '../matter.ts';
import { earlyRefusal, isWithinPeriod, overfullWindow } from '../windows.ts';

/** Some requests of another kind, then the declared one until it is refused. */
const afterOthers = (name: string, variation: (declared: Declared, index: number) => Variation): Stage => ({
  name,
  clients: 1,
  isPrevented: (_, { method, sibling: path }) => {
    if (name === 'head' && method !== 'GET') return 'HEAD stands beside GET only';
    return name === 'sibling' && path === undefined
      ? 'no other path is known that counts against this limit and one of its own'
      : undefined;
  },
  play: async ({ client, declared }) => {
    const { limit } = declared;
    const asking = await client();
    for (let index = 0; index < othersOf(limit); index += 1) await asking.ask(variation(declared, index));
    await askInTurn(asking, limit + 1);
  },
});

const othersOf = (limit: number): number => Math.max(1, Math.min(5, Math.floor(limit / 2)));

const missing = '/no-such-path-of-the-rate-limit-check';
const query = (path: string, index: number): string => `${path}${path.includes('?') ? '&' : '?'}variant=${index}`;

type Seen = {
  readonly others: readonly Exchange[];
  readonly asked: readonly Exchange[];
  /** How many of the others were taken off the quota. */
  readonly cost: number;
  readonly isSharp: boolean;
};

function look(recording: Recording, stage: string): Seen {
  const { limit } = recording.declared;
  const all = ofStage(recording, stage);
  const [others, asked] = [all.slice(0, othersOf(limit)), all.slice(othersOf(limit))];
  const cost = limit - asked.filter((one) => isAllowed(recording, one)).length;
  return { others, asked, cost, isSharp: isWithinPeriod(recording, all) };
}

const tooSlow = 'what was asked took longer than a period';

function judgeSame(recording: Recording, stage: string, what: string): Finding {
  const { others, asked, cost, isSharp } = look(recording, stage);
  if (others.some((one) => one.answer?.status === 405 || one.answer?.status === 501)) return notSupported(`${what} is not answered`);
  if (!isSharp) return unproved(tooSlow);
  const over = overfullWindow(
    [...others, ...asked].filter((one) => isAllowed(recording, one)),
    recording.declared.limit,
    recording.declared.periodMs,
  );
  if (over)
    return fail(`${others.length} of ${what} cost ${cost} of the quota: a way around the limit`, [...over.slice(0, 1), ...over.slice(-1)]);
  if (earlyRefusal(recording, [...others, ...asked])) return fail(`${others.length} of ${what} cost ${cost} of the quota`, others);
  return pass(`${others.length} of ${what} cost ${cost}`);
}

/** All of them cost, or none does, and what their answers tell is true. */
function judgeConsistent(recording: Recording, stage: string, what: string): Finding {
  const { others, asked, cost, isSharp } = look(recording, stage);
  if (!isSharp) return unproved(tooSlow);
  if (cost !== 0 && cost !== others.length) return fail(`${others.length} of ${what} cost ${cost} of the quota`, others);
  const left = others.map((one) => told(one.answer, recording.declared)?.remaining);
  const falls = left.some((one, i) => one !== undefined && i > 0 && one < (left[i - 1] ?? one));
  if (cost === 0 && falls)
    return fail(`answers to ${what} tell a quota that falls, and cost nothing of it`, [...others, ...asked.slice(0, 1)]);
  const stays = left.length > 1 && left.every((one) => one !== undefined && one === left[0]);
  if (cost > 0 && stays) return fail(`answers to ${what} tell a quota that stays, and cost of it`, others);
  return pass(cost === 0 ? `${what} costs nothing` : `${others.length} of ${what} cost ${cost}`);
}

const checks: readonly Check[] = [
  {
    id: 'head-as-get',
    clause: 'RFC 9110 §9.3.2',
    title: 'HEAD costs what GET costs',
    stages: ['head'],
    judge: (recording) => judgeSame(recording, 'head', 'HEAD'),
  },
  {
    id: 'query-no-bypass',
    clause: 'L8',
    title: 'Another query is no other quota',
    stages: ['query'],
    judge: (recording) => judgeSame(recording, 'query', 'other queries'),
  },
  {
    id: 'sibling-apart',
    clause: 'L7',
    title: 'A path with a limit of its own besides takes one from each, and no more',
    stages: ['sibling'],
    judge: (recording) => judgeSame(recording, 'sibling', 'a path with another limit besides'),
  },
  {
    id: 'options-consistent',
    clause: 'draft-11 §1.1',
    title: 'OPTIONS costs always or never, and its answers tell the truth of it',
    stages: ['options'],
    judge: (recording) => judgeConsistent(recording, 'options', 'OPTIONS'),
  },
  {
    id: 'not-found-consistent',
    clause: 'draft-11 §1.1, §8.2',
    title: 'Paths that do not exist cost always or never, and their answers tell the truth of it',
    stages: ['missing'],
    judge: (recording) => judgeConsistent(recording, 'missing', 'missing paths'),
  },
];

export const methods: Matter = {
  stages: [
    afterOthers('head', () => ({ method: 'HEAD' })),
    afterOthers('query', ({ path }, index) => ({ path: query(path, index) })),
    afterOthers('sibling', ({ path, sibling }) => ({ path: sibling ?? path })),
    afterOthers('options', () => ({ method: 'OPTIONS' })),
    afterOthers('missing', (_, index) => ({ path: `${missing}-${index}` })),
  ],
  checks,
};
