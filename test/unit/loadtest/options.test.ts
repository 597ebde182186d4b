import { describe, expect, test } from 'vitest';
import { UsageError } from '#lib/errors.ts';
import { parsePaths, readOptions } from '#loadtest/options.ts';
import { defaultGate, gates } from '#loadtest/gates.ts';
import { smoke } from '#loadtest/plans/smoke.ts';
import { users } from '#loadtest/plans/users.ts';
import { phaseOf } from '#loadtest/plans/phase-of.ts';

const read = (flags: Record<string, string | boolean>, ...positionals: string[]) =>
  readOptions({ flags, positionals }, { 'slow-query': 'orders run into it' }, 42);

test('without flags everything is the plan’s, and the seed is random', () => {
  expect(read({})).toEqual({
    changes: { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 42, mix: [] },
    target: undefined,
    allowedHosts: [],
    outDir: undefined,
    json: false,
  });
});

test('--watch takes a free port, or the one after it; without it nothing may stand there', () => {
  expect(read({ watch: true }).watchPort).toBe(0);
  expect(read({ watch: true }, '8123').watchPort).toBe(8_123);
  expect(read({}).watchPort).toBeUndefined();
  expect(() => read({ watch: true }, 'soon')).toThrow('--watch soon must be a whole number from 1 to 65535');
  expect(() => read({}, '8123')).toThrow('there is no plan "8123"');
});

test('reads every flag', () => {
  const options = read({
    target: 'http://localhost:8000',
    'allow-host': 'a.example, b.example',
    duration: '90s',
    users: '50',
    think: '500ms-2s',
    seed: '7',
    out: 'somewhere',
    json: true,
  });
  expect(options).toEqual({
    changes: { users: 50, thinkMs: [500, 2_000], durationMs: 90_000, seed: 7, mix: [] },
    target: 'http://localhost:8000',
    allowedHosts: ['a.example', 'b.example'],
    outDir: 'somewhere',
    json: true,
  });
  expect(read({ mix: 'slow-query' }).changes.mix).toEqual(['slow-query']);
  expect(read({ think: '0' }).changes.thinkMs).toEqual([0, 0]);
  expect(read({ think: '2s' }).changes.thinkMs).toEqual([2_000, 2_000]);
});

test.each([
  { users: '0' },
  { users: '1.5' },
  { users: 'many' },
  { duration: '0s' },
  { duration: '30' },
  { duration: '-3s' },
  { duration: '25h' },
  { think: '3s-1s' },
  { think: '1s-2s-3s' },
  { think: '1ms' },
  { think: 'x' },
  { rate: '0' },
  { rate: '10001' },
  { rate: '50-0' },
  { rate: '1-2-3' },
  { rate: '-5' },
  { rate: 'fast' },
  { rate: '5', think: '1s' },
  { seed: '-1' },
  { mix: 'fast-query' },
  { mix: 'slow-query', target: 'http://localhost:8000' },
])('refuses %o, naming flag and value', (flags) => {
  const [[name, value]] = Object.entries(flags) as [[string, string]];
  expect(() => read(flags)).toThrow(UsageError);
  expect(() => read(flags)).toThrow(new RegExp(`--${name}.*${value.replaceAll(/[.-]/g, '.')}`));
});

test('--path takes paths and nothing else', () => {
  expect(parsePaths('/a?b=1,/')).toEqual(['/a?b=1', '/']);
  for (const text of ['', 'a', '/a,', '/a b', 'http://a.example/']) expect(() => parsePaths(text)).toThrow(`--path ${text} must be paths`);
});

test('without a plan the release is meant: smoke, then users', () => {
  expect(gates[defaultGate]?.plans).toEqual([smoke, users]);
  expect(gates[defaultGate]?.runs?.map(({ name }) => name)).toEqual(['pool', 'ratelimit']);
});

describe('the load of a plan', () => {
  const none = { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 1, mix: [] };

  test('users is 400 people who pause 1 to 3 s, in one process, for 30 s', () => {
    expect(phaseOf(users.phases[0], none, 2)).toMatchObject({
      load: { kind: 'closed', users: 400, thinkMs: [1_000, 3_000] },
      durationMs: 30_000,
      processes: 1,
    });
  });

  test('smoke is over in half a minute, with all that belongs to it', () => {
    const { warmUpMs, durationMs, timeoutMs } = phaseOf(smoke.phases[0], none, 2);
    expect(warmUpMs + durationMs + timeoutMs).toBeLessThanOrEqual(30_000);
  });

  test('users who never pause are driven by two processes, where these are half of the cores, and there are two users', () => {
    const never = { ...none, thinkMs: [0, 0] as const };
    expect(phaseOf(users.phases[0], never, 4).processes).toBe(2);
    expect(phaseOf(users.phases[0], never, 16).processes).toBe(2);
    expect(phaseOf(users.phases[0], never, 3).processes).toBe(1);
    expect(phaseOf(users.phases[0], never, 1).processes).toBe(1);
    expect(phaseOf(users.phases[0], { ...never, users: 1 }, 4).processes).toBe(1);
  });
});

test('a rate makes the load an open one, with users enough for a second of it', () => {
  const { changes } = read({ rate: '50-600', duration: '10s' });
  expect(changes.rate).toEqual([50, 600]);
  expect(read({ rate: '0.5' }).changes.rate).toEqual([0.5, 0.5]);
  const [phase] = users.phases;
  expect(phaseOf(phase, changes, 2)).toMatchObject({
    load: { kind: 'open', users: 600, spacing: 'poisson', stages: [{ fromPerSecond: 50, toPerSecond: 600, durationMs: 10_000 }] },
    durationMs: 10_000,
    processes: 2,
  });
  expect(phaseOf(phase, { ...changes, users: 700 }, 2).load.users).toBe(700);
});

test('the stages of an open plan are stretched to another duration', () => {
  const stages = [1, 3].map((seconds) => ({ fromPerSecond: 5, toPerSecond: 5, durationMs: 1_000 * seconds }));
  const planned = { ...users.phases[0], load: { kind: 'open', users: 9, spacing: 'even', stages } as const };
  const { load } = phaseOf(planned, { users: undefined, thinkMs: undefined, durationMs: 8_000, seed: 1, mix: [] }, 2);
  expect(load).toMatchObject({ users: 9, stages: [{ durationMs: 2_000 }, { durationMs: 6_000 }] });
});
