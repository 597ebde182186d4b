import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import type { Alert } from '#monitor/model/alert.ts';
import type { Moment } from '#monitor/model/look.ts';
import { createLoadTestSight } from '#monitor/slo/load-test-sight.ts';
import { sloProbe } from '#monitor/slo/slo-probe.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { adminToken, call, loadtestKey, operatorKey, startApi } from '#test/support/api-process.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';

const minuteMs = 60_000;

/** A real API that fails where it is asked to, an objective over its own metrics, and a clock that is turned by hand. */
async function startWatchedShop() {
  const { settings, drop } = await createMigratedDatabase();
  onTestFinished(drop);
  const client = new Client(clientOptions(settings, 'atalaya-test'));
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`CREATE FUNCTION hurt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
    CREATE TRIGGER hurt BEFORE INSERT ON categories FOR EACH ROW EXECUTE FUNCTION hurt();
    CREATE TRIGGER hurt BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION hurt()`);
  const api = await startApi(settings, { API_WORKERS: '1' });
  onTestFinished(async () => void (await api.stop()));
  await api.ready();
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const loadTests = createLoadTestSight();
  let now: Moment = { at: Date.parse('2026-11-26T03:00:00Z'), clockMs: 0 };
  const sources = [new URL('/metrics', api.adminUrl)];
  const fail = async (): Promise<void> => {
    const { status } = await call(`${api.url}/api/v1/categories`, { headers: { 'x-api-key': operatorKey }, body: { name: 'any' } });
    expect(status).toBe(500);
  };
  const failLoadTest = async (): Promise<void> => {
    const body = { name: 'Ana', lastname: 'Vega', email: 'ana@shop.example', password: 'a password of twenty' };
    const { status } = await call(`${api.url}/api/v1/clients`, { headers: { 'x-api-key': loadtestKey }, body });
    expect(status).toBe(500);
  };
  const serve = async (): Promise<void> => {
    expect((await call(`${api.url}/api/v1/products`)).status).toBe(200);
  };
  // A worker that has answered nobody shows no counters yet, and counts from its first answer on.
  await serve();
  return {
    fail,
    failLoadTest,
    serve,
    loadTests,
    now: () => now,
    /** Begins to count anew. @returns a look a minute later */
    watch: async (name: string) => {
      const slo = { name, objective: 0.999, sources, slowerThanSeconds: undefined };
      const probe = sloProbe(slo, { ledger: store.slo, marks: new Map(), loadTests, clock: () => now, token: adminToken });
      await probe(new AbortController().signal);
      return async () => {
        now = { at: now.at + minuteMs, clockMs: now.clockMs + minuteMs };
        return probe(new AbortController().signal);
      };
    },
  };
}

test(
  'an objective over a real API wakes nobody for one error among few requests, and somebody within a quarter of an hour where nine of ten fail',
  { timeout: 60_000 },
  async () => {
    const shop = await startWatchedShop();
    const calm = await shop.watch('calm');
    for (let n = 0; n < 28; n += 1) await shop.serve();
    await shop.fail();
    for (let minutes = 0; minutes < 20; minutes += 1) {
      const { outcome, facts } = await calm();
      expect(outcome).toBe('ok');
      expect(facts).toContainEqual(['Answers', expect.objectContaining({ bad: 1, all: 29 })]);
    }
    // One request every two minutes, of ten of which only the first is served.
    const broken = await shop.watch('broken');
    let page: number | undefined;
    for (let minutes = 1; minutes <= 15 && page === undefined; minutes += 1) {
      if (minutes % 2 === 0) await (minutes === 2 ? shop.serve() : shop.fail());
      if ((await broken()).outcome === 'failed') page = minutes;
    }
    expect(page).toBeLessThanOrEqual(15);
  },
);

test('an objective over a real API counts nothing that a load test is answered, and says that one runs', { timeout: 60_000 }, async () => {
  const shop = await startWatchedShop();
  const look = await shop.watch('availability');
  for (let n = 0; n < 20; n += 1) await shop.failLoadTest();
  expect(await look()).toMatchObject({ outcome: 'ok', facts: [expect.anything(), ['Answers', { bad: 0, all: 0 }]] });
  const alert = { id: 'a', event: 'firing', incidentId: 'a', probe: 'api', detail: '', startedAt: '', decidedAt: '', dependents: [] };
  expect(shop.loadTests.mention(alert as Alert, shop.now()).facts).toEqual([['Load test', { code: 'loadTestSeen', answers: 20 }]]);
});
