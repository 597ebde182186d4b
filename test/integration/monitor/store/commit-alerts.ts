import type { Logger } from '#lib/logger.ts';
import { createOutbox } from '#monitor/alerts/outbox.ts';
import { alertId, type Alert } from '#monitor/model/alert.ts';
import type { Incident } from '#monitor/model/incident.ts';
import { createSilences } from '#monitor/quiet/silences.ts';
import { openOrReplaceDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

/**
 * Fires outages through the outbox, asks for silences, takes commands, keeps notes, runs jobs, counts and times answers, and says what
 * of it is on record: something for each table. Run under a trace by its test.
 */
const dir = process.argv[2] as string;
const silent = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;
const { connection } = openOrReplaceDatabase(dir, new Date());
const store = createStore(connection);
const outbox = createOutbox({ store, clock: () => ({ at: Date.now(), clockMs: performance.now() }), logger: silent });
outbox.serve(['slack', 'mail'], 0);
const silences = createSilences({ store, clock: () => ({ at: Date.now(), clockMs: performance.now() }) });

for (let n = 1; n <= 12; n += 1) {
  const incident = outage(n);
  outbox.commit({ health: [], incidents: [incident], alerts: [firing(incident)] });
  if (!outbox.storeFault()) say(`committed ${incident.id}`);
  if (n % 3 === 0) {
    const { begun } = outbox.begin(outbox.pending('slack').slice(0, 1));
    for (const message of begun) {
      outbox.settle(message, { state: 'sent' });
      if (!outbox.storeFault()) say(`sent ${message.alert.incidentId}`);
    }
  }
  if (n % 3 === 1) {
    say(`silenced ${silences.add({ targets: [incident.probe], forMs: 3_600_000, by: 'ann', reason: 'work' }).number}`);
    if (store.takeNonce(`nonce-${n}`, n)) say(`taken nonce-${n}`);
    store.write({
      health: [],
      incidents: [],
      messages: [],
      notes: [{ incidentId: incident.id, at: n, by: 'ann', kind: 'note', isPublic: false, text: `note ${n}` }],
    });
    say(`noted ${incident.id}`);
  }
  if (n % 3 === 2) {
    const taken: Incident = { ...incident, acknowledged: { at: n, by: 'ann' } };
    const { id, probe } = taken;
    const health = [{ probe, verdict: 'down' as const, since: n, checkedAt: n, latencyMs: 1, detail: 'x' }];
    const timeline = [{ at: n, event: 'acknowledged' as const, incidentId: id, by: 'ann', detail: 'x' }];
    outbox.commit({ health, incidents: [taken], alerts: [], timeline, tallies: [{ probe, day: 1, upMs: 1, degradedMs: 0, downMs: 0 }] });
    if (!outbox.storeFault()) say(`acknowledged ${id}`);
    const key = store.jobRuns.begin('restart', n, 'it hangs', 1);
    say(`began ${key}`);
    store.jobRuns.end(key, { at: n, outcome: 'done', detail: 'x' });
    say(`ended ${key}`);
    store.slo.add(probe, { at: n, good: 1, bad: 0 });
    say(`counted ${probe}`);
    store.latencies.add([{ probe, at: n, sketch: { classes: { 1: 1 }, longestMs: 1 } }]);
    say(`timed ${probe}`);
    store.beats.write({ probe, awaitedAt: n, doneAt: n, startedAt: undefined, failedAt: undefined, exitCode: undefined });
    say(`heard ${probe}`);
  }
  // What a daemon meets once in thousands of writes, and what moves pages from the log into the file.
  if (n % 4 === 0) connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}
store.close();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function outage(n: number): Incident {
  const times = { startedAt: n, detectedAt: n, firedAt: n, lastToldAt: n };
  return {
    id: `api-${n}`,
    kind: 'flapping',
    probe: `api-${n}`,
    ...times,
    detail: 'x'.repeat(500),
    reminders: 0,
    suppressedBy: undefined,
    endedAt: undefined,
  };
}

function firing({ id, probe, detail, startedAt }: Incident): Alert {
  const time = new Date(startedAt).toISOString();
  return { id: alertId(id, 'firing'), event: 'firing', incidentId: id, probe, detail, startedAt: time, decidedAt: time, dependents: [] };
}
