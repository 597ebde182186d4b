import { UsageError } from '#lib/errors.ts';
import { runCommandLine } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { defects } from './defects.ts';
import { runClean, runDefect, type MemberOptions, type Result } from './run-member.ts';
import { publish } from './table.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

type Flags = Readonly<Record<string, unknown>>;

async function runZoo(names: readonly string[], flags: Flags): Promise<ExitCode> {
  for (const name of names) {
    if (!defects.some((defect) => defect.name === name))
      throw new UsageError(`there is no defect "${name}"; there are ${defects.map((one) => one.name).join(', ')}`);
  }
  const clean = Number(flags['clean'] ?? 0);
  const isBusy = flags['busy'] === true;
  const options: MemberOptions = { env: process.env, signal: stopping.signal, durationMs: 15_000 };
  const wanted = names.length > 0 ? defects.filter(({ name }) => names.includes(name)) : clean > 0 ? [] : defects;
  const results: Result[] = [];
  let missing: readonly string[] = [];
  const members = [
    ...wanted.map((defect) => () => runDefect(defect, options)),
    ...Array.from({ length: clean }, (_, i) => () => runClean(i + 1, isBusy, options)),
  ];
  for (const member of members) {
    const result = await member();
    results.push(result);
    tell(`${String(results.length).padStart(3)}/${members.length}  ${line(result)}`);
    missing = await publish([result]);
  }
  if (missing.length > 0)
    tell(`docs/zoo.md is left as it is: ${missing.length} of ${defects.length} members have no result here yet, such as ${missing[0]}`);
  const missed = results.filter(({ isRight }) => !isRight);
  tell(
    `${results.length - missed.length} of ${results.length} right${missed.length > 0 ? `; not ${missed.map(({ name }) => name).join(', ')}` : ''}`,
  );
  return missed.length === 0 ? EXIT.done : EXIT.failed;
}

const line = ({ name, verdict, namedAs, witness, isRight, seconds }: Result): string =>
  `${isRight ? 'ok  ' : 'MISS'} ${name.padEnd(30)} ${verdict.padEnd(8)} ${namedAs.join(', ').padEnd(28)} ${seconds} s  ${witness.slice(0, 160)}`;

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run zoo --',
    summary: 'Runs the load test against copies of the shop with one seeded defect each: every one must be found and named.',
    verbs: {
      run: {
        synopsis: '[NAME…] [--clean N [--busy]]',
        summary: 'All defects, or those named; with --clean N: the shop as it is, N times, with --busy beside a busy core.',
        options: { clean: { type: 'string' }, busy: { type: 'boolean' } },
        positionals: [0, defects.length],
        run: ({ positionals, flags }) => runZoo(positionals, flags),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
