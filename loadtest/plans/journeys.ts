import { usersFor } from '../generate/arrivals.ts';
import { standardJudges } from '../judge/standard.ts';
import type { Budget, EndpointBudget, Load } from '../measurement/measurement.ts';
import type { Journeys } from '../scenarios/journeys/file-schema.ts';
import { journeyJudges } from '../scenarios/journeys/judges.ts';
import { journeys, scriptOf, type Script } from '../scenarios/journeys/journeys.ts';
import { endpointOf } from '../scenarios/journeys/references.ts';
import { capacityOf } from './capacity.ts';
import type { Plan, PlannedPhase } from './plan.ts';

const summary = 'Any API: weighted journeys, what their answers must hold, load and limits, all from a YAML file.';

/** The load test that a file of journeys describes. */
export function journeysPlan(script: Script): Plan {
  const { load } = script.file;
  const scenario = journeys(script);
  const budget = budgetOf(script.file);
  if (load.capacity === undefined) {
    const judges = [...standardJudges, ...journeyJudges];
    return { name: 'journeys', summary, scenario, phases: [phaseOf(load)], judges, budget };
  }
  const { users, think, precision } = load.capacity;
  const { warmUp: warmUpMs, duration: durationMs, timeout: timeoutMs } = load;
  const limits = { ...budget, precision: 1 + precision };
  const search = capacityOf({ scenario, script: 'journeys', judges: journeyJudges, warmUpMs, durationMs, timeoutMs, budget: limits });
  return { ...search, name: 'journeys-capacity', people: { users, thinkMs: think } };
}

const defaultLoad: { users: number; thinkMs: [number, number]; durationMs: number } = {
  users: 10,
  thinkMs: [1_000, 3_000],
  durationMs: 30_000,
};

function phaseOf(asked: Journeys['load']): PlannedPhase {
  const { rates, warmUp: warmUpMs, timeout: timeoutMs } = asked;
  const durationMs = rates?.reduce((sum, stage) => sum + stage.for, 0) ?? asked.duration ?? defaultLoad.durationMs;
  return { name: 'journeys', script: 'journeys', load: loadOf(asked), warmUpMs, durationMs, timeoutMs };
}

function loadOf({ rates, users, think: thinkMs = defaultLoad.thinkMs, spacing = 'poisson' }: Journeys['load']): Load {
  if (rates === undefined) {
    const count = users ?? defaultLoad.users;
    return thinkMs[1] === 0 ? { kind: 'saturating', users: count } : { kind: 'closed', users: count, thinkMs };
  }
  const stages = rates.map(({ rate: [fromPerSecond, toPerSecond], for: durationMs }) => ({ fromPerSecond, toPerSecond, durationMs }));
  return { kind: 'open', users: users ?? usersFor(Math.max(...rates.flatMap(({ rate }) => rate))), spacing, stages };
}

function budgetOf({ limits, slo, journeys: all }: Journeys): Budget {
  const endpoints: Record<string, EndpointBudget> = {};
  for (const [name, own] of Object.entries(limits.endpoints)) endpoints[name] = limitsOf(own);
  for (const step of Object.values(all).flatMap(({ steps }) => steps)) {
    const { within } = step.expect;
    if (within === undefined) continue;
    const known = endpoints[endpointOf(step)];
    endpoints[endpointOf(step)] = { ...known, longestMs: Math.min(within, known?.longestMs ?? Infinity) };
  }
  return {
    p95Ms: 200,
    p99Ms: 500,
    errorRate: 0.01,
    ...limitsOf(limits),
    ...(Object.keys(endpoints).length > 0 && { endpoints }),
    ...(slo && { slo: { share: slo.good, withinMs: slo.within } }),
  };
}

const limitsOf = ({ p95, p99, errors }: Omit<Journeys['limits'], 'endpoints'>): EndpointBudget => ({
  ...(p95 !== undefined && { p95Ms: p95 }),
  ...(p99 !== undefined && { p99Ms: p99 }),
  ...(errors !== undefined && { errorRate: errors }),
});

/** What a finished run is judged again by: it is the same whatever file was played. */
export const journeysAgain: readonly Plan[] = [{}, { capacity: {} }].map((load) =>
  journeysPlan(scriptOf({ load, journeys: { any: { steps: [{ request: 'GET /' }] } } })),
);
