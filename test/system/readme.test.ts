import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { freePorts, startStack, type Ports, type StartedStack } from '#test/support/running-stack.ts';
import { product } from '#test/support/shop.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Commands whose own test runs them for what they do; here they would only take long or need another machine. */
const runElsewhere: readonly [command: RegExp, testFile: string, whatItRuns: string][] = [
  [/^npm start$/m, 'test/system/fresh-clone.test.ts', "command: ['npm', 'start']"],
  [/^npm test$/m, 'test/system/fresh-clone.test.ts', "run('npm', ['test'"],
  [/^npm run loadtest /m, 'test/system/loadtest.test.ts', 'loadtest/cli.ts'],
  [/^docker compose /m, 'test/system/compose/compose-project.ts', 'docker-compose.production.yaml'],
];

const shellBlocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string);
const blocksRunHere = shellBlocks.filter((block) => !runElsewhere.some(([command]) => command.test(block)));

/** A request that is refused ends the script, as a reader would stop there. */
const strictly = 'set -euo pipefail\ncurl() { command curl --fail-with-body --max-time 20 "$@"; }\n';

describe('the README', { timeout: 180_000 }, () => {
  let dataDir = '';
  let ports: Ports;
  let stack: StartedStack;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'atalaya-readme-'));
    ports = await freePorts();
    stack = startStack({ dataDir, ports, env: { BACKUP_ENABLED: 'false' } });
    await stack.serving();
  });

  afterAll(async () => {
    stack.child.kill('SIGTERM');
    await stack.exited;
    await rm(dataDir, { recursive: true, force: true });
  });

  test('has commands that do, one after the other, what it says they do', async ({ skip }) => {
    await run('pg_dump', ['--version']).catch(() => skip('pg_dump is not installed: apt-get install postgresql-client'));
    const apiUrl = `http://127.0.0.1:${ports.API_PORT}`;
    const before = await product(apiUrl, 1);
    const script = strictly + blocksRunHere.join('\n').replaceAll('localhost:8000', `localhost:${ports.API_PORT}`);
    const env = { ...cleanEnvironment(), LOCAL_DATA_DIR: dataDir };
    const { stdout } = await run('bash', ['-c', script], { cwd: root, env, timeout: 150_000 });
    expect(stdout).toContain('"status":"healthy"');
    expect(stdout).toContain('"lines":[{');
    expect(stdout).toContain('verified: restored');
    expect((await product(apiUrl, 1)).stock).toBe(before.stock - 2);
  });

  test('names only commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm run ([a-z][a-z:-]*)/g)].map((match) => match[1] as string);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test.each(runElsewhere)('has %s run by %s', (command, testFile, whatItRuns) => {
    expect(shellBlocks.some((block) => command.test(block))).toBe(true);
    expect(readFileSync(join(root, testFile), 'utf8')).toContain(whatItRuns);
  });

  test('links to pages and pictures that are there', () => {
    const linked = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] as string);
    expect(linked.length).toBeGreaterThan(5);
    expect(linked.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
