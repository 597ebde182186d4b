import { latencyPoint, latencyWidths, mergeLatency, noLatency, type LatencySketch, type LatencyWidth } from '../model/latency.ts';
import { guarded, inTransaction, type Connection } from './database.ts';
import type { LatencyLedger } from './store.ts';

type PointRow = { at: number; looks: number; p50_ms: number; p95_ms: number; longest_ms: number };

const widths = Object.keys(latencyWidths) as LatencyWidth[];

/**
 * Latencies over their table. A minute is added to its own row and to those of its hour and its day; a target has at most 2
 * days of minutes, 30 of hours and 400 of days, and what comes until the next `forget`.
 */
export function latencyTable(connection: Connection): LatencyLedger {
  const sketches = (condition: string, ...key: readonly [string, LatencyWidth, number]): LatencySketch[] => {
    const rows = connection
      .prepare(`SELECT classes, longest_ms FROM latencies WHERE probe = ? AND width = ? AND at ${condition}`)
      .all(...key);
    return (rows as unknown as { classes: string; longest_ms: number }[]).map(({ classes, longest_ms: longestMs }) => ({
      classes: JSON.parse(classes) as LatencySketch['classes'],
      longestMs,
    }));
  };
  const addTo = (probe: string, width: LatencyWidth, at: number, sketch: LatencySketch): void => {
    const sum = sketches('= ?', probe, width, at).reduce(mergeLatency, sketch);
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
    points: (probe, width, since) =>
      guarded('cannot be read', () =>
        (
          connection
            .prepare('SELECT at, looks, p50_ms, p95_ms, longest_ms FROM latencies WHERE probe = ? AND width = ? AND at >= ? ORDER BY at')
            .all(probe, width, since) as unknown as PointRow[]
        ).map(({ at, looks, p50_ms: p50Ms, p95_ms: p95Ms, longest_ms: longestMs }) => ({ at, looks, p50Ms, p95Ms, longestMs })),
      ),
    sum: (probe, width, since) => guarded('cannot be read', () => sketches('>= ?', probe, width, since).reduce(mergeLatency, noLatency)),
    forget: (now) =>
      inTransaction(connection, () => {
        for (const width of widths) {
          connection.prepare('DELETE FROM latencies WHERE width = ? AND at < ?').run(width, now - latencyWidths[width].keptMs);
        }
      }),
  };
}
