import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { flag, integer, list, readEnv, secret, withoutSecrets } from '#lib/env.ts';
import { ConfigError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';

const shape = {
  PORT: integer(1, 65_535).default(8000),
  DEBUG: flag().default(false),
  HOSTS: list().default([]),
  TOKEN: secret(z.string().min(8, 'must have at least 8 characters')).optional(),
  NAME: z.string().min(1),
};

const folder = mkdtempSync(join(tmpdir(), 'atalaya-env-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileHolding(text: string): string {
  const file = join(folder, `${Math.random()}`);
  writeFileSync(file, text);
  return file;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readEnv(shape, env);
  } catch (err) {
    if (err instanceof ConfigError) return err.problems;
    throw err;
  }
  throw new Error('nothing was thrown');
}

describe('readEnv', () => {
  test('gives values of their types, defaults for what is unset, and nothing the schema does not name', () => {
    const settings = readEnv(shape, { NAME: 'x', PORT: '9', DEBUG: 'Yes', HOSTS: ' a, ,b ', OTHER: '1' });
    expect(settings).toEqual({ NAME: 'x', PORT: 9, DEBUG: true, HOSTS: ['a', 'b'] });
  });

  test('counts an empty value as unset', () => {
    expect(readEnv(shape, { NAME: 'x', PORT: '' }).PORT).toBe(8000);
  });

  test('gives settings nobody can change', () => {
    expect(Object.isFrozen(readEnv(shape, { NAME: 'x' }))).toBe(true);
  });

  test('reports every problem at once, each naming variable, value and what is allowed', () => {
    expect([...problemsOf({ PORT: '70000', DEBUG: 'maybe' })].toSorted()).toEqual([
      'DEBUG=maybe: must be true or false',
      'NAME is not set; it is required',
      'PORT=70000: must be a whole number from 1 to 65535',
    ]);
  });

  test('never shows the value of a secret', () => {
    expect(problemsOf({ NAME: 'x', TOKEN: 'hunter2' })).toEqual(['TOKEN=(hidden): must have at least 8 characters']);
  });

  test('ends a command line with the exit code for configuration', () => {
    expect(new ConfigError(['x']).exitCode).toBe(EXIT.config);
  });

  test('is told a number only by whole numbers within the bounds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: -100_000, max: 100_000 }).map(String), fc.string()), (text) => {
        const isAllowed = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
        const parsed = integer(1, 65_535).safeParse(text);
        expect(parsed.success ? parsed.data : undefined).toBe(isAllowed ? Number(text) : undefined);
      }),
    );
  });
});

describe('a variable from a file', () => {
  test('is read from the file that X_FILE names, without its last line break', () => {
    expect(readEnv(shape, { NAME: 'x', TOKEN_FILE: fileHolding('a secret\n') }).TOKEN).toBe('a secret');
  });

  test('is refused when X is set as well', () => {
    const problems = problemsOf({ NAME: 'x', TOKEN: 'other secret', TOKEN_FILE: fileHolding('a secret') });
    expect(problems).toEqual(['TOKEN and TOKEN_FILE are both set; keep one']);
  });

  test('is a problem among the others when the file cannot be read', () => {
    const problems = problemsOf({ PORT: '0', NAME: 'x', TOKEN_FILE: join(folder, 'absent') });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^TOKEN_FILE=.*absent cannot be read: ENOENT/);
  });
});

describe('a renamed variable', () => {
  const renamed = { UVICORN_PORT: 'PORT' };

  test('is read by its old name, with one warning', () => {
    const warnings: string[] = [];
    const settings = readEnv(shape, { NAME: 'x', UVICORN_PORT: '81' }, { renamed, warn: (message) => warnings.push(message) });
    expect(settings.PORT).toBe(81);
    expect(warnings).toEqual(['UVICORN_PORT is read as PORT; please rename it']);
  });

  test('gives way to the new name, without a warning', () => {
    const warnings: string[] = [];
    const env = { NAME: 'x', UVICORN_PORT: '81', PORT: '82' };
    expect(readEnv(shape, env, { renamed, warn: (message) => warnings.push(message) }).PORT).toBe(82);
    expect(warnings).toEqual([]);
  });
});

test('settings are shown with secrets hidden, also behind a default or optional, and unset ones as null', () => {
  const secrets = { A: secret(z.string()), B: secret(z.string()).optional(), C: secret(z.string()).default('c'), D: z.string().optional() };
  expect(withoutSecrets(secrets, { A: 'a', B: 'b', C: 'c' })).toEqual({ A: '(hidden)', B: '(hidden)', C: '(hidden)', D: null });
});

test('a description does not undo that a variable is secret', () => {
  const described = { KEY: secret(z.string()).optional().describe('A key.') };
  expect(withoutSecrets(described, { KEY: 'k' })).toEqual({ KEY: '(hidden)' });
});
