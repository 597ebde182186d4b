import type { LookupAddress } from 'node:dns';
import type * as z from 'zod';
import { AppError } from '#lib/errors.ts';
import type { PostgresSettings, RedisSettings } from '#lib/settings.ts';
import type { Finding } from '../model/look.ts';
import type { Beats } from './beats.ts';

/** What a look at a target found. */
export type ProbeReport = Finding & { readonly outcome: 'ok' | 'degraded' | 'failed' };

/**
 * Looks at a target once. Resolves with what the target shows, an unreachable one included.
 * The signal fires when time is up; what the look opened must then be closed.
 * @throws {MonitorFaultError} when the monitor itself could not look
 */
export type Probe = (signal: AbortSignal) => Promise<ProbeReport>;

/** The monitor could not look: its own resolver, credentials or machine failed. Says nothing about the target. */
export class MonitorFaultError extends AppError {
  readonly code = 'MONITOR_FAULT';
}

/** Finds the addresses of a host name, at least one, in the order they are to be tried. @throws {MonitorFaultError} */
export type ResolveHost = (host: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

/** The variables probes are made from. */
export type ProbeEnv = PostgresSettings &
  Pick<RedisSettings, 'REDIS_HOST' | 'REDIS_PORT' | 'REDIS_PASSWORD'> & { readonly API_URL: string };

export type ProbeContext = {
  readonly env: ProbeEnv;
  readonly resolveHost: ResolveHost;
  /** Longest a look of this target may take. */
  readonly timeoutMs: number;
  readonly beats: Beats;
};

type Fields<S extends z.ZodRawShape> = Readonly<z.output<z.ZodObject<S>>>;

/** A kind of probe, whole: its own fields in the file, and how a target of this kind is made and shown. */
export type ProbeKind<S extends z.ZodRawShape = z.ZodRawShape> = {
  /** What stands after `kind:` in the file. */
  readonly kind: string;
  /** Its own fields; a name, dependencies and a rhythm every probe has. */
  readonly schema: S;
  readonly create: (fields: Fields<S> & { readonly name: string }, context: ProbeContext) => Probe;
  /** Where it looks, on a few words; holds no secret. */
  readonly describe: (fields: Fields<S>, env: ProbeEnv) => string;
};

/** A kind for the list of kinds, which forgets the types of its fields: the schema has checked them by then. */
export const probeKind = <S extends z.ZodRawShape>(kind: ProbeKind<S>): ProbeKind => kind as unknown as ProbeKind;
