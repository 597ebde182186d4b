import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BusyError } from '#lib/errors.ts';
import type { Alert } from '#monitor/alerts/alert.ts';
import { openDatabase, openOrReplaceDatabase, storeFileName } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { takeProcessLock } from '#monitor/store/process-lock.ts';
import { StoreError } from '#monitor/store/store-error.ts';
import type { Incident, MonitorStore, TickCommit } from '#monitor/store/store.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const now = new Date('2026-11-24T02:00:00Z');

function memoryStore(channels: readonly string[] = ['slack', 'email']): MonitorStore {
  const store = createStore(openDatabase(':memory:'), channels);
  onTestFinished(() => store.close());
  return store;
}

const incident = (id: string, changes: Partial<Incident> = {}): Incident => ({
  id,
  probe: 'api',
  startedAt: 1,
  detectedAt: 2,
  detail: 'refused',
  firedAt: 3,
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

const tick = (changes: Partial<TickCommit> = {}): TickCommit => ({
  health: { probe: 'api', verdict: 'down', since: 1, checkedAt: 2, latencyMs: 1.5, detail: 'refused' },
  incidents: [],
  alerts: [],
  ...changes,
});

describe('the store', () => {
  test('keeps health, incidents and one message a channel, in one commit', () => {
    const store = memoryStore();
    store.commitTick(tick({ incidents: [incident('a')], alerts: [alert('a.firing')] }));
    expect(store.loadHealth()).toEqual([tick().health]);
    expect(store.openIncidents()).toEqual([incident('a')]);
    expect(store.outbox.next('slack')?.alert).toEqual(alert('a.firing'));
    expect(store.outbox.next('email')?.alert).toEqual(alert('a.firing'));
    expect(store.outbox.next('pager')).toBeUndefined();
  });

  test('commits nothing of a tick that cannot be committed whole', () => {
    const store = memoryStore();
    store.commitTick(tick({ incidents: [incident('a')] }));
    // A second open incident of the same target breaks the rule that there is one.
    const broken = tick({ health: undefined, incidents: [incident('b')], alerts: [alert('b.firing')] });
    expect(() => store.commitTick(broken)).toThrow(StoreError);
    expect(store.openIncidents()).toEqual([incident('a')]);
    expect(store.outbox.next('slack')).toBeUndefined();
    store.commitTick(tick({ incidents: [incident('a', { endedAt: 9 })] }));
    expect(store.openIncidents()).toEqual([]);
  });

  test('forgets what is old, but no message that still has to go out', () => {
    const store = memoryStore(['slack']);
    store.commitTick(tick({ incidents: [incident('a', { endedAt: 10 })], alerts: [alert('a.firing'), alert('a.resolved')] }));
    store.outbox.markSent(store.outbox.next('slack')?.id ?? 0, 10);
    store.expire(1_000);
    expect(store.recentIncidents(10)).toEqual([]);
    expect(store.outbox.backlog('slack', 0)).toMatchObject({ pending: 1 });
    expect(store.outbox.next('slack')?.alert.id).toBe('a.resolved');
  });

  test('that is damaged is set aside, and a new one begun', async () => {
    const dir = await temporaryFolder();
    writeFileSync(join(dir, storeFileName), 'this is no database. '.repeat(500));
    const { connection, setAside } = openOrReplaceDatabase(dir, now);
    onTestFinished(() => void connection.close());
    expect(setAside).toBe(join(dir, 'monitor.db.damaged-20261124T020000Z'));
    expect(createStore(connection, []).recentIncidents(1)).toEqual([]);
  });

  test('of a newer version is refused', async () => {
    const dir = await temporaryFolder();
    const { connection } = openOrReplaceDatabase(dir, now);
    connection.exec('PRAGMA user_version = 999');
    connection.close();
    expect(() => openDatabase(join(dir, storeFileName))).toThrow('written by a newer version');
  });
});

describe('the queue', () => {
  test('hands out the messages of a channel in order, whatever happens to them, until each is sent or given up', () => {
    const event = fc.constantFrom('sent', 'retry', 'failed', 'crash');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (events, count) => {
        const store = createStore(openDatabase(':memory:'), ['slack']);
        const ids = Array.from({ length: count }, (_, index) => `m${index}`);
        store.commitTick(tick({ alerts: ids.map((id) => alert(id)) }));
        const waiting = [...ids];
        let wasCutOff = false;
        for (const [index, what] of events.entries()) {
          const message = store.outbox.next('slack');
          expect(message?.alert.id).toBe(waiting[0]);
          if (!message) break;
          expect(message.wasCutOff).toBe(wasCutOff);
          store.outbox.beginAttempt(message.id);
          if (what === 'retry') store.outbox.markRetry(message.id, 'later', index);
          if (what === 'sent') store.outbox.markSent(message.id, index);
          if (what === 'failed') store.outbox.markFailed(message.id, 'never', index);
          if (what === 'sent' || what === 'failed') waiting.shift();
          wasCutOff = what === 'crash';
        }
        expect(store.outbox.backlog('slack', 0).pending).toBe(waiting.length);
        store.close();
      }),
      { numRuns: 100 },
    );
  });

  test('takes the same alert once', () => {
    const store = memoryStore(['slack']);
    store.commitTick(tick({ alerts: [alert('a.firing')] }));
    store.commitTick(tick({ alerts: [alert('a.firing')] }));
    expect(store.outbox.backlog('slack', 0).pending).toBe(1);
  });

  test('takes back messages that were given up lately', () => {
    const store = memoryStore(['slack']);
    store.commitTick(tick({ alerts: [alert('old', 100), alert('young', 5_000)] }));
    for (const at of [1, 2]) store.outbox.markFailed(store.outbox.next('slack')?.id ?? 0, 'gone', at);
    expect(store.outbox.requeueFailed(1_000)).toBe(1);
    expect(store.outbox.next('slack')?.alert.id).toBe('young');
  });
});

describe('the lock', () => {
  test('lets one monitor at a time use a folder, and names the one that does', async () => {
    const dir = await temporaryFolder();
    const lock = takeProcessLock(dir, now);
    expect(() => takeProcessLock(dir, now)).toThrow(BusyError);
    expect(() => takeProcessLock(dir, now)).toThrow(`process ${process.pid}`);
    lock.release();
    takeProcessLock(dir, now).release();
  });
});
