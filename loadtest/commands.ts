import { readFile, stat } from 'node:fs/promises';
import { UsageError } from '#lib/errors.ts';
import type { ExitCode } from '#lib/exit-codes.ts';
import { defaultFolder, tell, type CommandContext, type MakeVerb } from './command.ts';
import { gateOf, mixesOf, type Gate } from './gates.ts';
import { judgeRun } from './judge-run.ts';
import { judgeK6, k6Report, readK6Summary } from './k6/k6-summary.ts';
import { makeOutFolder } from './measurement/run-folder.ts';
import { flags, optionsHelp, parsePaths } from './options.ts';
import { capacity } from './plans/capacity.ts';
import { journeysPlan } from './plans/journeys.ts';
import { plans } from './plans/plans.ts';
import { readBaseline } from './report/baseline.ts';
import { runGate } from './run-gate.ts';
import { scriptOfPaths } from './scenarios/journeys/journeys.ts';
import { readJourneys } from './scenarios/journeys/read-journeys.ts';

/** A command that plays what belongs to a gate. */
export const gateVerb =
  (gate: Gate): MakeVerb =>
  (context) => ({
    synopsis: '[options]',
    summary: gate.summary,
    options: flags,
    footer: optionsHelp(mixesOf(gate)),
    positionals: [0, 1],
    run: (args) => runGate(gate, args, context),
  });

/** `capacity`: of the shop, or of any service by the paths that are read there. */
export const capacityVerb: MakeVerb = (context) => {
  const shop = gateOf(capacity);
  return {
    ...gateVerb(shop)(context),
    options: { ...flags, path: { type: 'string' } },
    footer: `  --path /a,/b        of a service that is no shop: the paths that are read; anything but 2xx is wrong\n\n${optionsHelp(mixesOf(shop))}`,
    run: async (args) => {
      const { path } = args.flags;
      if (typeof path !== 'string') return runGate(shop, args, context);
      const plan = journeysPlan(scriptOfPaths(parsePaths(path), { capacity: {} }));
      return runGate(gateOf(plan), args, { ...context, isKeyNeeded: false });
    },
  };
};

/** A command that plays what a file of journeys says. */
export const journeysVerb: MakeVerb = (context) => ({
  synopsis: '--file F.yaml [options]',
  summary: 'Any API: journeys, what must hold of their answers, load and limits from a YAML file; see docs/journeys.md.',
  options: { ...flags, file: { type: 'string' } },
  footer: optionsHelp({}),
  positionals: [0, 0],
  run: async (args) => {
    const { file } = args.flags;
    if (typeof file !== 'string') throw new UsageError('journeys: --file F.yaml is missing, a file of journeys; see docs/journeys.md');
    const plan = journeysPlan(await readJourneys(file, context.env));
    return runGate(gateOf(plan), args, { ...context, isKeyNeeded: false });
  },
});

/** Judges a finished run again, from the file in its folder, and writes its reports anew; or what k6 measured. */
export const reportVerb: MakeVerb = (context) => ({
  synopsis: '--from DIR|FILE [--baseline FILE|DIR] [--plan NAME] [--out DIR] [--json]',
  summary: 'Judges the run in that folder again and writes its reports anew; or a summary of k6, by the budget of --plan.',
  options: {
    from: { type: 'string' },
    baseline: { type: 'string' },
    plan: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
  positionals: [0, 0],
  run: async ({ flags: given }) => {
    const text = (name: string): string | undefined => (typeof given[name] === 'string' ? given[name] : undefined);
    const [from, baseline, isJson] = [text('from'), text('baseline'), given['json'] === true];
    if (from === undefined) throw new UsageError('report: --from DIR is missing, the folder of a run');
    if ((await stat(from).catch(() => undefined))?.isFile() === true) {
      return tellSummary(from, { planName: text('plan'), out: text('out'), isJson }, context);
    }
    if (text('out') !== undefined)
      throw new UsageError('report: --out is for a summary of k6; the reports of a run go into its own folder');
    return tell(await judgeRun(from, baseline === undefined ? undefined : (plan) => readBaseline(baseline, plan)), from, isJson);
  },
});

type Asked = { readonly planName: string | undefined; readonly out: string | undefined; readonly isJson: boolean };

/** Judges what k6 measured by the budget of a plan. */
async function tellSummary(path: string, { planName, out, isJson }: Asked, { now }: CommandContext): Promise<ExitCode> {
  const plan = planName === undefined ? undefined : plans[planName];
  if (plan === undefined)
    throw new UsageError(`report --from ${path}: --plan NAME says by whose budget; known: ${Object.keys(plans).join(', ')}`);
  const judgement = judgeK6(plan.name, plan.budget, readK6Summary(path, await readFile(path, 'utf8')));
  const dir = out ?? defaultFolder(`k6-${plan.name}`, now);
  makeOutFolder(dir);
  return tell(await k6Report(judgement, now.toISOString()), dir, isJson);
}
