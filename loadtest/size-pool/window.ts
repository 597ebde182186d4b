/** A setting of the pool of one API process. */
export type PoolSetting = { readonly size: number; readonly overflow: number };

/** What one setting showed over one window, and what was short meanwhile. */
export type Window = {
  readonly setting: PoolSetting;
  /** Right answers a second. */
  readonly perSecond: number;
  /** Null when nothing was answered. */
  readonly p95Ms: number | null;
  /** Share of the requests, 0–1, that got no right answer. */
  readonly errorShare: number;
  /** How much of what the client can do it had to do, 0–1. */
  readonly clientUse: number;
  readonly shortage: Shortage;
};

/** Who used what during a window; null where it could not be seen. */
export type Shortage = {
  /** Shares of this machine's CPU, 0–1. */
  readonly cpu: {
    readonly busy: number;
    readonly api: number;
    readonly database: number;
    readonly client: number;
    readonly others: number;
  } | null;
  /** Of a whole core each, what the API's workers used on average. */
  readonly workerCpu: number | null;
  /** Sessions of the API, on average: doing something, and waiting for a lock. */
  readonly active: number | null;
  readonly waitingForLock: number | null;
};

/** A window and where it stands in the course: the sweep over all sizes, or the rounds held out to confirm its answer. */
export type Played = Window & { readonly stage: Stage; readonly round: number };

export type Stage = 'sweep' | 'held-out';

export const totalOf = ({ size, overflow }: PoolSetting): number => size + overflow;

export const isSame = (a: PoolSetting, b: PoolSetting): boolean => a.size === b.size && a.overflow === b.overflow;

const saturatedShare = 0.9;
const lockedShare = 0.5;

/** What the service was short of at a setting, from all its windows, in one phrase. Pure. */
export function limitedBy(windows: readonly Window[]): string {
  const mean = (read: (shortage: Shortage) => number | null | undefined): number | undefined => {
    const values = windows.flatMap(({ shortage }) => read(shortage) ?? []);
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const share = (read: (cpu: NonNullable<Shortage['cpu']>) => number): string =>
    `${Math.round(100 * (mean(({ cpu }) => cpu && read(cpu)) ?? 0))} %`;
  const [active, locked] = [mean((shortage) => shortage.active), mean(({ waitingForLock }) => waitingForLock)];
  if (locked !== undefined && active !== undefined && locked >= 1 && locked >= lockedShare * active) {
    return `locks: ${locked.toFixed(1)} of ${active.toFixed(1)} busy sessions waited for one`;
  }
  const worker = mean(({ workerCpu }) => workerCpu);
  if (worker !== undefined && worker >= saturatedShare)
    return `the API's own code: each worker used ${Math.round(100 * worker)} % of a core`;
  if ((mean(({ cpu }) => cpu?.busy) ?? 0) >= saturatedShare) {
    const shares = `API ${share(({ api }) => api)}, database ${share(({ database }) => database)}`;
    return `this machine's CPU: ${share(({ busy }) => busy)} in use (${shares}, load test ${share(({ client }) => client)}, others ${share(({ others }) => others)})`;
  }
  return 'neither CPU nor locks: the time of single statements, or something that was not looked at';
}
