/** One line of Prometheus' text format. */
export type Series = { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number };

/**
 * The series of a /metrics text. Comments, and lines that are none, are left out.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseMetrics(text: string): Series[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    const value = Number(match?.[3]);
    if (!match?.[1] || Number.isNaN(value)) return [];
    return [{ name: match[1], labels: parseLabels(match[2] ?? ''), value }];
  });
}

function parseLabels(text: string): Record<string, string> {
  const pairs = text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries([...pairs].map(([, name = '', value = '']) => [name, value]));
}

/** The values of one metric by the worker they are of. */
export const ofWorkers = (series: readonly Series[], name: string): [worker: string, value: number][] =>
  series.flatMap((one) => (one.name === name && one.labels['worker'] !== undefined ? [[one.labels['worker'], one.value]] : []));

/** The value of the series without a `worker` label, which the API sums over its workers. */
export function summed(series: readonly Series[], name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  return series.find(
    (one) =>
      one.name === name && !('worker' in one.labels) && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )?.value;
}
