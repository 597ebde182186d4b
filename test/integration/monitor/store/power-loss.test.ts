import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { alertId } from '#monitor/model/alert.ts';
import { openForReading, openOrReplaceDatabase, storeFileName } from '#monitor/store/database.ts';
import { crashesOf, type Crash } from '#test/support/power-loss.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { hasStrace, traceWrites } from '#test/support/trace-writes.ts';

beforeEach(({ skip }) => skip(!hasStrace, 'strace is not installed, or may not trace'));

test('whenever the power goes, nothing that is on record in any table is lost, nothing sent is pending, and the store opens', async () => {
  const folder = await temporaryFolder();
  const dir = join(folder, 'data');
  const program = join(import.meta.dirname, 'commit-alerts.ts');
  const events = await traceWrites({ file: process.execPath, args: [program, dir] });

  let crashes = 0;
  for (const crash of crashesOf(events, dir, Math.random)) {
    expect(whatIsWrong(crash, folder), `${crash.loss} before ${crash.before}`).toEqual([]);
    crashes += 1;
  }
  expect(crashes).toBeGreaterThan(100);
  expect(emptyTables(dir)).toEqual([]);
});

/** What the program wrote nothing to was not put to the test. */
function emptyTables(dir: string): string[] {
  const { connection } = openForReading(join(dir, storeFileName));
  const named = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  const empty = named.map(({ name }) => String(name)).filter((name) => connection.prepare(`SELECT 1 FROM ${name}`).get() === undefined);
  connection.close();
  return empty;
}

function whatIsWrong({ restoreTo, said }: Crash, folder: string): string[] {
  const found = mkdtempSync(join(folder, 'after-'));
  restoreTo(found);
  const { connection, setAside } = openOrReplaceDatabase(found, new Date());
  try {
    const stateOf = (channel: string, id: string): string =>
      stateIn(connection.prepare('SELECT state FROM messages WHERE channel = ? AND alert_id = ?').get(channel, alertId(id, 'firing')));
    const told = (word: string): string[] => [...said.matchAll(new RegExp(`^${word} (\\S+)$`, 'gm'))].map(([, id]) => id as string);
    const kept = (word: string, sql: string): string[] => {
      const lost = told(word).filter((id) => connection.prepare(sql).get(id) === undefined);
      return lost.map((id) => `${word} ${id}, and it is gone`);
    };
    const committed = told('committed').flatMap((id) => [`slack ${id} ${stateOf('slack', id)}`, `mail ${id} ${stateOf('mail', id)}`]);
    return [
      ...(setAside === undefined ? [] : [`the store was found damaged: ${setAside}`]),
      ...committed.filter((message) => message.endsWith('gone')),
      ...told('sent')
        .filter((id) => stateOf('slack', id) !== 'sent')
        .map((id) => `slack ${id} would be sent again`),
      ...kept('silenced', 'SELECT 1 FROM silences WHERE number = ?'),
      ...kept('taken', 'SELECT 1 FROM nonces WHERE nonce = ?'),
      ...kept('noted', 'SELECT 1 FROM notes WHERE incident_id = ?'),
      ...kept('acknowledged', `${acknowledged} WHERE i.id = ? AND i.acknowledged_by = 'ann'`),
      ...kept('began', 'SELECT 1 FROM job_runs WHERE id = ?'),
      ...kept('ended', 'SELECT 1 FROM job_runs WHERE id = ? AND outcome IS NOT NULL'),
      ...kept('counted', 'SELECT 1 FROM slo_counts WHERE slo = ?'),
      ...kept('timed', 'SELECT 1 FROM latencies WHERE probe = ? GROUP BY probe HAVING count(*) = 3'),
      ...kept('heard', 'SELECT 1 FROM beats WHERE probe = ?'),
    ];
  } finally {
    connection.close();
  }
}

/** With its health, its timeline and how it was that day: one commit. */
const acknowledged =
  'SELECT 1 FROM incidents i JOIN health h ON h.probe = i.probe JOIN timeline t ON t.incident_id = i.id JOIN tallies d ON d.probe = i.probe';

const stateIn = (row: unknown): string => (row as { state: string } | undefined)?.state ?? 'gone';
