import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from './report.ts';
import { reportHtml } from './report-html.ts';
import { reportJson } from './report-json.ts';
import { reportJunit } from './report-junit.ts';
import { reportMarkdown } from './report-markdown.ts';

/** Paths of the files of one report. */
export type ReportFiles = { readonly html: string; readonly json: string; readonly junit: string; readonly markdown: string };

/** A report and where it was written. */
export type Finished = { readonly report: Report; readonly files: ReportFiles };

/** Writes report.html, report.json, junit.xml and summary.md into the folder of a run. */
export async function writeReport(report: Report, dir: string): Promise<ReportFiles> {
  const files: ReportFiles = {
    html: join(dir, 'report.html'),
    json: join(dir, 'report.json'),
    junit: join(dir, 'junit.xml'),
    markdown: join(dir, 'summary.md'),
  };
  await Promise.all([
    writeFile(files.html, await reportHtml(report)),
    writeFile(files.json, reportJson(report)),
    writeFile(files.junit, reportJunit(report)),
    writeFile(files.markdown, reportMarkdown(report)),
  ]);
  return files;
}
