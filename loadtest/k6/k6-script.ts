import { highestRate } from '../generate/arrivals.ts';
import type { Budget, Load, Phase } from '../measurement/measurement.ts';
import type { K6Scenario } from '../scenarios/scenario.ts';

type K6Plan = {
  readonly name: string;
  readonly budget: Budget;
  readonly phase: Phase;
  readonly scenario: K6Scenario;
  readonly target: string;
};

/** The scenario whose requests the limits of latency are about. */
export const measuredScenario = 'measured';

/**
 * A plan of one phase as a k6 script: the same load, journeys and limits. One iteration is one request, so that an arrival rate is
 * one of requests; warm-up is a scenario of its own, which no limit of latency is about. Errors count over both, as in our own runs.
 * @see https://grafana.com/docs/k6/latest/using-k6/scenarios/executors/
 */
export function k6Script({ name, budget, phase, scenario, target }: K6Plan): string {
  const thinkMs = phase.load.kind === 'closed' ? phase.load.thinkMs : [0, 0];
  const plan = { target, users: phase.load.users, thinkMs, timeoutMs: phase.timeoutMs, ...scenario.facts };
  const options = {
    setupTimeout: '10m',
    teardownTimeout: '10m',
    summaryTrendStats: ['count', 'avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
    scenarios: scenariosOf(phase),
    thresholds: thresholdsOf(budget, phase, scenario.endpoints),
  };
  return `// The plan "${name}" of \`npm run loadtest\`, for k6 1.0 or later:
//   k6 run -e LOADTEST_KEY=… -e TARGET=${target} --summary-export summary.json ${name}.js
//   npm run loadtest -- report --from summary.json --plan ${name}
const plan = ${JSON.stringify(plan, null, 2)};

export const options = ${JSON.stringify(options, null, 2)};

${scenario.script}`;
}

const milliseconds = (ms: number): string => `${Math.round(ms)}ms`;

function scenariosOf({ load, warmUpMs, durationMs, timeoutMs }: Phase): Record<string, unknown> {
  const first = load.kind === 'open' ? (load.stages[0]?.fromPerSecond ?? 0) : 0;
  const warmUp: Load =
    load.kind === 'open' ? { ...load, stages: [{ fromPerSecond: first, toPerSecond: first, durationMs: warmUpMs }] } : load;
  return {
    ...(warmUpMs > 0 && { warmUp: { ...executorOf(warmUp, warmUpMs), gracefulStop: '0s' } }),
    [measuredScenario]: { startTime: milliseconds(warmUpMs), ...executorOf(load, durationMs), gracefulStop: milliseconds(timeoutMs) },
  };
}

function executorOf(load: Load, durationMs: number): Record<string, unknown> {
  if (load.kind !== 'open') return { executor: 'constant-vus', vus: load.users, duration: milliseconds(durationMs) };
  // k6 knows ramps to a rate only: a jump is a ramp of no length. It takes whole rates.
  const unit = { timeUnit: '1s', preAllocatedVUs: Math.min(load.users, Math.ceil(highestRate(load))), maxVUs: load.users };
  const stages = load.stages.flatMap(({ fromPerSecond, toPerSecond, durationMs: lengthMs }, index) => [
    ...(index > 0 && fromPerSecond !== load.stages[index - 1]?.toPerSecond ? [{ duration: '0s', target: Math.round(fromPerSecond) }] : []),
    { duration: milliseconds(lengthMs), target: Math.round(toPerSecond) },
  ]);
  return { executor: 'ramping-arrival-rate', startRate: Math.round(load.stages[0]?.fromPerSecond ?? 0), ...unit, stages };
}

/** A threshold on the metric of an endpoint is also what makes k6 export it. Users who never pause make the latency themselves. */
function thresholdsOf({ p95Ms, p99Ms, errorRate }: Budget, { load }: Phase, endpoints: readonly string[]): Record<string, string[]> {
  const latency = load.kind === 'saturating' ? ['p(95)>=0'] : [`p(95)<${p95Ms}`, `p(99)<${p99Ms}`];
  const errors = [`rate<${errorRate}`];
  return {
    [`http_req_duration{scenario:${measuredScenario}}`]: latency,
    wrong_answers: errors,
    ...Object.fromEntries(
      endpoints.flatMap((endpoint) => [
        [`http_req_duration{scenario:${measuredScenario},endpoint:${endpoint}}`, latency],
        [`wrong_answers{endpoint:${endpoint}}`, errors],
      ]),
    ),
  };
}
