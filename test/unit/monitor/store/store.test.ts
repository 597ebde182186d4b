import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Alert } from '#monitor/model/alert.ts';
import type { Incident } from '#monitor/model/incident.ts';
import { openDatabase, openForReading, openOrReplaceDatabase, storeFileName, StoreError } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { schemaSteps } from '#monitor/store/schema.ts';
import type { MonitorStore, StoreChanges, StoredMessage } from '#monitor/store/store.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const now = new Date('2026-11-24T02:00:00Z');

function memoryStore(): MonitorStore {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  return store;
}

const incident = (id: string, changes: Partial<Incident> = {}): Incident => ({
  id,
  kind: 'down',
  probe: 'api',
  startedAt: 1,
  detectedAt: 2,
  detail: 'refused',
  firedAt: 3,
  reminders: 0,
  lastToldAt: 3,
  suppressedBy: undefined,
  endedAt: undefined,
  ...changes,
});

const alert = (id: string, decidedAt = 5): Alert => ({
  id,
  event: 'firing',
  incidentId: 'i',
  probe: 'api',
  detail: 'refused',
  startedAt: new Date(1).toISOString(),
  decidedAt: new Date(decidedAt).toISOString(),
  dependents: [],
});

const message = (id: string, changes: Partial<StoredMessage> = {}): StoredMessage => ({
  channel: 'slack',
  alert: alert(id),
  state: 'pending',
  attempts: 0,
  refusals: 0,
  isUncertain: false,
  lastError: undefined,
  settledAt: undefined,
  ...changes,
});

const health = { probe: 'api', verdict: 'down', since: 1, checkedAt: 2, latencyMs: 1.5, detail: 'refused' } as const;
const changes = (some: Partial<StoreChanges>): StoreChanges => ({ health: [], incidents: [], messages: [], ...some });

describe('the store', () => {
  test('gives back what was written', () => {
    const store = memoryStore();
    store.write(changes({ health: [health], incidents: [incident('a')], messages: [message('a.firing.1')] }));
    expect(store.loadHealth()).toEqual([health]);
    expect(store.openIncidents()).toEqual([incident('a')]);
    expect(store.pendingMessages()).toEqual([message('a.firing.1')]);
  });

  test('commits nothing of what cannot be committed whole', () => {
    const store = memoryStore();
    store.write(changes({ incidents: [incident('a')] }));
    // A second open incident of the same target and kind breaks the rule that there is one.
    const broken = changes({ health: [health], incidents: [incident('b')], messages: [message('b.firing.1')] });
    expect(() => store.write(broken)).toThrow(StoreError);
    expect(store.loadHealth()).toEqual([]);
    expect(store.openIncidents()).toEqual([incident('a')]);
    store.write(changes({ incidents: [incident('a', { endedAt: 9 }), incident('c', { kind: 'unknown' })] }));
    expect(store.openIncidents().map(({ id }) => id)).toEqual(['c']);
  });

  test('counts on with an incident how often its target came and went', () => {
    const store = memoryStore();
    for (const turns of [3, 5]) store.write(changes({ incidents: [incident('a', { kind: 'flapping', turns })] }));
    expect(store.openIncidents()).toMatchObject([{ id: 'a', turns: 5 }]);
  });

  test('knows that an id is taken by an incident, and by a message that has none, and says no where it cannot tell', () => {
    const store = createStore(openDatabase(':memory:'));
    store.write(changes({ incidents: [incident('api-1')], messages: [message('db-1.notice.1')] }));
    expect(['api-1', 'db-1', 'api', 'db', 'db-1.notice', 'db-10'].map(store.isTaken)).toEqual([true, true, false, false, true, false]);
    store.close();
    expect(store.isTaken('api-1')).toBe(false);
  });

  test('says when the last outage of each target ended, and of nothing else', () => {
    const store = memoryStore();
    const ended = [incident('a', { endedAt: 9 }), incident('b', { endedAt: 7 }), incident('c', { kind: 'unknown', endedAt: 12 })];
    store.write(changes({ incidents: [...ended, incident('d', { probe: 'shop' })] }));
    expect([...store.lastOutageEnds()]).toEqual([['api', 9]]);
  });

  test('keeps each message in the place in which it was queued, and never takes one back for an untried copy', () => {
    const store = memoryStore();
    store.write(changes({ messages: [message('a'), message('b'), message('c')] }));
    store.write(changes({ messages: [message('a', { attempts: 1, isUncertain: true }), message('b', { attempts: 1, state: 'sent' })] }));
    store.write(changes({ messages: [message('b')] }));
    expect(store.pendingMessages().map(({ alert: { id }, attempts }) => [id, attempts])).toEqual([
      ['a', 1],
      ['c', 0],
    ]);
  });

  test('counts what a channel was refused lately and knows when it last accepted something', () => {
    const store = memoryStore();
    const settled = [
      message('a', { attempts: 1, state: 'failed', settledAt: 10 }),
      message('b', { attempts: 1, state: 'failed', settledAt: 90 }),
      message('c', { attempts: 1, state: 'sent', settledAt: 50 }),
    ];
    store.write(changes({ messages: settled }));
    expect(store.channelTotals('slack', 80)).toEqual({ failed: 1, lastSentAt: 50 });
    expect(store.channelTotals('email', 80)).toEqual({ failed: 0, lastSentAt: undefined });
    expect(store.failedMessages(0).map(({ alert: { id } }) => id)).toEqual(['a', 'b']);
    expect(store.failedMessages(6)).toEqual([]);
  });

  test('says that it cannot be read when that is so', () => {
    const store = createStore(openDatabase(':memory:'));
    store.close();
    for (const read of [store.pendingMessages, () => store.failedMessages(0), () => store.channelTotals('slack', 0)]) {
      expect(read).toThrow("the monitor's store cannot be read");
    }
  });

  test('forgets what ended before the moment given, and nothing younger', () => {
    const store = memoryStore();
    const key = store.jobRuns.begin('backup', 10, 'first');
    store.jobRuns.end(key, { at: 11, outcome: 'done', detail: '' });
    store.jobRuns.begin('backup', 2_000, 'scheduled');
    store.write(
      changes({
        incidents: [incident('old', { endedAt: 10 }), incident('young', { startedAt: 1_900, endedAt: 2_000 }), incident('open')],
        messages: [
          message('old', { attempts: 1, state: 'sent', settledAt: 10 }),
          message('young', { attempts: 1, state: 'failed', settledAt: 2_000 }),
          message('waiting'),
        ],
      }),
    );
    store.expire(1_000);
    expect(store.recentIncidents(10).map(({ id }) => id)).toEqual(['young', 'open']);
    expect(store.pendingMessages().map(({ alert: { id } }) => id)).toEqual(['waiting']);
    expect(store.failedMessages(0).map(({ alert: { id } }) => id)).toEqual(['young']);
    expect(store.jobRuns.recent('backup', 10).map(({ startedAt }) => startedAt)).toEqual([2_000]);
  });

  test('prepares a statement once however often it runs, and keeps a bounded number of them', () => {
    const connection = openDatabase(':memory:');
    const store = createStore(connection);
    onTestFinished(() => store.close());
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
    onTestFinished(() => prepare.mockRestore());
    for (const checkedAt of [1, 2, 3]) {
      store.write(changes({ health: [{ ...health, checkedAt }] }));
      expect(store.loadHealth()).toEqual([{ ...health, checkedAt }]);
      expect(store.notesOf(Array.from({ length: checkedAt }, String))).toEqual([]);
    }
    expect(prepare).toHaveBeenCalledTimes(3);
    const first = connection.prepare('SELECT 0');
    expect(connection.prepare('SELECT 0')).toBe(first);
    for (let other = 1; other <= 100; other += 1) connection.prepare(`SELECT ${other}`);
    expect(connection.prepare('SELECT 0')).not.toBe(first);
  });

  test('syncs every commit to the disk, in a file only its owner may read', async () => {
    const dir = await temporaryFolder();
    const { connection } = openOrReplaceDatabase(join(dir, 'data'), now);
    onTestFinished(() => connection.close());
    // FULL is 2. With less, a power cut may take back what people were already told.
    expect(connection.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(connection.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(statSync(join(dir, 'data')).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'data', storeFileName)).mode & 0o777).toBe(0o600);
  });

  test('that is damaged is set aside, and a new one begun', async () => {
    const dir = await temporaryFolder();
    writeFileSync(join(dir, storeFileName), 'this is no database. '.repeat(500));
    const { connection, setAside } = openOrReplaceDatabase(dir, now);
    onTestFinished(() => connection.close());
    expect(setAside).toBe(join(dir, 'monitor.db.damaged-20261124T020000Z'));
    expect(createStore(connection).recentIncidents(1)).toEqual([]);
  });

  test('of a newer version is refused', async () => {
    const dir = await temporaryFolder();
    const { connection } = openOrReplaceDatabase(dir, now);
    connection.exec('PRAGMA user_version = 999');
    connection.close();
    expect(() => openDatabase(join(dir, storeFileName))).toThrow('written by a newer version');
  });

  test('of the first version is brought to the present one, with its messages as they were', async () => {
    const file = join(await temporaryFolder(), storeFileName);
    const first = openDatabase(':memory:');
    first.close();
    const old = new DatabaseSync(file);
    old.exec(`${schemaSteps[0]}; PRAGMA user_version = 1`);
    old.exec("INSERT INTO incidents (id, probe, started_at, detected_at, detail, fired_at) VALUES ('a', 'api', 1, 2, 'refused', 3)");
    const insert = old.prepare(
      'INSERT INTO outbox (channel, alert_id, alert, decided_at, attempts, is_under_way, next_attempt_at, sent_at, failed_at) VALUES (?, ?, ?, 5, 1, ?, 5, ?, ?)',
    );
    for (const [id, underWay, sentAt, failedAt] of [
      ['sent', 0, 7, null],
      ['failed', 0, null, 8],
      ['cut-off', 1, null, null],
    ] as const) {
      insert.run('slack', id, JSON.stringify(alert(id)), underWay, sentAt, failedAt);
    }
    old.close();
    const store = createStore(openDatabase(file));
    onTestFinished(() => store.close());
    expect(store.openIncidents()).toEqual([incident('a')]);
    expect(store.pendingMessages()).toEqual([message('cut-off', { attempts: 1, isUncertain: true })]);
    expect(store.failedMessages(0).map(({ alert: { id } }) => id)).toEqual(['failed']);
    expect(store.channelTotals('slack', 0).lastSentAt).toBe(7);
  });
});

describe('a store opened for reading', () => {
  test.each([
    ['older', 1, `an older version (schema 1, here ${schemaSteps.length})`],
    ['newer', 99, `a newer version (schema 99, here ${schemaSteps.length})`],
  ])('of an %s version is read as far as possible, said in one line, and left as it is', async (_kind, version, said) => {
    const file = join(await temporaryFolder(), storeFileName);
    const other = new DatabaseSync(file);
    other.exec(`PRAGMA journal_mode = WAL; ${schemaSteps.slice(0, version).join(';')}; PRAGMA user_version = ${version}`);
    other.exec("INSERT INTO incidents (id, probe, started_at, detected_at, detail, fired_at) VALUES ('a', 'api', 1, 2, 'refused', 3)");
    onTestFinished(() => other.close());
    const { connection, note } = openForReading(file);
    const store = createStore(connection);
    expect(note).toContain(said);
    expect(store.recentIncidents(5)).toEqual([incident('a')]);
    expect(() => store.write(changes({ health: [health] }))).toThrow(StoreError);
    store.close();
    expect(other.prepare('PRAGMA user_version').get()).toEqual({ user_version: version });
  });
});
