import {
  bySteps,
  latencyPoint,
  latencyWidths,
  mergeLatency,
  noLatency,
  type LatencyPoint,
  type LatencySketch,
  type LatencyWidth,
} from '../model/latency.ts';
import { guarded, inTransaction, type Connection } from './database.ts';
import type { LatencyLedger } from './store.ts';

type PointRow = { at: number; looks: number; p50_ms: number; p95_ms: number; longest_ms: number };

const widths = Object.keys(latencyWidths) as LatencyWidth[];

/**
 * Latencies over their table. A minute is added to its own row and to those of its hour and its day; a target has at most 2
 * days of minutes, 30 of hours and 400 of days, and what comes until the next `forget`.
 */
export function latencyTable(connection: Connection): LatencyLedger {
  const sketches = (condition: string, ...key: readonly [string, LatencyWidth, number]): { at: number; sketch: LatencySketch }[] => {
    const rows = connection
      .prepare(`SELECT at, classes, longest_ms FROM latencies WHERE probe = ? AND width = ? AND at ${condition} ORDER BY at`)
      .all(...key);
    return (rows as unknown as { at: number; classes: string; longest_ms: number }[]).map(({ at, classes, longest_ms: longestMs }) => ({
      at,
      sketch: { classes: JSON.parse(classes) as LatencySketch['classes'], longestMs },
    }));
  };
  const stored = (probe: string, width: LatencyWidth, since: number): LatencyPoint[] =>
    (
      connection
        .prepare('SELECT at, looks, p50_ms, p95_ms, longest_ms FROM latencies WHERE probe = ? AND width = ? AND at >= ? ORDER BY at')
        .all(probe, width, since) as unknown as PointRow[]
    ).map(({ at, looks, p50_ms: p50Ms, p95_ms: p95Ms, longest_ms: longestMs }) => ({ at, looks, p50Ms, p95Ms, longestMs }));
  const addTo = (probe: string, width: LatencyWidth, at: number, sketch: LatencySketch): void => {
    const sum = sumOf(sketches('= ?', probe, width, at), sketch);
    const { looks, p50Ms, p95Ms, longestMs } = latencyPoint(at, sum);
    connection
      .prepare(
        'INSERT OR REPLACE INTO latencies (probe, width, at, looks, p50_ms, p95_ms, longest_ms, classes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(probe, width, at, looks, p50Ms, p95Ms, longestMs, JSON.stringify(sum.classes));
  };
  return {
    add: (minutes) =>
      inTransaction(connection, () => {
        for (const { probe, at, sketch } of minutes) {
          for (const width of widths)
            addTo(probe, width, Math.floor(at / latencyWidths[width].widthMs) * latencyWidths[width].widthMs, sketch);
        }
      }),
    points: (probe, width, since, stepMs = latencyWidths[width].widthMs) =>
      guarded('cannot be read', () =>
        stepMs === latencyWidths[width].widthMs
          ? stored(probe, width, since)
          : bySteps(sketches('>= ?', probe, width, since), stepMs).map(({ at, sketch }) => latencyPoint(at, sketch)),
      ),
    sum: (probe, width, since) => guarded('cannot be read', () => sumOf(sketches('>= ?', probe, width, since))),
    forget: (now) =>
      inTransaction(connection, () => {
        for (const width of widths) {
          connection.prepare('DELETE FROM latencies WHERE width = ? AND at < ?').run(width, now - latencyWidths[width].keptMs);
        }
      }),
  };
}

const sumOf = (stretches: readonly { readonly sketch: LatencySketch }[], first = noLatency): LatencySketch =>
  stretches.reduce((sum, { sketch }) => mergeLatency(sum, sketch), first);
