import type { DayTally } from '../model/tally.ts';
import { guarded, type Connection } from './database.ts';
import type { MonitorStore } from './store.ts';

type TallyRow = { probe: string; day: number; up_ms: number; degraded_ms: number; down_ms: number };

export type TallyTable = Pick<MonitorStore, 'tallies'> & { readonly addTally: (tally: DayTally) => void };

/** How targets were day by day, a row each: 400 days of a dozen targets are five thousand. */
export function tallyTable(connection: Connection): TallyTable {
  return {
    tallies: (sinceDay) =>
      guarded('cannot be read', () =>
        (connection.prepare('SELECT * FROM tallies WHERE day >= ? ORDER BY day').all(sinceDay) as unknown as TallyRow[]).map(
          ({ probe, day, up_ms: upMs, degraded_ms: degradedMs, down_ms: downMs }) => ({ probe, day, upMs, degradedMs, downMs }),
        ),
      ),
    addTally: ({ probe, day, upMs, degradedMs, downMs }) => {
      connection
        .prepare(
          `INSERT INTO tallies (probe, day, up_ms, degraded_ms, down_ms) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (day, probe) DO UPDATE SET up_ms = up_ms + excluded.up_ms,
             degraded_ms = degraded_ms + excluded.degraded_ms, down_ms = down_ms + excluded.down_ms`,
        )
        .run(probe, day, upMs, degradedMs, downMs);
    },
  };
}
