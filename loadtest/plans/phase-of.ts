import { availableParallelism } from 'node:os';
import { highestRate, usersFor } from '../generate/arrivals.ts';
import type { Load, Measurement, Phase, RateStage } from '../measurement/measurement.ts';
import type { Plan, PlannedPhase } from './plan.ts';

/** What a command line may change of a plan. */
export type PlanChanges = {
  readonly users: number | undefined;
  /** 0–0: users never pause. */
  readonly thinkMs: readonly [number, number] | undefined;
  /** Requests a second at the beginning and at the end, whatever the answers: the load becomes an open one. */
  readonly rate?: readonly [number, number] | undefined;
  readonly durationMs: number | undefined;
  readonly seed: number;
  readonly mix: readonly string[];
};

/** The phases of a plan as they will be played. What a command line says of users is meant of the people where a plan has some. */
export const phasesOf = (plan: Plan, changes: PlanChanges): Phase[] =>
  plan.phases.map((phase) => phaseOf(phase, plan.people ? withoutPeople(changes) : changes));

const withoutPeople = (changes: PlanChanges): PlanChanges => ({ ...changes, users: undefined, thinkMs: undefined });

/** What a plan with a course plays next; undefined: nothing more. */
export function followUp(plan: Plan, changes: PlanChanges, soFar: Measurement | undefined): Phase | undefined {
  const planned = soFar && plan.course?.(soFar);
  return planned && phaseOf(planned, withoutPeople(changes));
}

/** One process drives some hundred users who pause with ease. */
const usersAProcess = 500;
const arrivalsAProcess = 500;
/** Without pauses, but no more than half of the cores: three who want two cores, the server among them, wait for each other. */
const saturatingProcesses = 2;
/** Pauses of users are longer than warm-up only where someone asks for it; then that is waited for, up to this. */
const maxExtraWarmUpMs = 10_000;

/** A phase as it will be played: a plan's, after changes. Pure but for the number of cores. */
export function phaseOf(planned: PlannedPhase, changes: PlanChanges, cores = availableParallelism()): Phase {
  const durationMs = changes.durationMs ?? planned.durationMs;
  const load = loadOf(planned.load, changes, durationMs);
  const thinkMs = load.kind === 'closed' ? load.thinkMs[1] : 0;
  return {
    ...planned,
    load,
    warmUpMs: Math.max(planned.warmUpMs, Math.min(maxExtraWarmUpMs, thinkMs)),
    durationMs,
    processes: processesFor(load, cores),
  };
}

/** How many generator processes play a load on a machine of so many cores. */
export function processesFor(load: Load, cores = availableParallelism()): number {
  if (load.kind === 'saturating') return Math.max(1, Math.min(saturatingProcesses, load.users, Math.floor(cores / 2)));
  const wanted = Math.ceil(load.kind === 'closed' ? load.users / usersAProcess : highestRate(load) / arrivalsAProcess);
  return Math.min(wanted, load.users, Math.max(1, cores));
}

function loadOf(load: Load, { users, thinkMs: changed, rate }: PlanChanges, durationMs: number): Load {
  if (rate !== undefined) {
    const [fromPerSecond, toPerSecond] = rate;
    const stages = [{ fromPerSecond, toPerSecond, durationMs }];
    return { kind: 'open', users: users ?? Math.max(load.users, usersFor(Math.max(...rate))), spacing: 'poisson', stages };
  }
  const count = users ?? load.users;
  if (load.kind === 'open') return { ...load, users: count, stages: stretch(load.stages, durationMs) };
  const thinkMs = changed ?? (load.kind === 'closed' ? load.thinkMs : undefined);
  return thinkMs === undefined || thinkMs[1] === 0 ? { kind: 'saturating', users: count } : { kind: 'closed', users: count, thinkMs };
}

/** The same course of rates over another time. */
function stretch(stages: readonly RateStage[], durationMs: number): RateStage[] {
  const wholeMs = stages.reduce((sum, stage) => sum + stage.durationMs, 0);
  return stages.map((stage) => ({ ...stage, durationMs: (stage.durationMs / wholeMs) * durationMs }));
}
