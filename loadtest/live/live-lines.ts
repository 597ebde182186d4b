import { showCount, showCountOf, showDuration } from '#lib/show.ts';
import { showLatency } from '../report/describe.ts';
import type { LiveView } from './live-view.ts';

/** A run as a few lines of a terminal. Pure. */
export function liveLines(view: LiveView): string {
  const { plan, step, phase, errors, pool, recentP95Ms } = view;
  if (step !== null || phase === null) return `${plan}: ${step ?? 'starting'}…`;
  const speed = `${showCount(view.perSecond)} right answers/s`;
  const wanted = view.wantedPerSecond === null ? '' : ` of ${showCount(Math.round(view.wantedPerSecond))} meant`;
  const waiting = pool && pool.waiting !== null ? `, ${showCount(round(pool.waiting))} waiting` : '';
  const pools = pool ? ` · pool ${showCount(round(pool.inUse))} of ${showCount(pool.capacity)}${waiting}` : '';
  return [
    `${plan} · ${placeOf(view)}${phase.isWarmUp ? ' · warm-up' : ''} · ${phase.says}`,
    `${speed}${wanted} · p50 ${showLatency(view.p50Ms)} · p95 ${showLatency(view.p95Ms)} · p99 ${showLatency(view.p99Ms)}`,
    `p95 ${sparkline(recentP95Ms)} ${rangeOf(recentP95Ms)}`,
    `${showCountOf(errors, 'error')}${pools}`,
  ].join('\n');
}

const round = (value: number): number => Number(value.toFixed(1));

function placeOf({ elapsedSeconds, totalSeconds, phase }: LiveView): string {
  if (totalSeconds === null) return `${elapsedSeconds} s, now ${phase?.name ?? ''}`;
  const left = Math.max(0, totalSeconds - elapsedSeconds);
  return `${Math.min(elapsedSeconds, totalSeconds)} s of ${totalSeconds} s, ${left} s left`;
}

const blocks = '▁▂▃▄▅▆▇█';

/** One character a value, from zero to the greatest; a gap where there is none. */
export function sparkline(values: readonly (number | null)[]): string {
  const most = Math.max(...values.map((value) => value ?? 0));
  const block = (value: number): string => blocks[Math.min(blocks.length - 1, Math.floor((blocks.length * value) / (most || 1)))] ?? '';
  return values.map((value) => (value === null ? ' ' : block(value))).join('');
}

function rangeOf(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? '' : `${showDuration(Math.min(...known))} to ${showDuration(Math.max(...known))}`;
}
