import { dirname } from 'node:path';
import type { MonitorSettings } from '../config/config.ts';
import { apiMetrics } from '../evidence/api-metrics.ts';
import { databaseActivity } from '../evidence/database-activity.ts';
import { errorLines } from '../evidence/error-lines.ts';
import { createEvidence, type Evidence } from '../evidence/evidence.ts';
import type { Source } from '../evidence/source.ts';
import type { Watch } from '../health/watch.ts';
import type { ResolveHost } from '../probes/probe.ts';
import type { House } from './house.ts';

/** What the monitor can find out around an incident, by what the settings have it watch. */
export function seekEvidence(
  { outbox, clock, firstAnswers }: Pick<House, 'outbox' | 'clock' | 'firstAnswers'>,
  settings: MonitorSettings,
  { watch, resolveHost }: { readonly watch: () => Pick<Watch, 'snapshot'>; readonly resolveHost: ResolveHost },
): Evidence {
  return createEvidence({
    sources: sourcesOf(settings, resolveHost),
    snapshot: () => watch().snapshot(),
    keep: (entry) => outbox.commit({ health: [], incidents: [], alerts: [], timeline: [entry] }),
    watchingSince: firstAnswers.awaitedSince.at,
    clock,
  });
}

function sourcesOf({ env, probes, objectives, actions, rotation }: MonitorSettings, resolveHost: ResolveHost): Source[] {
  const shown = [...objectives.flatMap(({ sources }) => sources), ...actions.map(({ admin }) => new URL('/metrics', admin))];
  const metrics = [...new Map(shown.map((url) => [url.href, url])).values()];
  const logs = [...rotation.map(({ dir }) => dir), ...probes.filter(({ kind }) => kind === 'log').map(({ where }) => dirname(where))];
  return [
    ...(metrics.length === 0 ? [] : [apiMetrics(metrics, env.METRICS_TOKEN)]),
    ...(probes.some(({ kind }) => kind === 'postgres') ? [databaseActivity(env, resolveHost)] : []),
    ...[...new Set(logs)].map((dir) => errorLines(dir, Date.now)),
  ];
}
