import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment } from '#test/support/clean-environment.ts';
import { recipes } from './recipes/recipes.ts';

/** The files of this checkout, without what git ignores. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' }).trim().split('\n');

const contributing = await readFile('CONTRIBUTING.md', 'utf8');
const sectionOf = (heading: string): string => contributing.split(/^### /m).find((section) => section.startsWith(`${heading}\n`)) ?? '';

let copy = '';

/** Runs a program of node_modules in the copy; what it said is in the error when it fails. */
async function run(bin: string, ...args: string[]): Promise<void> {
  const options = { cwd: copy, env: cleanEnvironment(), maxBuffer: 1e8 };
  await promisify(execFile)(process.execPath, [join(copy, 'node_modules', bin), ...args], options).catch(
    (err: { stdout: string; stderr: string }) => {
      throw new Error(`${bin} ${args.join(' ')}: ${err.stdout}${err.stderr}`, { cause: err });
    },
  );
}

describe('the recipes of CONTRIBUTING', () => {
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'atalaya-recipes-'));
    for (const file of files) await cp(file, join(copy, file), { recursive: true });
    await symlink(resolve('node_modules'), join(copy, 'node_modules'));
    for (const { added, touched } of recipes) {
      for (const [file, text] of Object.entries(added)) {
        await mkdir(dirname(join(copy, file)), { recursive: true });
        await writeFile(join(copy, file), text);
      }
      for (const [file, changes] of Object.entries(touched)) {
        let text = await readFile(join(copy, file), 'utf8');
        for (const [old, changed] of changes) {
          expect(text, `${file} holds what the recipe changes`).toContain(old);
          text = text.replace(old, () => changed);
        }
        await writeFile(join(copy, file), text);
      }
    }
  }, 60_000);

  afterAll(() => rm(copy, { recursive: true, force: true }));

  test.each(recipes.map((recipe) => [recipe.heading, recipe] as const))(
    '%s: touches four files at most, each named by it',
    (heading, { touched }) => {
      const names = Object.keys(touched);
      expect(names.length).toBeLessThanOrEqual(4);
      const section = sectionOf(heading);
      for (const name of names) expect(section).toContain(`\`${name}\``);
    },
  );

  test('are written into the pages and types that are made from the code by `npm run docs`', async () => {
    const script = (JSON.parse(await readFile(join(copy, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts['docs'];
    await run('vitest/vitest.mjs', ...(script ?? '').split(' ').slice(1));
    expect(await readFile(join(copy, 'api/openapi/paths.ts'), 'utf8')).toContain("'/tags/{id}'");
  });

  test('leave a house whose types agree', async () => {
    await expect(run('typescript/bin/tsc')).resolves.toBeUndefined();
  });

  test('leave a house that lint accepts', async () => {
    await expect(run('oxlint/bin/oxlint', '--deny-warnings')).resolves.toBeUndefined();
  });

  test('make things whose own tests pass, and break none that watches over all of their kind', async () => {
    const own = recipes.flatMap(({ added }) => Object.keys(added).filter((file) => file.endsWith('.test.ts')));
    const watching = [
      'test/unit/deploy/env-examples',
      'test/unit/production/compose-settings',
      'test/unit/api',
      'test/integration/api/http/access-sweep',
      'test/integration/api/openapi/every-answer',
    ];
    await expect(
      run('vitest/vitest.mjs', 'run', '--project', 'unit', '--project', 'integration', ...own, ...watching),
    ).resolves.toBeUndefined();
  });
});
