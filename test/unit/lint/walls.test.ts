import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

type Diagnostic = { readonly message: string; readonly code: string; readonly filename: string };

/** Each a forbidden import, planted in a file of its own, and what lint says of it. */
const planted: readonly (readonly [importer: string, statement: string, message: string])[] = [
  // Between programs: by alias, by path, as a type, as a re-export, while running.
  ['lib/x.ts', `import '#api/errors.ts';`, 'lib/ may not import api/: it stands on nothing of the project'],
  ['lib/y.ts', `import '../api/errors.ts';`, 'lib/ may not import api/: it stands on nothing of the project'],
  ['api/app/x.ts', `import '../../monitor/cli.ts';`, 'api/ may not import monitor/: only lib'],
  ['api/http/y.ts', `export * from '../../loadtest/options.ts';`, 'api/ may not import loadtest/: only lib'],
  ['loadtest/plans/x.ts', `export type X = import('../../api/config.ts').ApiConfig;`, 'loadtest/ may not import api/: only lib'],
  ['loadtest/report/y.ts', `export { x } from '#bench/rounds.ts';`, 'loadtest/ may not import bench/: only lib'],
  ['backups/x.ts', `export const x = import('../monitor/cli.ts');`, 'backups/ may not import monitor/: only lib'],
  ['monitor/daemon/x.ts', `import '#deploy/local/start.ts';`, 'monitor/ may not import deploy/: only lib, backups'],
  ['deploy/local/x.ts', `import type { X } from '../../api/config.ts';`, 'deploy/ may not import api/: only lib'],
  ['bench/x.ts', `import '#monitor/cli.ts';`, 'bench/ may not import monitor/: only lib, api, loadtest'],
  ['api/db/x.ts', `import '#test/support/database.ts';`, 'api/ may not import test/: only lib'],
  // Inside a program.
  ['api/http/x.ts', `import '../shop/routes.ts';`, 'api/http/ may not import api/shop/: http/ knows no resource'],
  ['api/http/z.ts', `import '#api/shop/orders/order-routes.ts';`, 'api/http/ may not import api/shop/: http/ knows no resource'],
  ['api/db/y.ts', `import '../shop/money.ts';`, 'api/db/ may not import api/shop/: db/ knows no resource'],
  ['api/db/z.ts', `import '../http/route.ts';`, 'api/db/ may not import api/http/: db/ knows no HTTP'],
  ['api/auth/x.ts', `import '../http/route.ts';`, 'api/auth/ may not import api/http/: auth/ knows no HTTP'],
  ['api/auth/y.ts', `import '../shop/routes.ts';`, 'api/auth/ may not import api/shop/: auth/ knows no resource'],
  ['api/limiter/x.ts', `import '../http/route.ts';`, 'api/limiter/ may not import api/http/: the limiter counts, and knows no HTTP'],
  [
    'backups/set/x.ts',
    `import '../postgres/connection.ts';`,
    'backups/set/ may not import backups/postgres/: a set is files; what is in them is not its business',
  ],
  // From floor to floor.
  ['monitor/model/x.ts', `import '../store/store.ts';`, 'monitor/model may not import monitor/store: imports run downward'],
  [
    'monitor/health/x.ts',
    `import type { X } from '#monitor/alerts/deliver.ts';`,
    'monitor/health may not import monitor/alerts: imports run downward',
  ],
  ['monitor/alerts/x.ts', `export * from '../daemon/daemon.ts';`, 'monitor/alerts may not import monitor/daemon: imports run downward'],
  ['api/shop/stock/x.ts', `import '../orders/place-order.ts';`, 'api/shop/stock may not import api/shop/orders: imports run downward'],
  [
    'api/shop/bills/x.ts',
    `import '../addresses/addresses.ts';`,
    'api/shop/bills may not import api/shop/addresses: they stand side by side',
  ],
  ['api/processes/x.ts', `import '../main.ts';`, 'api/processes may not import api/main: imports run downward'],
  [
    'loadtest/generate/x.ts',
    `import '../scenarios/scenario.ts';`,
    'loadtest/generate may not import loadtest/scenarios: imports run downward',
  ],
  ['loadtest/measurement/x.ts', `import '../judge/check.ts';`, 'loadtest/measurement may not import loadtest/judge: imports run downward'],
  [
    'deploy/local/postgres/x.ts',
    `import '../stack/parts.ts';`,
    'deploy/local/postgres may not import deploy/local/stack: imports run downward',
  ],
  ['monitor/attic/x.ts', `import '../model/look.ts';`, 'monitor/attic/x.ts has no place among the floors of monitor/ in lint/house.ts'],
  // What only one room does.
  ['api/shop/orders/y.ts', 'export const x = `UPDATE products SET stock = stock - 1`;', 'only api/shop/stock moves stock'],
  ['api/shop/products/x.ts', `export const x = 'INSERT INTO stock_movements (quantity) VALUES (1)';`, 'only api/shop/stock moves stock'],
  ['api/http/w.ts', 'export const x = (id: number) => `UPDATE products SET name = $1, stock = ${id}`;', 'only api/shop/stock moves stock'],
  // Packages.
  ['loadtest/judge/x.ts', `import 'node:fs';`, 'loadtest/judge/ only decides: it may not import node:fs'],
  ['loadtest/judge/y.ts', `import 'pg';`, 'loadtest/judge/ only decides: it may not import pg'],
  ['monitor/y.ts', `import 'objection';`, 'objection stays behind api/shop, api/db, test'],
  ['api/y.ts', `import 'autocannon';`, 'autocannon stays behind test'],
];

/** Of each kind one that is allowed: lint that refuses everything would prove nothing. */
const allowed: readonly (readonly [importer: string, statement: string])[] = [
  ['api/v.ts', `import '#lib/env.ts';`],
  ['monitor/v.ts', `import '../backups/errors.ts';`],
  ['monitor/daemon/v.ts', `import '../model/look.ts';`],
  ['api/shop/orders/v.ts', `import '../stock/stock.ts';`],
  ['api/shop/routes.ts', `import './orders/order-routes.ts';`],
  ['bench/v.ts', `import '#api/errors.ts';`],
  ['test/v.ts', `import '../monitor/cli.ts';`],
  ['api/shop/v.ts', `import '../http/route.ts';`],
  ['api/http/v.ts', `import '../auth/principal.ts';`],
  ['api/shop/stock/v.ts', 'export const x = `UPDATE products SET stock = 1`;'],
  ['api/shop/products/v.ts', 'export const x = `UPDATE products SET name = $1 WHERE stock = 2`;'],
  ['test/w.ts', `import 'autocannon';`],
];

let dir: string;
let found: readonly Diagnostic[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'walls-'));
  for (const path of ['lint', '.oxlintrc.json', 'package.json', 'tsconfig.json']) await cp(path, join(dir, path), { recursive: true });
  await symlink(resolve('node_modules'), join(dir, 'node_modules'));
  for (const [path, statement] of [...planted, ...allowed]) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), `${statement}\n`);
  }
  found = await lint(dir);
}, 60_000);

afterAll(() => rm(dir, { recursive: true, force: true }));

async function lint(cwd: string): Promise<readonly Diagnostic[]> {
  const args = [join(cwd, 'node_modules/oxlint/bin/oxlint'), '--format=json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd }).catch((err: { stdout: string }) => err);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  return diagnostics.filter(({ code }) => code.startsWith('house('));
}

describe('lint refuses', () => {
  test.each(planted)('in %s: %s', (importer, _, message) => {
    expect(found.filter(({ filename }) => filename === importer).map((one) => one.message)).toEqual([message]);
  });
});

test('lint lets every import pass that the walls allow', () => {
  const importers = new Set(planted.map(([importer]) => importer));
  expect(found.filter(({ filename }) => !importers.has(filename))).toEqual([]);
});

test('the walls are held as errors', async () => {
  await expect(readFile('.oxlintrc.json', 'utf8')).resolves.toMatch(/"house\/walls": "error",\s*"house\/statements": "error"/);
});
