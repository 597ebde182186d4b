import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { runDuties, type Duty } from '#monitor/daemon/duties/duty.ts';
import { expireHistoryDuty } from '#monitor/daemon/duties/expire-history.ts';
import { holdFolderDuty } from '#monitor/daemon/duties/hold-folder.ts';
import { noticeStandstillDuty } from '#monitor/daemon/duties/notice-standstill.ts';
import { sendHeartbeatDuty } from '#monitor/daemon/duties/send-heartbeat.ts';
import type { SelfReport } from '#monitor/status-page/self-watch.ts';
import type { Incident } from '#monitor/model/incident.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const dayMs = 86_400_000;
const signal = new AbortController().signal;
const at = (clockMs: number) => ({ at: 1_000 * dayMs + clockMs, clockMs });

/** Asks a duty as the tick does. */
async function ask(duty: Duty, clockMs: number): Promise<boolean> {
  if (!duty.isDue(at(clockMs))) return false;
  await duty.run(at(clockMs), signal);
  return true;
}

test('history of 400 days is kept, and older history deleted, once a day', async () => {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const ended = (id: string, daysAgo: number): Incident => ({
    id,
    kind: 'down',
    probe: id,
    startedAt: 1,
    detectedAt: 1,
    detail: '',
    firedAt: 1,
    reminders: 0,
    lastToldAt: 1,
    suppressedBy: undefined,
    endedAt: (1_000 - daysAgo) * dayMs,
  });
  store.write({ health: [], messages: [], incidents: [ended('old', 401), ended('kept', 399), ended('new', 0)] });
  const duty = expireHistoryDuty(store);
  expect(await ask(duty, 0)).toBe(true);
  expect(store.recentIncidents(9).map(({ id }) => id)).toEqual(expect.arrayContaining(['kept', 'new']));
  expect(store.recentIncidents(9)).toHaveLength(2);
  expect(await ask(duty, dayMs - 1)).toBe(false);
  expect(await ask(duty, dayMs)).toBe(true);
});

const createHeartbeat = (status: SelfReport['status'], response = { ok: true, status: 200 }, more: Partial<SelfReport> = {}) => {
  const sent: string[] = [];
  const duty = sendHeartbeatDuty({
    url: 'https://switch.example/secret',
    judgeSelf: () => Promise.resolve({ status, reasons: [], ...more }),
    fetch: (url, { method }) => {
      sent.push(`${method} ${url}`);
      return Promise.resolve(response);
    },
  });
  return { sent, duty };
};

describe('the heartbeat', () => {
  test('goes out once a minute while the monitor works, also when it only warns', async () => {
    const { sent, duty } = createHeartbeat('warning');
    for (const clockMs of [0, 1_000, 59_999, 60_000]) await ask(duty, clockMs);
    expect(sent).toEqual(['POST https://switch.example/secret', 'POST https://switch.example/secret']);
  });

  test('pauses while the monitor does not work as it should', async () => {
    const { sent, duty } = createHeartbeat('failing');
    await ask(duty, 0);
    expect(sent).toEqual([]);
  });

  test('pauses while no channel takes anything, so that whoever waits for it tells people', async () => {
    const { sent, duty } = createHeartbeat('warning', undefined, { unheard: 'slack takes no alerts' });
    await ask(duty, 0);
    expect(sent).toEqual([]);
  });

  test('that is refused is a failed duty, whose error holds no secret', async () => {
    const { duty } = createHeartbeat('ok', { ok: false, status: 404 });
    await expect(ask(duty, 0)).rejects.toThrow('the receiver of heartbeats answers HTTP 404');
  });
});

test('a process that stood still for half a minute tells so, and one whose tick is only late does not', async () => {
  const told: string[] = [];
  const duty = noticeStandstillDuty({ notice: ({ detail }) => void told.push(detail) });
  for (const clockMs of [1_000, 2_000, 31_000]) await ask(duty, clockMs);
  expect(told).toEqual([]);
  await ask(duty, 91_000);
  expect(told).toEqual(['the monitor stood still for 1 m; nobody watched in that time']);
});

test('a folder that is no longer held is told, however the store fares', async () => {
  const lost: unknown[] = [];
  const gone = new Error('removed');
  const lock = {
    assertHeld: () => {
      throw gone;
    },
  };
  await ask(
    holdFolderDuty(lock, (err) => lost.push(err)),
    0,
  );
  expect(lost).toEqual([gone]);
});

const alwaysDue = (name: string, run: Duty['run']): Duty => ({ name, isDue: () => true, run });

test('a duty never overlaps itself, holds up no other, and is asked again after it failed', async () => {
  const stop = new AbortController();
  const done: string[] = [];
  const slow = Promise.withResolvers<void>();
  let tick: (() => void) | undefined;
  const running = runDuties(
    [
      alwaysDue('slow', () => {
        done.push('slow');
        return slow.promise;
      }),
      alwaysDue('failing', () => {
        done.push('failing');
        throw new Error('not now');
      }),
    ],
    { tick: (task) => void (tick = task), clock: () => at(0), logger },
    stop.signal,
  );
  for (let time = 0; time < 3; time += 1) {
    tick?.();
    await setImmediate();
  }
  expect(done).toEqual(['slow', 'failing', 'failing', 'failing']);
  stop.abort();
  slow.resolve();
  await running;
});
