import { expect, onTestFinished, test } from 'vitest';
import { historyHtml } from '#monitor/status-page/history-html.ts';
import { historyDays, presentHistory } from '#monitor/status-page/history-view.ts';
import { createSnapshotTaker, type SnapshotSources } from '#monitor/status-page/status-snapshot.ts';
import { voiceOf } from '#monitor/status-page/words.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-11-26T06:00:00Z');
const today = Math.floor(now / dayMs);
const tally = (day: number, downMs: number, knownMs = dayMs, probe = 'api') => ({
  probe,
  day,
  upMs: knownMs - downMs,
  degradedMs: 0,
  downMs,
});

test('uptime is a share of the known time, over a day, 30 and 400 days', () => {
  const tallies = [
    tally(today - 399, dayMs / 2),
    tally(today - 10, 864_000),
    tally(today, 0, 21_600_000),
    tally(today, 21_600_000, 21_600_000, 'site'),
  ];
  const [api, site, shop] = presentHistory(['api', 'site', 'shop'], tallies, now);
  expect(api?.uptime_1d).toBe(1);
  expect(api?.uptime_30d).toBeCloseTo(1 - 864_000 / (dayMs * 1.25), 8);
  expect(api?.uptime_400d).toBeCloseTo(1 - (dayMs / 2 + 864_000) / (dayMs * 2.25), 8);
  expect(site?.uptime_1d).toBe(0);
  expect(shop).toEqual({ target: 'shop', uptime_1d: null, uptime_30d: null, uptime_400d: null, days: [] });
});

test('a day says what is missing of it as unknown, today only what has passed', () => {
  const [api] = presentHistory(['api'], [tally(today - 1, 0, dayMs - 3_600_000), tally(today, 0, 21_600_000)], now);
  expect(api?.days).toMatchObject([
    { date: '2026-11-25', uptime: 1, unknown_ms: 3_600_000 },
    { date: '2026-11-26', uptime: 1, unknown_ms: 0 },
  ]);
});

test('an outage of a second in a month is never rounded away, and names are text', () => {
  const nasty = '"><script>alert(1)</script>';
  const page = historyHtml(presentHistory([nasty], [tally(today - 1, 1_000, dayMs, nasty)], now), now, voiceOf('en'));
  expect(page).toContain('30 days 99.998 %');
  expect(page).toContain('down 1 s');
  expect(page).not.toContain('<script>alert');
});

test('days without anything to say are one bar, and any other has its own', () => {
  const days = Array.from({ length: 400 }, (_, index) =>
    tally(today - 399 + index, index === 200 ? 1_000 : 0, index === 399 ? 21_600_000 : dayMs),
  );
  const page = historyHtml(presentHistory(['api'], days, now), now, voiceOf('en'));
  expect(page.match(/<title>20[^<]*/g)).toEqual([
    '<title>2025-10-23 to 2026-05-10: 100 %',
    '<title>2026-05-11: 99.998 %, down 1 s',
    '<title>2026-05-12 to 2026-11-26: 100 %',
  ]);
});

test('what is added of a day is summed in the store, and forgotten after 400 days', () => {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const none = { health: [], incidents: [], messages: [] };
  store.write({ ...none, tallies: [tally(today, 1_000, 5_000), tally(today - 401, 0)] });
  store.write({ ...none, tallies: [tally(today, 0, 5_000)] });
  expect(store.tallies(today - historyDays)).toEqual([tally(today, 1_000, 10_000)]);
  store.expire(now - historyDays * dayMs);
  expect(store.tallies(0)).toHaveLength(1);
});

test('days that are over are read once a day, and shown as they were until the day after next', async () => {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const asked: number[] = [];
  let at = now;
  const takeSnapshot = createSnapshotTaker({
    store: {
      ...store,
      tallies: (sinceDay: number) => {
        asked.push(today - sinceDay);
        return store.tallies(sinceDay);
      },
    },
    watch: { snapshot: () => [] },
    silences: { inForce: () => [] },
    maintenance: [],
    channels: () => [],
    storeFault: () => undefined,
    settingsFault: () => undefined,
    backupJob: undefined,
    backupSchedule: '02:00',
    clock: () => ({ at, clockMs: at }),
  } as unknown as SnapshotSources);
  const write = (day: number, downMs: number): void =>
    store.write({ health: [], incidents: [], messages: [], tallies: [tally(day, downMs)] });
  const downMs = async (): Promise<number[]> => (await takeSnapshot()).readTallies().map((each) => each.downMs);
  for (const back of [5, 1, 0]) write(today - back, 1);
  expect(await downMs()).toEqual([1, 1, 1]);
  // The look at midnight tells of yesterday too; what is older than that never changes.
  for (const back of [5, 1, 0]) write(today - back, 1);
  expect(await downMs()).toEqual([1, 2, 2]);
  expect(asked).toEqual([399, 1, 1]);
  at += dayMs;
  expect(await downMs()).toEqual([2, 2, 2]);
});
