import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { apiEnv } from '#api/config.ts';
import { backupEnv } from '#backups/deps.ts';
import { localEnv } from '#deploy/local/settings.ts';
import { readEnv } from '#lib/env.ts';
import { loadtestEnv } from '#loadtest/loadtest-env.ts';
import { channelEnv } from '#monitor/alerts/channels/kinds.ts';
import { monitorEnv } from '#monitor/config/monitor-env.ts';

type Listed = { readonly name: string; readonly value: string; readonly comment: string };

/** The variables of an example file, each with the comment above it; a comment may stand above several. */
function variablesOf(file: string): Listed[] {
  const listed: Listed[] = [];
  let comment = '';
  let isOpen = false;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, name, value = ''] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) listed.push({ name, value, comment });
    else comment = isOpen && line.startsWith('#') ? `${comment} ${line.slice(1).trim()}` : line.replace(/^#\s*(=====.*)?/, '');
    isOpen = line.startsWith('#');
  }
  return listed;
}

const settingsOf = (listed: readonly Listed[]): Record<string, string> =>
  Object.fromEntries(listed.map(({ name, value }) => [name, value]));

const shapes: Readonly<Record<string, z.ZodRawShape>> = { apiEnv, monitorEnv, backupEnv, loadtestEnv, localEnv };
const schemasOf = (name: string): z.ZodType[] => Object.values(shapes).flatMap((shape) => (shape[name] as z.ZodType | undefined) ?? []);
const defaultsOf = (name: string): unknown[] =>
  schemasOf(name)
    .map((schema) => schema.safeParse(undefined).data)
    .filter((value) => value !== undefined);

const local = variablesOf('.env.example');
const production = variablesOf('.env.production.example');
const compose = readFileSync('docker-compose.production.yaml', 'utf8');
const secretsScript = readFileSync('deploy/docker/secrets.sh', 'utf8');
const served = [...new Set([apiEnv, monitorEnv, backupEnv].flatMap((shape) => Object.keys(shape)))];

describe.each([
  ['.env.example', local, [...new Set([...served, ...Object.keys(loadtestEnv), ...Object.keys(localEnv)])]],
  [
    '.env.production.example',
    production,
    served.filter((name) => !(name in channelEnv) || new RegExp(`\\b${name}(_FILE)?:`).test(compose)),
  ],
])('%s', (_, listed, expected) => {
  const names = listed.map(({ name }) => name);

  test('lists every variable the programs read, once', () => {
    expect(expected.filter((name) => !names.includes(name))).toEqual([]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('says of each what it means', () => {
    expect(listed.filter(({ comment }) => comment.trim().length < 10)).toEqual([]);
  });

  test('holds values that the programs accept', () => {
    const secrets = { AUTH_TOKEN_SECRET: 's'.repeat(32), ADMIN_TOKEN: 't'.repeat(32) };
    for (const shape of [apiEnv, monitorEnv, backupEnv]) {
      expect(() => readEnv(shape, { ...settingsOf(listed), ...secrets })).not.toThrow();
    }
  });
});

describe('.env.example', () => {
  test('lists nothing that no program reads', () => {
    expect(local.filter(({ name }) => schemasOf(name).length === 0)).toEqual([]);
  });

  test('gives each variable its default, or leaves it empty and tells the default', () => {
    const wrong = local.filter(({ name, value, comment }) => {
      if (value === '') return !/Default: |[Rr]equired|: in npm start/.test(comment);
      const given = schemasOf(name).map((schema) => schema.safeParse(value).data);
      return !given.some((parsed) => defaultsOf(name).some((standard) => isDeepStrictEqual(parsed, standard)));
    });
    expect(wrong).toEqual([]);
  });
});

const isRead = (name: string): boolean =>
  new RegExp(`\\$\\{${name}[:}?-]`).test(compose) || new RegExp(`\\b${name}\\b`).test(secretsScript);

test('.env.production.example lists nothing that neither a program nor the compose file reads', () => {
  const unread = production.filter(({ name }) => schemasOf(name).length === 0 && !isRead(name));
  expect(unread).toEqual([]);
});

test('every variable is described in its schema', () => {
  const undescribed = Object.entries(shapes).flatMap(([program, shape]) =>
    Object.entries(shape).flatMap(([name, schema]) => ((schema as z.ZodType).description ? [] : [`${program}.${name}`])),
  );
  expect(undescribed).toEqual([]);
});

test('programs that read the same variable agree on its default, but for those npm start derives', () => {
  const derived = ['POSTGRES_HOST', 'REDIS_HOST', 'REDIS_ENABLED', 'BACKUP_DIR', 'MONITOR_DATA_DIR'];
  const names = [...new Set(Object.values(shapes).flatMap((shape) => Object.keys(shape)))].filter((name) => !derived.includes(name));
  const differing = names.filter((name) => {
    const [first, ...others] = schemasOf(name).map((schema) => schema.safeParse(undefined).data);
    return others.some((other) => !isDeepStrictEqual(first, other));
  });
  expect(differing).toEqual([]);
});
