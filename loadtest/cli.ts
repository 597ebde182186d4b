import { randomInt } from 'node:crypto';
import { runCommandLine } from '#lib/command-line.ts';
import { parentEnded, stopSignal } from '#lib/shutdown.ts';
import { compareVerb } from './compare/compare-command.ts';
import { ratelimitVerb } from './conformance/command.ts';
import { poolVerb } from './pool/command.ts';
import { sizePoolVerb } from './size-pool/command.ts';
import type { MakeVerb } from './command.ts';
import { capacityVerb, gateVerb, journeysVerb, reportVerb } from './commands.ts';
import { defaultGate, gates, mixesOf } from './gates.ts';
import { exportVerb } from './k6/export-command.ts';
import { optionsHelp, type Mixes } from './options.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));
// A killed npm tells nobody; whoever started this program by itself may leave it running.
if (process.env['npm_lifecycle_event'] !== undefined) void parentEnded().then(() => stopping.abort(new Error('ended with npm')));

/** What is no plan or more than one, each from the room that does it. */
const rooms: Readonly<Record<string, MakeVerb>> = {
  report: reportVerb,
  capacity: capacityVerb,
  journeys: journeysVerb,
  export: exportVerb,
  ratelimit: ratelimitVerb,
  compare: compareVerb,
  pool: poolVerb,
  'size-pool': sizePoolVerb,
};

const context = { env: process.env, signal: stopping.signal, randomSeed: randomInt(2 ** 32), now: new Date() };
const makers = { ...Object.fromEntries(Object.values(gates).map((gate) => [gate.name, gateVerb(gate)])), ...rooms };

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run loadtest --',
    summary: `Plays many users against the API, measures, and says PASS, FAIL or INVALID. Without a plan: ${defaultGate}.`,
    verbs: Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, make(context)])),
    defaultVerb: defaultGate,
    footer: optionsHelp(Object.assign({}, ...Object.values(gates).map(mixesOf)) as Mixes),
  },
  process.argv.slice(2),
);
