import * as z from 'zod';
import { parseDuration, writeDuration } from '#lib/show.ts';

/** A duration as people write it, `500ms`, `5s`, `1h30m`, `7d`, within bounds in ms; becomes ms. */
export function duration(minMs: number, maxMs: number) {
  const allowed = `must be a duration from ${writeDuration(minMs)} to ${writeDuration(maxMs)}, such as 5s`;
  return z
    .string(allowed)
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .pipe(z.number(allowed).min(minMs, allowed).max(maxMs, allowed));
}

const day = 86_400_000;

/** A duration up to 30 days, or `never`, which becomes Infinity. */
export const orNever = (minMs: number) =>
  z.union([z.literal('never').transform(() => Infinity), duration(minMs, 30 * day)], 'must be a duration such as 5m, or never');

/** A share as people write it, `85%`; becomes a number from 0 to 1. */
export const share = () =>
  z
    .string('must be a share such as 85%')
    .regex(/^(?:100|\d{1,2}(?:\.\d+)?)%$/, 'must be a share such as 85%')
    .transform((text) => Number.parseFloat(text) / 100);

/** Part of something that is used up: a share from 0 to 1, or bytes. */
export type Amount = { readonly share: number } | { readonly bytes: number };

const unitBytes = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** An amount as people write it: `10%`, or `512MiB`, `20GiB`. */
export const amount = () =>
  z
    .string('must be an amount such as 10% or 20GiB')
    .regex(/^(\d{1,2}(\.\d+)?%|\d+(\.\d+)?(KiB|MiB|GiB|TiB))$/, 'must be an amount such as 10% or 20GiB')
    .transform((text): Amount => {
      const size = Number.parseFloat(text);
      return text.endsWith('%') ? { share: size / 100 } : { bytes: size * unitBytes[text.slice(-3) as keyof typeof unitBytes] };
    });

/** Bytes as people write them: `512MiB`, `20GiB`. */
export const bytes = () =>
  amount().transform((given, context): number => {
    if ('bytes' in given) return given.bytes;
    context.issues.push({ code: 'custom', message: 'must be an amount such as 20GiB', input: given });
    return z.NEVER;
  });

/** The name a site is asked for by; the first of several counts, so that nginx's own list can be given. */
export const serverName = () =>
  z
    .string()
    .regex(/^\S+(\s+\S+)*$/, 'must be a host name')
    .transform((names) => names.split(/\s+/)[0] ?? names);

/**
 * How far a certificate is believed, in the words of the deployment. `acme`: an authority this machine trusts must have
 * signed it; `self-signed`: nobody vouches for it.
 */
export const tlsMode = () => z.enum(['acme', 'self-signed'], 'must be acme or self-signed');
