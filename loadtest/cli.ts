import { randomInt } from 'node:crypto';
import { runCommandLine, type Verb } from '#lib/command-line.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { flags, optionsHelp } from './options.ts';
import { plans } from './plans/plans.ts';
import { runPlanCommand } from './run-command.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const verbs = Object.fromEntries(
  Object.values(plans).map((plan): [string, Verb] => [
    plan.name,
    {
      synopsis: '[options]',
      summary: plan.summary,
      options: flags,
      positionals: [0, 1],
      run: (args) =>
        runPlanCommand(plan, args, { env: process.env, signal: stopping.signal, randomSeed: randomInt(2 ** 32), now: new Date() }),
    },
  ]),
);

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run loadtest --',
    summary: 'Plays many users against the API, measures, and says PASS, FAIL or INVALID. Without a plan: users.',
    verbs,
    defaultVerb: 'users',
    footer: optionsHelp,
  },
  process.argv.slice(2),
);
