/** Durations, sizes, counts and times as people write and read them; each stands here once, both ways where both are needed. */

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
type Unit = keyof typeof unitMs;
const units = Object.keys(unitMs) as Unit[];

/**
 * Milliseconds of a duration such as `90s`, `1h30m`, `1.5s`, `250ms`, `7d`, or a plain `0`; units from large to small,
 * each once, spaces allowed between. Undefined for anything else, a number without a unit included.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?\s*(?:ms|[dhms])\s*)+$/.test(trimmed)) return undefined;
  const amounts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)\s*(ms|[dhms])/g)].map(
    ([, amount, unit]) => [Number(amount), unit as Unit] as const,
  );
  const isDescending = amounts.every(([, unit], i) => i === 0 || units.indexOf(unit) > units.indexOf(amounts[i - 1]?.[1] ?? 'd'));
  if (!isDescending) return undefined;
  const ms = amounts.reduce((sum, [amount, unit]) => sum + amount * unitMs[unit], 0);
  return Number.isFinite(ms) ? ms : undefined;
}

/**
 * A duration for people: `0.4 ms`, `12 ms`, `1.25 s`, `48.3 s`, from a minute on its two largest units, `3 m 12 s`. A
 * negative one, as a clock set back gives, is `0 ms`.
 */
export function showDuration(ms: number): string {
  if (ms <= 0) return '0 ms';
  if (ms < 9.95) return `${trimZeros(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_995) return `${trimZeros((ms / 1_000).toFixed(2))} s`;
  if (ms < 59_950) return `${trimZeros((ms / 1_000).toFixed(1))} s`;
  return partsOf(Math.round(ms / 1_000) * 1_000)
    .slice(0, 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** A duration as settings are written, exact to the millisecond: `250ms`, `1h30m`, `0`. `parseDuration` reads it back. */
export function writeDuration(ms: number): string {
  const whole = Math.round(ms);
  const text = partsOf(whole).map(([amount, unit]) => (amount > 0 ? `${amount}${unit}` : ''));
  return text.join('') || '0';
}

/** The amounts of all units from the largest that is not zero. */
function partsOf(ms: number): (readonly [number, Unit])[] {
  let rest = ms;
  const all = units.map((unit) => {
    const amount = Math.floor(rest / unitMs[unit]);
    rest -= amount * unitMs[unit];
    return [amount, unit] as const;
  });
  const first = all.findIndex(([amount]) => amount > 0);
  return first === -1 ? [] : all.slice(first);
}

const trimZeros = (decimal: string): string => decimal.replace(/\.?0+$/, '');

/** A size in binary units with one decimal: `512 B`, `12.3 MiB`. */
export function showBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const names = ['KiB', 'MiB', 'GiB', 'TiB'] as const;
  // What rounds to 1024.0 of one unit is 1.0 of the next.
  const power = names.findIndex((_, index) => bytes / 1024 ** (index + 1) < 1023.95);
  const index = power === -1 ? names.length - 1 : power;
  return `${(bytes / 1024 ** (index + 1)).toFixed(1)} ${names[index]}`;
}

/** A count with thousands apart: `12,345`. */
export const showCount = (count: number): string => count.toLocaleString('en-US');

/** A count with the name of what was counted: `1 request`, `1,200 requests`. */
export const showCountOf = (count: number, one: string): string => `${showCount(count)} ${one}${count === 1 ? '' : 's'}`;

/** A share of 0–1 as a percentage: `0.31 %`, `12.5 %`. */
export const showShare = (share: number): string => `${(share * 100).toFixed(share >= 0.1 ? 1 : 2)} %`;

/** A moment to the second, in UTC: `2026-11-25 19:38:14 UTC`. */
export const showTime = (time: Date | number | string): string => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** A moment to the second as names of files and folders carry it, in UTC: `20261125T193814Z`. They sort by time. */
export const compactStamp = (time: Date): string => time.toISOString().replaceAll(/[-:]|\.\d+/g, '');
