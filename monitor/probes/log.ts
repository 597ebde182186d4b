import * as z from 'zod';
import { messageOf } from '#lib/errors.ts';
import { showBytes } from '#lib/show.ts';
import type { Fact } from '../model/look.ts';
import { bytes } from './fields.ts';
import { followLog, type Appended } from './log-tail.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport } from './probe.ts';
import type { Sentence } from '../words/sentence.ts';

export type LogTarget = {
  readonly path: string;
  /** Most errors, and most bytes, in a minute. */
  readonly errors: number;
  readonly growth: number;
  /** Most bytes of the file. */
  readonly largest: number;
};

export const logKind = probeKind({
  kind: 'log',
  schema: {
    path: z.string().min(1).describe('A log file of JSON lines, followed over its rotation; LOG_DIR of an API has app.log and access.log.'),
    errors: z
      .int()
      .min(0)
      .max(1_000_000)
      .default(30)
      .describe('Lines of level error or worse, or with a status from 500 on, in a minute beyond which the target is degraded.'),
    growth: bytes().prefault('512MiB').describe('Growth in a minute beyond which it is degraded.'),
    largest: bytes().prefault('8GiB').describe('Size of the file beyond which it is degraded: nothing rotates it.'),
  },
  create: (fields) => logProbe(fields),
  describe: ({ path }) => path,
});

const minuteMs = 60_000;

/** A probe over what comes to a log file. A file that is not there yet has no lines. */
function logProbe(target: LogTarget): Probe {
  const follow = followLog(target.path);
  let looks: readonly (Appended & { readonly clockMs: number })[] = [];
  return async () => {
    const appended = await follow().catch((err: unknown) => {
      throw new MonitorFaultError(`${target.path} cannot be read: ${messageOf(err)}`, { cause: err });
    });
    const clockMs = performance.now();
    looks = [...looks.filter((look) => clockMs - look.clockMs < minuteMs), { ...appended, clockMs }];
    return judgeLog(target, looks);
  };
}

/** What came within the last minute, look by look, says of the log. Pure. */
export function judgeLog({ path, errors: mostErrors, growth, largest }: LogTarget, looks: readonly Appended[]): ProbeReport {
  const sizeBytes = looks.at(-1)?.sizeBytes;
  const errors = looks.reduce((sum, look) => sum + look.errors, 0);
  const grownBytes = looks.reduce((sum, look) => sum + look.bytes, 0);
  const lastError = looks.findLast((look) => look.lastError !== undefined)?.lastError;
  const facts: Fact[] = lastError === undefined ? [] : [['Last error', describeLine(lastError)]];
  if (sizeBytes === undefined && errors === 0) return { outcome: 'ok', detail: `${path} is not there yet`, facts };
  const problems = [
    errors > mostErrors ? `more errors than ${mostErrors}` : [],
    grownBytes > growth ? `it grows by more than ${showBytes(growth)}` : [],
    (sizeBytes ?? 0) > largest ? `it is ${showBytes(sizeBytes ?? 0)} large, more than ${showBytes(largest)}` : [],
  ].flat();
  const detail = [`${path} had ${errors} errors and ${showBytes(grownBytes)} in the last minute`, ...problems].join('; ');
  if (problems.length === 0) return { outcome: 'ok', detail, facts };
  const last = lastError === undefined ? undefined : describeLine(lastError);
  const cause: Sentence = errors > mostErrors ? { code: 'logErrors', path, last } : { code: 'logGrows', path };
  return { outcome: 'degraded', cause, detail, facts, nextStep: { code: 'seeLog', path } };
}

const longestShown = 200;

/** Message, error and route of a line, whatever else it holds. Pure. */
export function describeLine(line: string): string {
  try {
    const { msg, err, method, route, status } = JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as Record<string, unknown>;
    const cause = (err as { message?: unknown } | undefined)?.message;
    const said = [msg, cause, method, route, status].filter((part) => typeof part === 'string' || typeof part === 'number');
    return said.join(' ').replaceAll(/\s+/g, ' ').slice(0, longestShown);
  } catch {
    return 'a line that is no JSON';
  }
}
