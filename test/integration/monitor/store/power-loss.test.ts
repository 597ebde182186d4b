import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { alertId } from '#monitor/model/alert.ts';
import { openOrReplaceDatabase } from '#monitor/store/database.ts';
import { crashesOf, type Crash } from '#test/support/power-loss.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { hasStrace, traceWrites } from '#test/support/trace-writes.ts';

beforeEach(({ skip }) => skip(!hasStrace, 'strace is not installed, or may not trace'));

test('whenever the power goes, no alert, silence, taken command or note on record is lost, nothing sent is pending, and the store opens', async () => {
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
});

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
    ];
  } finally {
    connection.close();
  }
}

const stateIn = (row: unknown): string => (row as { state: string } | undefined)?.state ?? 'gone';
