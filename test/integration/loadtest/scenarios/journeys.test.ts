import { createServer } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { judge, type Judgement } from '#loadtest/judge/verdict.ts';
import { createMeasurementFile, readMeasurement } from '#loadtest/measurement/measurement-file.ts';
import { showWitness } from '#loadtest/measurement/witness.ts';
import { journeysPlan } from '#loadtest/plans/journeys.ts';
import { planOf } from '#loadtest/plans/plans.ts';
import { planReport } from '#loadtest/report/plan-report.ts';
import { sayReport, writeReport } from '#loadtest/report/run-report.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import { readJourneys } from '#loadtest/scenarios/journeys/read-journeys.ts';
import { openGivenTarget } from '#loadtest/targets/open-target.ts';
import { listen } from '#test/support/listen.ts';

vi.setConfig({ testTimeout: 60_000 });

const token = 'tkn-5f2c9';

/** What the library answers, and how long it takes; anything left out is right and at once. */
type Flaw = { readonly title?: string; readonly status?: number; readonly delayMs?: number };

/** A library that lends books to those who have a token: nothing it knows of this project. */
async function startLibrary(flaw: (path: string, number: number) => Flaw = () => ({})): Promise<string> {
  const titles = new Map([
    ['1', 'Ulysses'],
    ['2', 'Emma'],
  ]);
  let count = 0;
  let loans = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const { title, status, delayMs = 0 } = flaw(path, (count += 1));
      const id = /^\/v1\/books\/(\d+)$/.exec(path)?.[1] ?? '';
      const book = { id: Number(id), title: title ?? titles.get(id) };
      const asked = chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as { book: unknown; by: unknown }) : undefined;
      const found = path.startsWith('/v1/books?') ? { items: [{ id: 1 }, { id: 2 }] } : asked ? { loan: (loans += 1), ...asked } : book;
      const isAllowed = request.headers.authorization === `Bearer ${token}`;
      const right = !isAllowed ? 401 : asked ? 201 : 200;
      setTimeout(() => {
        response.writeHead(status ?? right, { 'content-type': 'application/json', etag: '"1"' });
        response.end(JSON.stringify(isAllowed ? found : { refused: request.headers.authorization }));
      }, delayMs);
    });
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

/** Speed is not what most of these tests are about: a busy machine is given all the time it may need. */
const file = `
base: /v1
headers: { authorization: 'Bearer \${LIBRARY_TOKEN}' }
feeders:
  readers: readers.csv
  books:
    - { book: 1, title: Ulysses }
    - { book: 2, title: Emma }
journeys:
  read:
    weight: 3
    feed: books
    steps:
      - request: GET /books
        query: { q: '{{title}}' }
        expect: { json: { /items/0/id: { type: integer } } }
        capture: { first: /items/0/id }
      - request: GET /books/{{book}}
        expect:
          status: 200
          within: 3s
          json: { /title: '{{title}}', /id: '{{book}}' }
          headers: { etag: { matches: '^"' } }
  borrow:
    feed: readers
    steps:
      - request: POST /loans
        body: { book: 1, by: '{{name}}' }
        expect: { status: 201, json: { /by: '{{name}}', /book: 1, /loan: { type: integer } } }
load: { users: 8, think: 50ms-150ms, duration: 3s, warmUp: 1s }
limits: { p95: 4s, p99: 5s, errors: 2% }
slo: { good: 98%, within: 5s }
`.replace('readers: readers.csv', 'readers: { file: readers.csv, order: random }');

type Played = { readonly judgement: Judgement; readonly says: string; readonly dir: string; readonly due: number | undefined };

async function play(origin: string, text = file): Promise<Played> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-journeys-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'readers.csv'), 'name,card\n"Bloom, Molly",1\nDedalus,2\n');
  await writeFile(join(dir, 'journeys.yaml'), text);
  const plan = journeysPlan(await readJourneys(join(dir, 'journeys.yaml'), { LIBRARY_TOKEN: token }));
  const target = await openGivenTarget(origin, {}, false);
  const out = createMeasurementFile(dir);
  const changes = { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 7, mix: [] };
  await runPlan(plan, changes, target, { write: out.write, onStep: () => {}, onSecond: () => {}, signal: AbortSignal.timeout(60_000) });
  out.close();
  const measurement = await readMeasurement(dir);
  const judgement = judge(measurement, planOf(measurement.plan)?.judges ?? []);
  const run = await planReport({ measurement, judgement, highlights: [] });
  return { judgement, says: sayReport(run, await writeReport(run, dir)), dir, due: measurement.phases[0]?.arrivals?.due };
}

const brokenOf = ({ checks }: Judgement): string[] =>
  checks.filter(({ outcome, kind }) => outcome === 'broken' && kind !== 'innocence').map(({ id }) => id);

const witnessOf = ({ checks }: Judgement, id: string): string =>
  checks.find((check) => check.id === id)?.witnesses?.map(showWitness)[0] ?? '';

test('passes a right server that knows nothing of this project, and says what could not be looked at', async () => {
  // A pause of which a late client is but a small part.
  const calm = file.replace('users: 8, think: 50ms-150ms', 'users: 40, think: 1s-2s');
  const { judgement } = await play(await startLibrary(), calm);
  // INVALID where other tests leave this machine no time to tell.
  expect(judgement.verdict).toMatch(/^(PASS|INVALID)$/);
  expect(brokenOf(judgement)).toEqual([]);
  expect(judgement.figures.endpoints.map(({ endpoint }) => endpoint).toSorted()).toEqual(['GET /books', 'GET /books/:book', 'POST /loans']);
  expect(judgement.figures.counts.sent).toBeGreaterThan(50);
  const unseen = judgement.checks.filter(({ outcome }) => outcome === 'not-checked').map(({ id }) => id);
  expect(unseen).toEqual(expect.arrayContaining(['connections-returned', 'transactions-closed', 'server-count', 'server-agreement']));
});

test('fails wrong content, in one of four answers about one book, and names where it stood', async () => {
  const { judgement } = await play(
    await startLibrary((path, number) => (path === '/v1/books/2' && number % 20 < 5 ? { title: 'Emmy' } : {})),
  );
  expect(judgement.verdict).toBe('FAIL');
  expect(brokenOf(judgement)).toEqual(expect.arrayContaining(['answer-json']));
  expect(witnessOf(judgement, 'answer-json')).toMatch(
    /^path \/v1\/books\/2 · \/title is "Emmy", not "Emma" · GET \/books\/:book, second \d+, status 200/,
  );
});

test('fails a wrong status', async () => {
  const { judgement } = await play(await startLibrary((path, number) => (path === '/v1/loans' && number % 9 === 0 ? { status: 200 } : {})));
  expect(judgement.verdict).toBe('FAIL');
  expect(witnessOf(judgement, 'answer-status')).toMatch(/200 instead of 201 · POST \/loans/);
});

test('finds the one answer that takes longer than its step allows', async () => {
  let isOver = false;
  const flaw = (path: string, number: number): Flaw => {
    if (isOver || number < 60 || !path.startsWith('/v1/books/')) return {};
    isOver = true;
    return { delayMs: 6_000 };
  };
  const { judgement } = await play(await startLibrary(flaw));
  const longest = judgement.checks.find(({ id }) => id === 'longest-answer');
  // Excused where other tests leave this machine so little that they may have made it.
  expect(longest?.outcome).toMatch(/^(broken|excused)$/);
  expect(longest?.measured).toContain('GET /books/:book');
});

test('shows a secret nowhere, not even where a server sends it back', async () => {
  const { judgement, says, dir } = await play(await startLibrary(), file.replace("'Bearer ", "'Barer "));
  expect(judgement.verdict).toBe('FAIL');
  expect(witnessOf(judgement, 'answer-status')).toMatch(/401 instead of 2xx.*Barer \(hidden\)/);
  const written = await Promise.all(
    ['measurement.jsonl', 'report.html', 'report.json', 'junit.xml', 'summary.md'].map((name) => readFile(join(dir, name), 'utf8')),
  );
  for (const text of [says, ...written]) expect(text).not.toContain(token);
});

test('sends at rates, stage after stage, whatever the answers', async () => {
  const open = file.replace(/load: .*/, 'load: { rates: [{ rate: 30, for: 2s }, { rate: 30-90, for: 2s }], spacing: even, warmUp: 1s }');
  const { judgement, due } = await play(await startLibrary(), open);
  expect(judgement.verdict).not.toBe('FAIL');
  expect(judgement.checks.find(({ id }) => id === 'conservation')?.outcome).toBe('met');
  expect(due).toBe(30 + 60 + 120);
});
