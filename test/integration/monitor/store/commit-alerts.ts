import type { Logger } from '#lib/logger.ts';
import { createOutbox } from '#monitor/alerts/outbox.ts';
import { alertId, type Alert } from '#monitor/model/alert.ts';
import type { Incident } from '#monitor/model/incident.ts';
import { openOrReplaceDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

/** Fires and ends outages through the outbox and says which are committed and which were sent. Run under a trace by its test. */
const dir = process.argv[2] as string;
const silent = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;
const { connection } = openOrReplaceDatabase(dir, new Date());
const store = createStore(connection);
const outbox = createOutbox({ store, clock: () => ({ at: Date.now(), clockMs: performance.now() }), logger: silent });
outbox.serve(['slack', 'mail'], 0);

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
