import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import { manifestText, readManifest } from '#backups/set/manifest.ts';
import { compactStamp } from '#lib/show.ts';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import type { CauseIn } from './judge.ts';
import type { Stack } from './stack.ts';
import { testBlind, type Injection } from './test-blind.ts';

const dayMs = 86_400_000;

/** Takes a backup, and has its manifest say that it was taken so long ago. @returns the folder of sets, which no monitor looks at */
async function backupFrom(agoMs: number, stack: Stack, { dir, isProven }: { readonly dir: string; readonly isProven: boolean }) {
  const deps = { postgres: stack.settings, dir: join(dir, 'made'), now: () => new Date() };
  const { id, path } = await takeBackup(deps);
  if (isProven) await verifyBackup(deps, id);
  const takenAt = new Date(Date.now() - agoMs);
  const old = { ...(await readManifest(path)), id: compactStamp(takenAt), takenAt: takenAt.toISOString() };
  await writeFile(join(path, 'manifest.json'), manifestText(old));
  await rename(path, join(deps.dir, old.id));
  return deps.dir;
}

const missing =
  spawnSync('pg_dump', ['--version']).status === 0 ? undefined : 'pg_dump is not installed: apt-get install postgresql-client';

const injections: Readonly<Record<CauseIn<'backups'>, Injection>> = {
  'backup failed': {
    inject: () => {},
    config: { backups: { settle: '0s', interval: '200ms' } },
    env: ({ dir }) => {
      writeFileSync(
        join(dir, 'pg_dump'),
        '#!/bin/sh\n[ "$1" = --version ] && exec echo "pg_dump (PostgreSQL) 15.18"\necho "pg_dump: error: could not write" >&2\nexit 1\n',
      );
      chmodSync(join(dir, 'pg_dump'), 0o755);
      return { PATH: `${dir}${delimiter}${cleanEnvironment()['PATH']}` };
    },
  },
  'last proven backup too old': {
    missing,
    inject: async ({ dir }, stack) => {
      await rename(await backupFrom(3 * dayMs, stack, { dir, isProven: true }), join(dir, 'backups'));
    },
  },
  'backups that nobody proves': {
    missing,
    inject: async ({ dir }, stack) => {
      await backupFrom(dayMs / 2, stack, { dir, isProven: false });
      await rename(await backupFrom(3 * dayMs, stack, { dir, isProven: true }), join(dir, 'backups'));
    },
  },
};

testBlind(injections, 'es');
