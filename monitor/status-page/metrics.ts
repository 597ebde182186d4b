import type { StatusSnapshot } from './status-snapshot.ts';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];
type Family = { readonly name: string; readonly help: string; readonly samples: readonly Sample[] };

const statuses = ['up', 'degraded', 'down', 'unknown'] as const;

/** The monitor's knowledge as metrics, in the text format of Prometheus. */
export async function renderMetrics(snapshot: StatusSnapshot, residentBytes: number): Promise<{ contentType: string; text: string }> {
  // Loaded at the first scrape: a monitor at rest keeps its memory.
  const { Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const self: readonly Family[] = [
    { name: 'self_ok', help: '1 while the monitor watches as it should.', samples: [[{}, snapshot.self.status === 'failing' ? 0 : 1]] },
    { name: 'resident_memory_bytes', help: 'Memory of the process.', samples: [[{}, residentBytes]] },
  ];
  for (const { name, help, samples } of [...targetFamilies(snapshot), ...channelFamilies(snapshot), ...backupFamilies(snapshot), ...self]) {
    const labelNames = Object.keys(samples[0]?.[0] ?? {});
    const gauge = new Gauge({ name: `atalaya_monitor_${name}`, help, labelNames, registers: [registry] });
    for (const [labels, value] of samples) gauge.set(labels, value);
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function targetFamilies({ targets }: StatusSnapshot): Family[] {
  return [
    {
      name: 'target_status',
      help: '1 for the status a target has, 0 for the others.',
      samples: targets.flatMap(({ name, status }) =>
        statuses.map((each): Sample => [{ target: name, status: each }, each === status ? 1 : 0]),
      ),
    },
    {
      name: 'target_latency_seconds',
      help: 'How long the last look took.',
      samples: targets.flatMap(({ name, health }): Sample[] =>
        health.recent.slice(-1).map(({ latencyMs }) => [{ target: name }, latencyMs / 1000]),
      ),
    },
    {
      name: 'target_detection_bound_seconds',
      help: 'Longest time from an outage to its alert.',
      samples: targets.map(({ name, detectionBoundMs }): Sample => [{ target: name }, detectionBoundMs / 1000]),
    },
    {
      name: 'incidents_open',
      help: 'What goes on with a target, by kind.',
      samples: targets.flatMap(({ name, incidents }) => incidents.map(({ kind }): Sample => [{ target: name, kind }, 1])),
    },
  ];
}

function channelFamilies({ channels = [], now }: StatusSnapshot): Family[] {
  const ageSeconds = (since: number | undefined): number => (since === undefined ? 0 : (now - since) / 1000);
  const family = (name: string, help: string, valueOf: (channel: (typeof channels)[number]) => number): Family => ({
    name,
    help,
    samples: channels.map((each): Sample => [{ channel: each.channel }, valueOf(each)]),
  });
  return [
    family('outbox_pending', 'Messages that still have to go out.', ({ pending }) => pending),
    family('outbox_oldest_seconds', 'Age of the oldest message that still has to go out.', ({ oldestPendingAt }) =>
      ageSeconds(oldestPendingAt),
    ),
    family('outbox_failed', 'Messages set aside in the last day.', ({ failed }) => failed),
  ];
}

function backupFamilies({ backups, now }: StatusSnapshot): Family[] {
  const newest = backups.state === 'on' ? backups.overview.newestVerifiedAt : undefined;
  if (newest === undefined) return [];
  return [{ name: 'backup_age_seconds', help: 'Age of the newest verified backup.', samples: [[{}, (now - newest) / 1000]] }];
}
