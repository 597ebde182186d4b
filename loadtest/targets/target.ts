import type { PostgresSettings } from '#lib/settings.ts';

/** What is tested, and how its books can be read. Holds secrets: it stays in this process. */
export type Target = {
  /** `own`: a throw-away stack that the load test started for itself. */
  readonly kind: 'own' | 'given';
  readonly origin: string;
  readonly loadtestKey: string;
  /** The admin listener, when its token is known. */
  readonly admin: { readonly origin: string; readonly token: string } | undefined;
  /** The database, when it is known that it is the target's. */
  readonly postgres: PostgresSettings | undefined;
  /** The settings it was started with, by their variables; where that is known. May hold secrets. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The process that the target descends from, where it is known: an own stack's, or that of `npm start`. */
  readonly pid: number | undefined;
  /** Stops an own stack; does nothing to a given one. */
  readonly stop: () => Promise<void>;
};
