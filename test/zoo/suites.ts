import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '#lib/env.ts';
import { showExchange } from '#loadtest/conformance/exchange.ts';
import { testOwnShop, type OwnPart } from '#loadtest/conformance/own-shop.ts';
import { judge, worstVerdict, type Judgement } from '#loadtest/judge/verdict.ts';
import { createMeasurementFile, readMeasurement } from '#loadtest/measurement/measurement-file.ts';
import { showWitness } from '#loadtest/measurement/witness.ts';
import { users as usersPlan } from '#loadtest/plans/users.ts';
import { environmentOf, playPool as recordPool, testedSettings } from '#loadtest/pool/command.ts';
import { concludeOn } from '#loadtest/pool/conclusion.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import type { Target } from '#loadtest/targets/target.ts';

export type SuiteName = 'users' | 'pool' | 'ratelimit';

/** The shop that is played against. */
export type Shop = {
  readonly env: Environment;
  /** Of its source; undefined: this project's own. */
  readonly root?: string | undefined;
  /** Done to its stack once that is up. */
  readonly prepare?: ((target: Target) => Promise<void>) | undefined;
  /** Of `ratelimit`: the only part that is played. */
  readonly part?: OwnPart | undefined;
};

export type PlayOptions = {
  readonly signal: AbortSignal;
  readonly onStage: (name: string) => void;
  /** Of `users`. */
  readonly durationMs: number;
  readonly users?: number;
};

/** A check that does not hold. */
export type Broken = { readonly id: string; readonly reason: string; /** The first one. */ readonly witness: string | undefined };

export type Found = {
  readonly verdict: 'PASS' | 'FAIL' | 'INVALID';
  readonly broken: readonly Broken[];
  /** Why it is not PASS. */
  readonly reasons: readonly string[];
};

export type Suite = {
  /** As people type it. */
  readonly command: string;
  /** @throws whatever keeps a verdict from being reached */
  readonly play: (shop: Shop, options: PlayOptions) => Promise<Found>;
};

export const suites: Readonly<Record<SuiteName, Suite>> = {
  users: { command: 'npm run loadtest -- users --duration 15s', play: playUsers },
  pool: { command: 'npm run loadtest -- pool', play: playPool },
  ratelimit: { command: 'npm run loadtest -- ratelimit', play: playRatelimit },
};

async function playUsers(shop: Shop, { signal, durationMs, users }: PlayOptions): Promise<Found> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-zoo-run-'));
  try {
    await onStack(shop, signal, async (target) => {
      const file = createMeasurementFile(dir);
      const changes = { users, thinkMs: undefined, durationMs, seed: 1, mix: [] };
      const hooks = { write: file.write, onStep: () => {}, onSecond: () => {}, signal };
      await runPlan(usersPlan, changes, target, hooks).finally(file.close);
    });
    return foundInPlan(judge(await readMeasurement(dir), usersPlan.judges));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Pure. */
export function foundInPlan({ verdict, checks, reasons }: Judgement): Found {
  const broken = checks.filter(({ outcome }) => outcome === 'broken');
  return {
    verdict,
    broken: broken.map(({ id, reason, witnesses: [first] = [] }) => ({ id, reason, witness: first && showWitness(first) })),
    reasons,
  };
}

async function playPool(shop: Shop, { signal, onStage }: PlayOptions): Promise<Found> {
  const env = { ...shop.env, ...environmentOf(testedSettings) };
  return onStack({ ...shop, env }, signal, async (target) => {
    const progress = { update: onStage, done: () => {} };
    const { judged, verdict } = concludeOn(await recordPool(target, { settings: testedSettings, leakRequests: 1_000, signal }, progress));
    return foundIn(
      verdict,
      judged.map(({ check: { id }, finding: { outcome, says, witnesses } }) => ({ id, outcome, says, witness: witnesses[0] })),
    );
  });
}

async function playRatelimit({ env, root, part }: Shop, { signal, onStage }: PlayOptions): Promise<Found> {
  const results = await testOwnShop({ env, root, part, signal, onStage });
  const judged = results.flatMap((result) =>
    result.judged.map(({ check: { id }, finding: { outcome, says, witnesses } }) => {
      const [first] = witnesses;
      return { id, outcome, says: `${says} (${result.target})`, witness: first && showExchange(first) };
    }),
  );
  return foundIn(worstVerdict(results.map(({ verdict }) => verdict)), judged);
}

type Judged = { readonly id: string; readonly outcome: string; readonly says: string; readonly witness: string | undefined };

/** Pure. */
function foundIn(verdict: Found['verdict'], judged: readonly Judged[]): Found {
  const broken = judged.filter(({ outcome }) => outcome === 'FAIL');
  const doubtful = judged.filter(({ outcome }) => outcome === 'INVALID');
  return {
    verdict,
    broken: broken.map(({ id, says, witness }) => ({ id, reason: says, witness })),
    reasons: [...broken, ...doubtful].map(({ id, says }) => `${id}: ${says}`),
  };
}

async function onStack<T>(shop: Shop, signal: AbortSignal, work: (target: Target) => Promise<T>): Promise<T> {
  const target = await openShop(shop, signal);
  try {
    return await work(target);
  } finally {
    await target.stop();
  }
}

/** A stack of that shop, prepared. */
export async function openShop({ env, root, prepare }: Shop, signal: AbortSignal): Promise<Target> {
  const target = await openOwnTarget(env, signal, root);
  try {
    await prepare?.(target);
    return target;
  } catch (err) {
    await target.stop();
    throw err;
  }
}
