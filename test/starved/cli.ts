import { UsageError } from '#lib/errors.ts';
import { runCommandLine } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { defects } from '#test/zoo/defects.ts';
import { openDefect } from '#test/zoo/run-member.ts';
import { describeCommit } from '#test/zoo/table.ts';
import { runStarved, type Starved } from './run-starved.ts';
import { publish, type Shop } from './table.ts';
import { ways } from './ways.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const good: Shop = { name: 'good', says: 'the shop as it is', isRight: (verdict) => verdict === 'PASS' || verdict === 'INVALID' };
/** One of content, one of latency. */
const defective = defects.filter(({ name }) => name === 'price-in-one-answer' || name === 'one-endpoint-slow');
const shops: readonly Shop[] = [
  good,
  ...defective.map(({ name, says }): Shop => ({ name, says, isRight: (verdict) => verdict === 'FAIL' || verdict === 'INVALID' })),
];

async function run(names: readonly string[], wayName: string | undefined): Promise<ExitCode> {
  for (const name of names) {
    if (!shops.some((shop) => shop.name === name))
      throw new UsageError(`there is no shop "${name}"; there are ${shops.map((shop) => shop.name).join(', ')}`);
  }
  if (wayName !== undefined && !ways.some((way) => way.name === wayName))
    throw new UsageError(`there is no way "${wayName}"; there are ${ways.map((way) => way.name).join(', ')}`);
  const commit = await describeCommit();
  let wrong = 0;
  for (const shop of shops.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const defect = defective.find(({ name }) => name === shop.name);
    const { target, remove } = defect
      ? await openDefect(defect, process.env, stopping.signal)
      : { target: await openOwnTarget(process.env, stopping.signal), remove: async () => {} };
    try {
      for (const [index, way] of ways.entries()) {
        if ((wayName ?? way.name) !== way.name) continue;
        const result = await runStarved(shop.name, way, target, { seed: index + 1, signal: stopping.signal, commit });
        stopping.signal.throwIfAborted();
        if (!shop.isRight(result.verdict)) wrong += 1;
        tell(`${shop.isRight(result.verdict) ? 'ok  ' : 'MISS'} ${line(result)}`);
        const missing = await publish(shops, [result]);
        if (missing.length > 0) tell(`     docs/starved.md is left as it is: ${missing.length} pairs have no result yet`);
      }
    } finally {
      await target.stop();
      await remove();
    }
  }
  return wrong === 0 ? EXIT.done : EXIT.failed;
}

const line = ({ shop, way, verdict, checks, why, p95Ms }: Starved): string =>
  `${shop.padEnd(20)} ${way.padEnd(9)} ${verdict.padEnd(8)} p95 ${p95Ms === null ? '–' : Math.round(p95Ms)} ms  ${checks.join(', ')}  ${why.slice(0, 300)}`;

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run starved --',
    summary: 'Starves the client of the load test in five ways, beside a shop that is right and two that are not.',
    verbs: {
      run: {
        synopsis: '[SHOP…] [--way NAME]',
        summary: `All shops, or those named: ${shops.map(({ name }) => name).join(', ')}; with --way in one of ${ways.map(({ name }) => name).join(', ')} only.`,
        options: { way: { type: 'string' } },
        positionals: [0, shops.length],
        run: ({ positionals, flags }) => run(positionals, flags['way'] as string | undefined),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
