import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '#test/support/listen.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import type { Moment } from '#monitor/model/look.ts';
import { createLoadTestSight } from '#monitor/slo/load-test-sight.ts';
import { sloProbe } from '#monitor/slo/slo-probe.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { say } from '#monitor/words/say.ts';
import { planFor, startMonitor, statusOf } from '../run-monitor.ts';
import { startWatchedApi } from '../watched-api.ts';

const token = 'a token of sixteen characters';

/** An admin listener whose counters are turned by hand. */
async function startMetrics() {
  const counts = { good: 1_000, bad: 0 };
  const name = 'atalaya_http_request_duration_seconds_count{method="GET",route="/api/v1/products"';
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) response.writeHead(401).end();
    else response.end(`${name},status="200",worker="1"} ${counts.good}\n${name},status="500",worker="1"} ${counts.bad}\n`);
  });
  const port = await listen(server);
  onTestFinished(() => server.closeAllConnections());
  return { counts, url: new URL(`http://127.0.0.1:${port}/metrics`) };
}

test('an objective counts what real metrics show, fails while the budget burns, and says how much of it is left', async () => {
  const { counts, url } = await startMetrics();
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  let now: Moment = { at: Date.parse('2026-11-26T05:00:00Z'), clockMs: 0 };
  const slo = { name: 'availability', objective: 0.999, sources: [url], slowerThanSeconds: undefined };
  const deps = { ledger: store.slo, loadTests: createLoadTestSight(), clock: () => now, token };
  const marks = new Map();
  const look = (probe = sloProbe(slo, { ...deps, marks })) => probe(new AbortController().signal);
  const pass = (good: number, bad: number): void => {
    now = { at: now.at + 60_000, clockMs: now.clockMs + 60_000 };
    counts.good += good;
    counts.bad += bad;
  };
  // What was answered before the monitor looked is nobody's budget.
  expect(await look()).toMatchObject({
    outcome: 'ok',
    facts: [['Error budget', { code: 'budgetLeft', leftShare: 1, ofMs: 30 * 86_400_000 }], expect.anything()],
  });
  pass(500, 0);
  expect((await look()).outcome).toBe('ok');
  pass(400, 100);
  const burning = await look();
  expect(burning).toMatchObject({
    outcome: 'failed',
    detail: expect.stringMatching(/^100 of 1000 answers were bad in 15 m: .* burns 100\.0 times as fast/),
  });
  expect(say(burning.facts?.[0]?.[1] ?? '', 'en')).toBe('used up, 9900.0 % beyond of 30 d');
  // A reload makes another probe over the same marks and the same ledger.
  pass(500, 0);
  expect(say((await look()).facts?.[1]?.[1] ?? '', 'en')).toBe('100 of 1500 bad; 0.10 % may be');
  await expect(look(sloProbe(slo, { ...deps, marks, token: 'another' }))).rejects.toThrow('answers HTTP 401');
});

test('an objective of the file is a target like any other', { timeout: 90_000 }, async () => {
  const [{ url }, slack, api, dir] = await Promise.all([startMetrics(), startSlackRecorder(), startWatchedApi(), temporaryFolder()]);
  onTestFinished(async () => void (await Promise.all([slack.close(), api.kill()])));
  const objectives = [{ name: 'availability', objective: '99.9%', metrics: [url.href], dependsOn: ['api'] }];
  const monitor = await startMonitor(
    planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url, METRICS_TOKEN: token }, { objectives }),
  );
  onTestFinished(() => monitor.kill());
  const view = await monitor.untilStatus((seen) => statusOf(seen, 'availability') === 'up');
  expect(view.targets.find(({ name }) => name === 'availability')).toMatchObject({ kind: 'objective', depends_on: ['api'] });
});
