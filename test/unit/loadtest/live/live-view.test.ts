import { describe, expect, test } from 'vitest';
import { liveLines, sparkline } from '#loadtest/live/live-lines.ts';
import { createLiveView, type LiveView } from '#loadtest/live/live-view.ts';
import type { Phase } from '#loadtest/measurement/measurement.ts';
import { many, slice, healthyMeasurement } from '../build-measurement.ts';

const [played] = healthyMeasurement().phases;
const phase: Phase = { ...(played as Phase), warmUpMs: 2_000, durationMs: 8_000 };
const open: Phase = {
  ...phase,
  load: { kind: 'open', users: 10, spacing: 'even', stages: [{ fromPerSecond: 50, toPerSecond: 50, durationMs: 8_000 }] },
};

function follow(phases: readonly Phase[] = [phase], course?: () => undefined) {
  const views: LiveView[] = [];
  const hooks = createLiveView({ name: 'users', ...(course && { course }) }, phases, (view) => views.push(view));
  return { ...hooks, last: () => views.at(-1) as LiveView };
}

describe('the view of a run under way', () => {
  test('adds up what all processes report of a second, and tells of the one that is over', () => {
    const { onPhase, onSecond, last } = follow();
    onPhase(phase);
    for (const second of [0, 0, 1]) onSecond(second, [slice(second, many(20, 10))]);
    onSecond(1, [slice(0, many(5, 10))]);
    expect(last()).toMatchObject({ elapsedSeconds: 2, totalSeconds: 10, perSecond: 45, errors: 0, step: null });
  });

  test('has percentiles of the last five seconds only, and a curve of the last sixty', () => {
    const { onPhase, onSecond, last } = follow();
    onPhase(phase);
    for (let second = 0; second < 100; second += 1) onSecond(second, [slice(second, many(10, second < 95 ? 900 : 10))]);
    expect(last().p99Ms).toBeCloseTo(10, 1);
    expect(last().recentP95Ms).toHaveLength(60);
  });

  test('counts every error, 429 included, and says when it is still warming up', () => {
    const { onPhase, onSecond, last } = follow();
    onPhase(phase);
    onSecond(0, [slice(0, [], { httpErrors: 1, timeouts: 1, limited: 2 })]);
    expect(last()).toMatchObject({ errors: 4, p95Ms: null, phase: { name: 'users', isWarmUp: true } });
    onSecond(2, [slice(2, many(1, 5))]);
    expect(last()).toMatchObject({ errors: 4, phase: { isWarmUp: false } });
  });

  test('says what an open load is meant to send, and of a search no end', () => {
    const { onPhase, onSecond, last } = follow([open], () => undefined);
    onPhase(open);
    onSecond(0, [slice(0, many(48, 5))]);
    expect(last()).toMatchObject({ wantedPerSecond: 50, totalSeconds: null });
  });

  test('shows the pool as the server last told it', () => {
    const { onPhase, onSecond, onEntry, last } = follow();
    onPhase(phase);
    const sample = { second: 0, backends: null, workers: [] };
    onEntry({ kind: 'sample', sample: { ...sample, pool: { inUse: 3, capacity: 40, waiting: 1 } } });
    onEntry({ kind: 'sample', sample: { ...sample, pool: null } });
    onSecond(0, [slice(0, many(1, 5))]);
    expect(last().pool).toEqual({ inUse: 3, capacity: 40, waiting: 1 });
  });
});

describe('on a terminal', () => {
  test('a run is four lines', () => {
    const { onPhase, onSecond, onEntry, last } = follow();
    onPhase(phase);
    onEntry({
      kind: 'sample',
      sample: { second: 0, backends: null, workers: [], pool: { inUse: 3.25, capacity: 40, waiting: 0 } },
    });
    for (const second of [0, 1, 2]) onSecond(second, [slice(second, many(20, 10 * (second + 1)))]);
    expect(liveLines(last()).split('\n')).toEqual([
      'users · 3 s of 10 s, 7 s left · 400 users, pausing 1–3 s, for 8 s after 2 s of warm-up',
      '20 right answers/s · p50 20 ms · p95 30 ms · p99 30 ms',
      'p95 ▃▆█ 10 ms to 30 ms',
      '0 errors · pool 3.3 of 40, 0 waiting',
    ]);
  });

  test('what is done before and after it is one', () => {
    const { onStep, last } = follow();
    onStep('registering 400 users');
    expect(liveLines(last())).toBe('users: registering 400 users…');
  });

  test('a curve begins at zero, ends at its greatest, and has gaps', () => {
    expect(sparkline([0, 1, null, 8])).toBe('▁▂ █');
    expect(sparkline([0, 0])).toBe('▁▁');
    expect(sparkline([])).toBe('');
  });
});
