import { writeFileSync } from 'node:fs';
import { print } from '#lib/command-line.ts';
import { messageOf, UsageError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';
import type { MakeVerb } from '../command.ts';
import { readOptions } from '../options.ts';
import { phasesOf } from '../plans/phase-of.ts';
import { plans } from '../plans/plans.ts';
import { k6Script } from './k6-script.ts';

/** `npm run loadtest -- export k6 PLAN`. */
export const exportVerb: MakeVerb = ({ randomSeed }) => ({
  synopsis: 'k6 PLAN [--out FILE] [--target URL] [--duration 30s] [--users N] [--think 1s-3s] [--rate N]',
  summary: 'Writes a plan as a script for k6: the same load, journeys and limits, for as many machines as k6 can use.',
  options: {
    out: { type: 'string' },
    target: { type: 'string' },
    duration: { type: 'string' },
    users: { type: 'string' },
    think: { type: 'string' },
    rate: { type: 'string' },
  },
  positionals: [2, 2],
  run: async ({ positionals: [kind = '', name = ''], flags }) => {
    if (kind !== 'k6') throw new UsageError(`export ${kind} is unknown; known: k6`);
    const plan = plans[name];
    if (plan === undefined) throw new UsageError(`there is no plan "${name}"; known: ${Object.keys(plans).join(', ')}`);
    const options = readOptions({ flags, positionals: [] }, {}, randomSeed);
    const [phase, ...more] = phasesOf(plan, options.changes);
    const { k6 } = plan.scenario;
    if (k6 === undefined || phase === undefined || more.length > 0 || plan.course)
      throw new UsageError(
        `the plan "${name}" cannot be written for k6: ${k6 ? 'what it does follows from what it measures' : 'its scenario has no script'}`,
      );
    const script = k6Script({ name, budget: plan.budget, phase, scenario: k6(), target: options.target ?? 'http://127.0.0.1:8000' });
    if (options.outDir === undefined) print(script.trimEnd());
    else writeTo(options.outDir, script);
    return EXIT.done;
  },
});

function writeTo(path: string, script: string): void {
  try {
    writeFileSync(path, script);
  } catch (err) {
    throw new UsageError(`--out ${path} cannot be written: ${messageOf(err)}`, { cause: err });
  }
}
