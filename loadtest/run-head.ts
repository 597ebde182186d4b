import type { MeasurementHead, TargetFacts } from './measurement/measurement.ts';
import type { Observers } from './observe/sample-server.ts';
import type { PlanChanges } from './plans/phase-of.ts';
import type { Plan } from './plans/plan.ts';
import type { Target } from './targets/target.ts';

/** What is known of a run before its first request: what was asked for, and how the target is set. */
export async function readHead(
  plan: Plan,
  { seed, mix, users, thinkMs }: PlanChanges,
  target: Target,
  { runId, observers }: { readonly runId: string; readonly observers: Observers },
): Promise<MeasurementHead> {
  const { origin, kind } = target;
  return {
    version: 2,
    plan: plan.name,
    scenario: plan.scenario.name,
    runId,
    startedAt: new Date().toISOString(),
    target: { origin, kind, ...(await readSettings(target, observers)) },
    seed,
    mix,
    budget: plan.budget,
    ...(plan.people && { people: { users: users ?? plan.people.users, thinkMs: thinkMs ?? plan.people.thinkMs } }),
  };
}

type TargetSettings = Pick<TargetFacts, 'effective' | 'asked' | 'maxConnections'>;

/** What the target says it was set to, what it was asked to be, and what its database gives; none of it secret. */
async function readSettings({ settings }: Target, { admin, database }: Observers): Promise<TargetSettings> {
  const [effective = null, maxConnections] = await Promise.all([admin.config(), database.maxConnections()]);
  const asked = settings && effective && numbersAsked(settings, effective);
  return { effective, ...(asked && { asked }), ...(maxConnections !== undefined && { maxConnections }) };
}

/** Those the target takes to be numbers: no secret is one, and a number is written in one way. Pure. */
export const numbersAsked = (
  settings: Readonly<Record<string, string>>,
  effective: Readonly<Record<string, unknown>>,
): Record<string, string> => Object.fromEntries(Object.entries(settings).filter(([name]) => typeof effective[name] === 'number'));
