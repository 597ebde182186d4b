/** The primary's own series, in Prometheus' text form. */
export function primaryMetrics({ ready, restarts }: { readonly ready: number; readonly restarts: number }): string {
  return [
    '# HELP atalaya_workers_ready Worker processes that take requests.',
    '# TYPE atalaya_workers_ready gauge',
    `atalaya_workers_ready ${ready}`,
    '# HELP atalaya_worker_restarts_total Worker processes that were replaced.',
    '# TYPE atalaya_worker_restarts_total counter',
    `atalaya_worker_restarts_total ${restarts}`,
    '',
  ].join('\n');
}
