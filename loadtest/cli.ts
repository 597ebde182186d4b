import { randomInt } from 'node:crypto';
import { runCommandLine, type Verb } from '#lib/command-line.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { flags, optionsHelp } from './options.ts';
import { defaultProgramme, programmes } from './plans/plans.ts';
import { runProgramme } from './run-command.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const verbs = Object.fromEntries(
  Object.values(programmes).map((programme): [string, Verb] => [
    programme.name,
    {
      synopsis: '[options]',
      summary: programme.summary,
      options: flags,
      positionals: [0, 1],
      run: (args) =>
        runProgramme(programme, args, { env: process.env, signal: stopping.signal, randomSeed: randomInt(2 ** 32), now: new Date() }),
    },
  ]),
);

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run loadtest --',
    summary: `Plays many users against the API, measures, and says PASS, FAIL or INVALID. Without a plan: ${defaultProgramme}.`,
    verbs,
    defaultVerb: defaultProgramme,
    footer: optionsHelp,
  },
  process.argv.slice(2),
);
