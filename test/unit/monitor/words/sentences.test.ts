import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { showDuration, showShare, showTime } from '#lib/show.ts';
import { say, sentences } from '#monitor/words/say.ts';
import { mapTexts, type Blanks, type Code, type Conclusion } from '#monitor/words/sentence.ts';

type WithBlanks = { readonly [C in Code as object extends Blanks<C> ? never : C]: Blanks<C> };

/** Every sentence that has blanks, filled: a sentence that is not here does not pass the type check. */
const fill = (text: string, n: number, is: boolean): WithBlanks => ({
  lockHeld: { application: text, pid: n, state: 'idle', waiting: n + 1, heldMs: n + 2, usesUpPool: is },
  startedBefore: { beforeMs: n },
  poolUsedUp: { most: n, waiting: n + 1 },
  doesNotRun: { who: text },
  hostIsGone: { who: text },
  outOfReach: { who: text },
  hangs: { who: text },
  isUnwell: { who: text, said: 'critical' },
  nameServerSilent: { server: text },
  nameForeign: { host: text },
  nameWithoutAddress: { host: text },
  certificateOver: { end: text },
  certificateEnds: { end: text },
  diskFull: { path: text, isFull: is },
  diskFills: { path: text },
  logErrors: { path: '/logs/error.log', last: text },
  logGrows: { path: text },
  transactionOpen: { application: text, pid: n, isActive: is },
  statementRuns: { application: 'psql', pid: n, statement: text, ageMs: n + 1 },
  statementsSlow: { calls: n, meanMs: n + 1, statement: text },
  backupsUnproven: { forMs: n, areTaken: is },
  nobodyWhile: { others: text },
  usersSlowly: { who: text },
  allUsers: { who: text },
  endSession: { pid: n },
  cancelStatement: { pid: n },
  traceName: { type: 'AAAA', host: 'shop.example', server: text },
  startAnew: { who: text },
  seeDisk: { path: text },
  seeLog: { path: text },
  lookByHand: { target: text },
  lastLooks: { runs: [{ outcome: is ? 'ok' : 'failed', count: n }] },
  poolIs: { inUse: n, most: n + 1, waiting: n + 2 },
  workersAre: { ready: n, replaced: n + 1, busyShare: 0.25 },
  startedAt: { at: n },
  answersNow: { customers: n, bad: n + 1, loadTest: n + 2, inMs: 800 },
  serverErrors: { routes: text },
  metricsUnseen: { hosts: text },
  transactionIs: { application: text, pid: n, ageMs: n + 1, state: 'active', waitsForLock: is, statement: 'SELECT' },
  lockIs: { application: text, pid: n, waiting: n + 1, state: 'idle', heldMs: n + 2 },
  errorsCount: { count: n, dir: text, inMs: n + 1 },
  usedOf: { used: n, most: n + 1 },
  oldOf: { ageMs: n, pid: n + 1 },
  budgetLeft: { leftShare: is ? 0.25 : -0.25, ofMs: n },
  badOf: { bad: n, all: n + 1, mayBeShare: 0.25 },
  loadTestSeen: { answers: n },
  heldBy: { by: text },
  nothingUntil: { steadyMs: n },
  sentFrom: { deployment: text, host: 'tower' },
  toldLate: { began: '2026-11-26', lastedMs: n, detail: text },
  delayed: { byMs: n },
});

/** What begins with a command, or is one, is the same in both languages as far as that goes. */
const onlyCommand: ReadonlySet<string> = new Set(['checkConfig']);

const isIn = (said: string, value: unknown): boolean =>
  typeof value === 'number'
    ? [String(value), showDuration(value), showTime(value), showShare(Math.abs(value))].some((shown) => said.includes(shown))
    : Array.isArray(value)
      ? value.every(({ count }: { readonly count: number }) => said.includes(String(count)))
      : said.includes(String(value));

/** What is wrong with the words of a sentence, one line each. */
function faultsOf(code: Code, blanks: Readonly<Record<string, unknown>>): string[] {
  const conclusion = { code, ...blanks } as Conclusion;
  const [english, spanish] = [say(conclusion, 'en'), say(conclusion, 'es')];
  const leftOut = (['en', 'es'] as const).flatMap((language) =>
    Object.entries(blanks)
      .filter(([name, value]) =>
        typeof value === 'boolean'
          ? say(conclusion, language) === say({ ...conclusion, [name]: !value }, language)
          : !isIn(say(conclusion, language), value),
      )
      .map(([name]) => `${code} leaves out ${name} in ${language}`),
  );
  return [
    ...leftOut,
    ...(english === spanish && !onlyCommand.has(code) ? [`${code} is the same in both languages`] : []),
    ...(/undefined|\[object|NaN/.test(english + spanish) ? [`${code} has an empty place`] : []),
  ];
}

test('every sentence is there in both languages, and neither leaves out what it is about', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[xyz]{4,12}$/), fc.integer({ min: 1, max: 10_000_000 }), fc.boolean(), (text, n, is) => {
      const filled: Partial<Record<Code, object>> = fill(text, n, is);
      expect((Object.keys(sentences) as Code[]).flatMap((code) => faultsOf(code, { ...filled[code] }))).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('a text of before stands as it is in any language, and one of a later version is told by its code', () => {
  expect(say('PostgreSQL hangs.', 'es')).toBe('PostgreSQL hangs.');
  expect(say({ code: 'toString' } as unknown as Conclusion, 'es')).toBe('toString');
});

test('what changes the texts of a sentence, as to hide secrets, leaves its code and its figures', () => {
  const hidden = mapTexts({ code: 'logErrors', path: '/logs', last: 'key=s3cret' }, (text) => text.replace('s3cret', '…'));
  expect(hidden).toEqual({ code: 'logErrors', path: '/logs', last: 'key=…' });
  expect(mapTexts('s3cret', () => '…')).toBe('…');
});
