import { randomInt } from 'node:crypto';
import { runCommandLine, type Verb } from '#lib/command-line.ts';
import { parentEnded, stopSignal } from '#lib/shutdown.ts';
import { flags, optionsHelp, type Mixes } from './options.ts';
import { defaultGate, gates } from './plans/plans.ts';
import { mixesOf, reportAgain, runGate } from './commands.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));
// A killed npm tells nobody; whoever started this program by itself may leave it running.
if (process.env['npm_lifecycle_event'] !== undefined) void parentEnded().then(() => stopping.abort(new Error('ended with npm')));

const verbs = Object.fromEntries(
  Object.values(gates).map((gate): [string, Verb] => [
    gate.name,
    {
      synopsis: '[options]',
      summary: gate.summary,
      options: flags,
      footer: optionsHelp(mixesOf(gate)),
      positionals: [0, 1],
      run: (args) => runGate(gate, args, { env: process.env, signal: stopping.signal, randomSeed: randomInt(2 ** 32), now: new Date() }),
    },
  ]),
);

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run loadtest --',
    summary: `Plays many users against the API, measures, and says PASS, FAIL or INVALID. Without a plan: ${defaultGate}.`,
    verbs: {
      ...verbs,
      report: {
        synopsis: '--from DIR [--json]',
        summary: 'Judges the run in that folder again and writes its reports anew.',
        options: { from: { type: 'string' }, json: { type: 'boolean' } },
        positionals: [0, 0],
        run: reportAgain,
      },
    },
    defaultVerb: defaultGate,
    footer: optionsHelp(Object.assign({}, ...Object.values(gates).map(mixesOf)) as Mixes),
  },
  process.argv.slice(2),
);
