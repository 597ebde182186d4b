import type { Subject } from './subjects.ts';

/** The part of Stryker's JSON report that is read here. @see https://github.com/stryker-mutator/mutation-testing-elements */
export type MutationReport = { readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>> };

type Mutant = {
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'RuntimeError' | 'CompileError' | 'Ignored' | 'Pending';
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number } };
};

export type Score = {
  readonly subject: string;
  /** What was broken: a commit; with a + what was changed since. */
  readonly commit: string;
  readonly files: number;
  /** Mutants that could run and be judged. */
  readonly mutants: number;
  readonly killed: number;
  /** Killed ÷ mutants, 0–1; 0 of none, so that a subject whose files moved away does not pass unseen. */
  readonly score: number;
  /** `file:line mutator → replacement` of each mutant no test noticed. */
  readonly survivors: readonly string[];
};

const noticed = new Set<Mutant['status']>(['Killed', 'Timeout']);
const unnoticed = new Set<Mutant['status']>(['Survived', 'NoCoverage']);

/** What the tests of one subject noticed. */
export function scoreOf(subject: Subject, report: MutationReport): Omit<Score, 'commit'> {
  const files = Object.entries(report.files);
  const mutants = files.flatMap(([file, { mutants: found }]) => found.map((mutant) => ({ file, mutant })));
  const killed = mutants.filter(({ mutant }) => noticed.has(mutant.status)).length;
  const alive = mutants.filter(({ mutant }) => unnoticed.has(mutant.status));
  const judged = killed + alive.length;
  return {
    subject: subject.name,
    files: files.length,
    mutants: judged,
    killed,
    score: judged === 0 ? 0 : killed / judged,
    survivors: alive.map(
      ({ file, mutant }) => `${file}:${mutant.location.start.line} ${mutant.mutatorName} → ${oneLine(mutant.replacement)}`,
    ),
  };
}

const oneLine = (text = ''): string => text.replaceAll(/\s+/g, ' ').slice(0, 80);

const percent = (score: number): string => `${(score * 100).toFixed(1)} %`;

/** The page docs/mutation.md. */
export function showScores(scores: readonly Score[], leastScore: number): string {
  const rows = scores.map(
    ({ subject, commit, files, mutants, killed, score }) =>
      `| ${subject} | ${files} | ${mutants} | ${killed} | ${percent(score)} | ${commit} |`,
  );
  const alive = scores.filter(({ survivors }) => survivors.length > 0);
  return `# What the tests notice

\`npm run mutate\` breaks the code that verdicts, money and memory rest on, one small change at a time, and runs the tests that should
notice (StrykerJS). At least ${percent(leastScore)} of the changes must be noticed, in each subject. This page is what it wrote.

| subject | files | changes | noticed | score | at |
| --- | ---: | ---: | ---: | ---: | --- |
${rows.join('\n')}

## Not noticed

${alive.map(({ subject, survivors }) => `### ${subject}\n\n${survivors.map((line) => `- \`${line.replaceAll('`', "'")}\``).join('\n')}`).join('\n\n')}
`;
}
