import type { StatusSnapshot } from './status-snapshot.ts';

/** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** The monitor's knowledge in the text format of Prometheus. Pure. */
export function metricsText(snapshot: StatusSnapshot, residentBytes: number): string {
  return [
    ...targetGauges(snapshot),
    ...outboxGauges(snapshot),
    gauge('self_ok', '1 while the monitor watches as it should.', [[{}, snapshot.self.status === 'failing' ? 0 : 1]]),
    gauge('resident_memory_bytes', 'Memory of the process.', [[{}, residentBytes]]),
  ].join('');
}

function targetGauges({ targets }: StatusSnapshot): string[] {
  const statuses = ['up', 'degraded', 'down', 'unknown'] as const;
  return [
    gauge(
      'target_status',
      '1 for the status a target has, 0 for the others.',
      targets.flatMap(({ name, status }) => statuses.map((each): Sample => [{ target: name, status: each }, each === status ? 1 : 0])),
    ),
    gauge(
      'target_latency_seconds',
      'How long the last look took.',
      targets.flatMap(({ name, health }): Sample[] => health.recent.slice(-1).map(({ latencyMs }) => [{ target: name }, latencyMs / 1000])),
    ),
    gauge(
      'target_detection_bound_seconds',
      'Longest time from an outage to its alert.',
      targets.map(({ name, detectionBoundMs }): Sample => [{ target: name }, detectionBoundMs / 1000]),
    ),
  ];
}

function outboxGauges({ channels = [], now }: StatusSnapshot): string[] {
  const ageSeconds = (since: number | undefined): number => (since === undefined ? 0 : (now - since) / 1000);
  return [
    gauge(
      'outbox_pending',
      'Messages that still have to go out.',
      channels.map(({ channel, pending }): Sample => [{ channel }, pending]),
    ),
    gauge(
      'outbox_oldest_seconds',
      'Age of the oldest message that still has to go out.',
      channels.map(({ channel, oldestPendingAt }): Sample => [{ channel }, ageSeconds(oldestPendingAt)]),
    ),
    gauge(
      'outbox_failed',
      'Messages given up in the last day.',
      channels.map(({ channel, failed }): Sample => [{ channel }, failed]),
    ),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  const full = `atalaya_monitor_${name}`;
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${text.replaceAll(/[\\"\n]/g, '_')}"`);
    return `${full}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
  });
  return `# HELP ${full} ${help}\n# TYPE ${full} gauge\n${lines.join('')}`;
}
