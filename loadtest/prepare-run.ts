import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Catalogue } from './scenarios/shop/journey.ts';
import type { VirtualClient } from './generate/virtual-user.ts';
import type { Profile } from './measurement/measurement.ts';
import type { Plan } from './plans/plan.ts';
import { createHttpClient } from './targets/http-client.ts';
import { readCatalogue } from './scenarios/shop/catalogue.ts';
import type { Target } from './targets/target.ts';
import { registerClients } from './scenarios/shop/clients.ts';

/** What a command line may change of a plan. */
export type PlanChanges = {
  readonly users: number | undefined;
  readonly thinkMs: readonly [number, number] | undefined;
  readonly durationMs: number | undefined;
  readonly seed: number;
  readonly mix: readonly string[];
};

/** One process drives some hundred users who pause with ease; without pauses it takes more to be faster than the API. */
const usersAProcess = 500;

/** The load a plan asks for, after changes. Pure but for the number of cores. */
export function profileOf(plan: Plan, changes: PlanChanges, cores = availableParallelism()): Profile {
  const users = changes.users ?? plan.users;
  const thinkMs = changes.thinkMs ?? plan.thinkMs;
  const wanted = thinkMs[1] === 0 ? 2 : Math.ceil(users / usersAProcess);
  return {
    users,
    thinkMs,
    warmUpMs: Math.max(plan.warmUpMs, Math.min(10_000, thinkMs[1])),
    durationMs: changes.durationMs ?? plan.durationMs,
    timeoutMs: plan.timeoutMs,
    processes: Math.min(wanted, users, Math.max(1, cores)),
    seed: changes.seed,
    mix: changes.mix,
  };
}

export type Preparation = {
  readonly runId: string;
  readonly catalogue: Catalogue;
  readonly clients: readonly VirtualClient[];
};

/** Reads the catalogue and gives every virtual user an account of its own. */
export async function prepareRun(target: Target, profile: Profile): Promise<Preparation> {
  const runId = `lt-${randomBytes(5).toString('hex')}`;
  const http = createHttpClient(target.origin, 16);
  try {
    const catalogue = await readCatalogue(http);
    const clients = await registerClients(http, { count: profile.users, loadtestKey: target.loadtestKey, runId });
    return { runId, catalogue, clients };
  } finally {
    await http.close();
  }
}
