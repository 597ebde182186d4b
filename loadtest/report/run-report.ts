import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Verdict } from '../judge/verdict.ts';
import { junitXml, type Suite } from './junit.ts';

/** A judged run, whatever was played: what its folder, a terminal, a program and a gate are told of it. */
export type RunReport = {
  /** `smoke`, `pool`. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What came of it, in one sentence. */
  readonly sentence: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** For people at a terminal, without verdict and place of the report. */
  readonly text: string;
  /** What report.json holds and `--json` prints. */
  readonly json: object;
  readonly suites: readonly Suite[];
  readonly markdown: string;
  readonly html: string;
};

/** A result for programs. */
export const toJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const page = 'report.html';

/** Writes report.html, report.json, junit.xml and summary.md into the folder of a run. @returns path of the page */
export async function writeReport(run: RunReport, dir: string): Promise<string> {
  const files = { [page]: run.html, 'report.json': toJson(run.json), 'junit.xml': junitXml(run.suites), 'summary.md': run.markdown };
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(dir, name), content)));
  return join(dir, page);
}

/** What a terminal shows of a run: the last line is the verdict. */
export const sayReport = ({ text, verdict }: RunReport, path: string): string => `${text}\nreport: ${path}\n${verdict}`;
