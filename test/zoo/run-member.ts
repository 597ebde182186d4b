import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import type { Environment } from '#lib/env.ts';
import { messageOf } from '#lib/errors.ts';
import { clientOptions } from '#lib/postgres.ts';
import { judge, type Judgement } from '#loadtest/judge/verdict.ts';
import { createMeasurementFile, readMeasurement } from '#loadtest/measurement/measurement-file.ts';
import { showWitness } from '#loadtest/measurement/witness.ts';
import { users } from '#loadtest/plans/users.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import type { Target } from '#loadtest/targets/target.ts';
import { copySource } from './copy-source.ts';
import type { Defect } from './defect.ts';

/** What `users` made of one member. */
export type Result = {
  readonly name: string;
  /** `none` when there was no verdict at all. */
  readonly verdict: 'PASS' | 'FAIL' | 'INVALID' | 'none';
  /** Ids of the broken checks that name the defect; of all broken ones where it was not named. */
  readonly namedAs: readonly string[];
  /** The first witness, or why there is none. */
  readonly witness: string;
  /** FAIL, named as it should be, with a witness; of a clean run: anything but FAIL. */
  readonly isRight: boolean;
  readonly seconds: number;
};

export type MemberOptions = {
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly durationMs: number;
  readonly users?: number;
};

/** Plays `users` against a private copy of the shop with one defect in it. */
export async function runDefect(defect: Defect, options: MemberOptions): Promise<Result> {
  let opened: Opened | undefined;
  return play(defect.name, defect.expects, options, async (env, signal) => {
    opened = await openDefect(defect, env, signal);
    return opened.target;
  }).finally(() => opened?.remove());
}

type Opened = { readonly target: Target; readonly remove: () => Promise<void> };

/** A stack of a private copy of the shop with one defect in it. `remove` takes the copy away, once the target is stopped. */
export async function openDefect({ name, seed }: Defect, given: Environment, signal: AbortSignal): Promise<Opened> {
  const env = { ...given, ...twoWorkers };
  const { dir, remove } = await copySource('file' in seed ? seed : undefined);
  try {
    const target = await openOwnTarget('tamper' in seed ? { ...env, ...tampered(name, dir) } : env, signal, dir);
    if ('sql' in seed) await run(seed.sql, target).catch((err: unknown) => target.stop().then(() => Promise.reject(err)));
    return { target, remove };
  } catch (err) {
    await remove();
    throw err;
  }
}

const twoWorkers = { API_WORKERS: '2' };
const preload = pathToFileURL(join(import.meta.dirname, 'preload.ts')).href;
const tampered = (name: string, dir: string) => ({ ZOO_DEFECT: name, ZOO_DIR: dir, NODE_OPTIONS: `--import=${preload}` });

/** Plays `users` against the shop as it is. @param isBusy beside a process that takes a core for itself */
export async function runClean(number: number, isBusy: boolean, options: MemberOptions): Promise<Result> {
  const hog = isBusy ? spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }) : undefined;
  try {
    return await play(`clean ${number}${isBusy ? ' beside a busy core' : ''}`, undefined, options, openOwnTarget);
  } finally {
    hog?.kill('SIGKILL');
  }
}

async function run(sql: string, { postgres }: Target): Promise<void> {
  if (postgres === undefined) throw new Error('the stack has no database to seed');
  const client = new Client(clientOptions(postgres, 'atalaya-zoo'));
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

type Open = (env: Environment, signal: AbortSignal) => Promise<Target>;

async function play(
  name: string,
  expects: RegExp | undefined,
  { env, signal, durationMs, users: count }: MemberOptions,
  open: Open,
): Promise<Result> {
  const startedMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedMs) / 1_000);
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-zoo-run-'));
  try {
    const target = await open(env, signal);
    try {
      const file = createMeasurementFile(dir);
      const changes = { users: count, thinkMs: undefined, durationMs, seed: 1, mix: [] };
      const hooks = { write: file.write, onStep: () => {}, onSecond: () => {}, signal };
      await runPlan(users, changes, target, hooks).finally(file.close);
    } finally {
      await target.stop();
    }
    return { name, ...judged(judge(await readMeasurement(dir), users.judges), expects), seconds: seconds() };
  } catch (err) {
    signal.throwIfAborted();
    return { name, verdict: 'none', namedAs: [], witness: messageOf(err), isRight: false, seconds: seconds() };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Whether a verdict is the right one on a defect that is named like this; undefined: on the shop as it is. Pure. */
export function judged(
  { verdict, checks, reasons }: Judgement,
  expects: RegExp | undefined,
): Pick<Result, 'verdict' | 'namedAs' | 'witness' | 'isRight'> {
  const broken = checks.filter(({ outcome }) => outcome === 'broken');
  if (expects === undefined) {
    return { verdict, namedAs: broken.map(({ id }) => id), witness: reasons.join('; '), isRight: verdict !== 'FAIL' };
  }
  const shown = broken.filter(({ witnesses = [] }) => witnesses.length > 0);
  const byId = shown.filter(({ id }) => expects.test(id));
  const naming = byId.length > 0 ? byId : shown.filter(({ id, reason }) => expects.test(`${id}: ${reason}`));
  const [first] = naming.flatMap(({ witnesses = [] }) => witnesses);
  const isRight = verdict === 'FAIL' && first !== undefined;
  const why = reasons.join('; ').slice(0, 300);
  return { verdict, namedAs: (isRight ? naming : broken).map(({ id }) => id), witness: first ? showWitness(first) : why, isRight };
}
