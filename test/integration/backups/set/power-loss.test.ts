import { mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { findDamage, readCatalogue } from '#backups/set/catalogue.ts';
import { crashesOf, type Crash } from '#test/support/power-loss.ts';
import { hasStrace, traceWrites } from '#test/support/trace-writes.ts';
import { missingClient, openShop } from '../shop.ts';

beforeEach(({ skip }) => {
  skip(missingClient !== undefined, missingClient);
  skip(!hasStrace, 'strace is not installed, or may not trace');
});

test('whenever the power goes while a set is taken and verified, no half set is listed, and one that was announced is whole', async () => {
  const deps = await openShop();
  const env = {
    PATH: process.env['PATH'] ?? '',
    BACKUP_DIR: deps.dir,
    ...Object.fromEntries(Object.entries(deps.postgres).map(([name, value]) => [name, String(value)])),
  };
  const command = (verb: string) => ({ file: process.execPath, args: ['backups/cli.ts', ...verb.split(' ')], env });
  const events = [...(await traceWrites(command('take'))), ...(await traceWrites(command('verify latest')))];

  let crashes = 0;
  for (const crash of crashesOf(events, deps.dir, Math.random)) {
    expect(await whatIsWrong(crash, dirname(deps.dir)), `${crash.loss} before ${crash.before}`).toEqual([]);
    crashes += 1;
  }
  expect(crashes).toBeGreaterThan(20);
}, 120_000);

async function whatIsWrong({ restoreTo, said }: Crash, parent: string): Promise<string[]> {
  const dir = await mkdtemp(join(parent, 'after-'));
  restoreTo(dir);
  const { sets, damaged } = await readCatalogue(dir);
  const wrong = damaged.map(({ id, reason }) => `${id} is listed and damaged: ${reason}`);
  for (const set of sets) wrong.push(...(await findDamage(set, {})));
  if (/backup \S+ written/.test(said) && sets.length === 0) wrong.push('the set was announced and is gone');
  if (/backup \S+ verified/.test(said) && sets[0]?.manifest.state !== 'verified')
    wrong.push('the set was announced as verified and is not');
  return wrong;
}
