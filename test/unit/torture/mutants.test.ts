import { stripTypeScriptTypes } from 'node:module';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { mutants } from '#test/torture/mutants.ts';
import { shortMinutes } from '#test/torture/soak.ts';

const root = resolve(import.meta.dirname, '../../..');

/** What a soak changes in the source is found in it, too. */
const soaked = { name: 'the soak', edits: [shortMinutes] };

test.each([...mutants, soaked])('$name can be put into the source as it is, and what it makes of it can be run', async ({ edits }) => {
  const spoiled = new Map<string, string>();
  for (const { file, find, put } of edits) {
    const source = spoiled.get(file) ?? (await readFile(join(root, file), 'utf8'));
    expect(source.split(find), `${file} has it once: ${find}`).toHaveLength(2);
    spoiled.set(
      file,
      source.replace(find, () => put),
    );
  }
  for (const source of spoiled.values()) expect(stripTypeScriptTypes(source)).not.toBe('');
});
