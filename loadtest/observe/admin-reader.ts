import { createHttpClient } from '../targets/http-client.ts';
import type { Target } from '../targets/target.ts';
import { parseMetrics, summed } from './prometheus.ts';

export type PoolState = { readonly inUse: number; readonly capacity: number; readonly waiting: number };

/** Reads the API's admin listener. Every read gives undefined where it cannot be reached or tells nothing of use. */
export type AdminReader = {
  readonly pool: () => Promise<PoolState | undefined>;
  /** Requests answered so far, over all routes but those of health. */
  readonly requestsServed: () => Promise<number | undefined>;
  readonly config: () => Promise<Readonly<Record<string, unknown>> | undefined>;
  readonly close: () => Promise<void>;
};

export function createAdminReader({ admin }: Target): AdminReader {
  if (admin === undefined) return { pool: nothing, requestsServed: nothing, config: nothing, close: async () => {} };
  const http = createHttpClient(admin.origin, 1);
  const read = async (path: string): Promise<{ text: string; json: unknown } | undefined> => {
    const answer = await http.send({ method: 'GET', path, headers: { authorization: `Bearer ${admin.token}` } }).catch(() => undefined);
    return answer?.status === 200 ? answer : undefined;
  };
  return {
    pool: async () => {
      const series = parseMetrics((await read('/metrics'))?.text ?? '');
      const inUse = summed(series, 'atalaya_pool_connections', { state: 'in_use' });
      const capacity = summed(series, 'atalaya_pool_max');
      const waiting = summed(series, 'atalaya_pool_waiting');
      return inUse === undefined || capacity === undefined ? undefined : { inUse, capacity, waiting: waiting ?? 0 };
    },
    requestsServed: async () => {
      const counts = parseMetrics((await read('/metrics'))?.text ?? '').filter(
        ({ name, labels }) => name === 'atalaya_http_request_duration_seconds_count' && !('worker' in labels) && !isHealth(labels['route']),
      );
      return counts.length === 0 ? undefined : counts.reduce((sum, { value }) => sum + value, 0);
    },
    config: async () => (await read('/config'))?.json as Readonly<Record<string, unknown>> | undefined,
    close: http.close,
  };
}

const nothing = async (): Promise<undefined> => undefined;

const isHealth = (route: string | undefined): boolean => route !== undefined && /health_check|livez|readyz/.test(route);
