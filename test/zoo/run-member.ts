import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import type { Environment } from '#lib/env.ts';
import { messageOf } from '#lib/errors.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { Target } from '#loadtest/targets/target.ts';
import { copySource } from './copy-source.ts';
import type { Defect, Member } from './defect.ts';
import { openShop, suites, type Found, type PlayOptions, type Shop, type SuiteName } from './suites.ts';

/** What its suite made of one member, or of the shop as it is. */
export type Result = {
  readonly name: string;
  readonly suite: SuiteName;
  /** `none` when there was no verdict at all. */
  readonly verdict: Found['verdict'] | 'none';
  /** Ids of the broken checks that name the defect; of all broken ones where it was not named. */
  readonly namedAs: readonly string[];
  /** The first witness, or why there is none. */
  readonly witness: string;
  /** FAIL, named as it should be, with a witness; of a clean run: anything but FAIL. */
  readonly isRight: boolean;
  readonly seconds: number;
  /** What was played, see `describeCommit`. */
  readonly commit: string;
};

export type MemberOptions = PlayOptions & { readonly env: Environment; readonly commit: string };

/** Plays its suite against a private copy of the shop with one defect in it. */
export async function runDefect(defect: Member, options: MemberOptions): Promise<Result> {
  const copy = await prepareCopy(defect, options.env);
  try {
    return await play(defect.name, defect.foundBy, defect.expects, copy.shop, options);
  } finally {
    await copy.remove();
  }
}

/** A stack of a private copy of the shop with one defect in it. `remove` takes the copy away, once the target is stopped. */
export async function openDefect(
  defect: Defect,
  env: Environment,
  signal: AbortSignal,
): Promise<{ readonly target: Target; readonly remove: () => Promise<void> }> {
  const { shop, remove } = await prepareCopy(defect, env);
  try {
    return { target: await openShop(shop, signal), remove };
  } catch (err) {
    await remove();
    throw err;
  }
}

async function prepareCopy({ name, seed, part }: Defect, given: Environment): Promise<{ shop: Shop; remove: () => Promise<void> }> {
  const env = { ...given, API_WORKERS: '2' };
  const { dir, remove } = await copySource('file' in seed ? seed : undefined);
  return {
    shop: {
      env: 'tamper' in seed ? { ...env, ZOO_DEFECT: name, ZOO_DIR: dir, NODE_OPTIONS: `--import=${preload}` } : env,
      root: dir,
      prepare: 'sql' in seed ? (target) => run(seed.sql, target) : undefined,
      part,
    },
    remove,
  };
}

const preload = pathToFileURL(join(import.meta.dirname, 'preload.ts')).href;

export type CleanRun = {
  readonly suite: SuiteName;
  readonly number: number;
  /** Beside a process that takes a core for itself. */ readonly isBusy: boolean;
};

/** Plays a suite against the shop as it is. */
export async function runClean({ suite, number, isBusy }: CleanRun, options: MemberOptions): Promise<Result> {
  const hog = isBusy ? spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }) : undefined;
  const name = `clean ${suite === 'users' ? '' : `${suite} `}${number}${isBusy ? ' beside a busy core' : ''}`;
  try {
    return await play(name, suite, undefined, { env: options.env }, options);
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

async function play(
  name: string,
  suite: SuiteName,
  expects: RegExp | undefined,
  shop: Shop,
  { commit, ...options }: MemberOptions,
): Promise<Result> {
  const startedMs = performance.now();
  const about = { name, suite, commit };
  const seconds = (): number => Math.round((performance.now() - startedMs) / 1_000);
  try {
    const found = await suites[suite].play(shop, options);
    return { ...about, ...judged(found, expects), seconds: seconds() };
  } catch (err) {
    options.signal.throwIfAborted();
    return { ...about, verdict: 'none', namedAs: [], witness: messageOf(err), isRight: false, seconds: seconds() };
  }
}

/** Whether what was found is right for a defect that is named like this; undefined: for the shop as it is. Pure. */
export function judged(
  { verdict, broken, reasons }: Found,
  expects: RegExp | undefined,
): Pick<Result, 'verdict' | 'namedAs' | 'witness' | 'isRight'> {
  if (expects === undefined) {
    return { verdict, namedAs: broken.map(({ id }) => id), witness: reasons.join('; '), isRight: verdict !== 'FAIL' };
  }
  const shown = broken.filter(({ witness }) => witness !== undefined);
  const byId = shown.filter(({ id }) => expects.test(id));
  const naming = byId.length > 0 ? byId : shown.filter(({ id, reason }) => expects.test(`${id}: ${reason}`));
  const witness = naming[0]?.witness;
  const isRight = verdict === 'FAIL' && witness !== undefined;
  const why = reasons.join('; ').slice(0, 300);
  return { verdict, namedAs: [...new Set((isRight ? naming : broken).map(({ id }) => id))], witness: witness ?? why, isRight };
}
