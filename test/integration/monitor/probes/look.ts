import * as z from 'zod';
import { runProbe } from '#monitor/health/run-probe.ts';
import { systemClock } from '#monitor/model/look.ts';
import { createBeats } from '#monitor/probes/beats.ts';
import type { ProbeEnv } from '#monitor/probes/probe.ts';
import { probeKinds } from '#monitor/probes/kinds.ts';
import { createHostResolver } from '#monitor/probes/resolve-host.ts';

const env: ProbeEnv = {
  POSTGRES_HOST: '127.0.0.1',
  POSTGRES_PORT: 5432,
  POSTGRES_DB: 'x',
  POSTGRES_USER: 'x',
  REDIS_HOST: '127.0.0.1',
  REDIS_PORT: 6379,
  API_URL: 'http://127.0.0.1:8000',
};

const timeoutMs = 3_000;

type Look = { readonly outcome: string; readonly detail: string };

/** Looks at one target as often as it is asked, made from what would stand in the file. */
export function looker(kind: string, fields: object, changes: Partial<ProbeEnv> = {}, resolveHost = createHostResolver()) {
  const made = probeKinds.find((each) => each.kind === kind);
  if (!made) throw new Error(`no kind is named ${kind}`);
  const beats = createBeats({ ledger: { all: () => [], write: () => {} }, clock: systemClock });
  const context = { env: { ...env, ...changes }, resolveHost, timeoutMs, beats };
  const probe = made.create({ ...z.strictObject(made.schema).parse(fields), name: kind }, context);
  return async (): Promise<Look> => {
    const { outcome, detail } = await runProbe(probe, { timeoutMs, slowMs: timeoutMs }, systemClock);
    return { outcome, detail };
  };
}

/** One look. */
export const look = (...given: Parameters<typeof looker>): Promise<Look> => looker(...given)();
