import type { Finding } from './look.ts';

/** A time that somebody asked for in which what begins is not told. Times: ms of the epoch. */
export type Silence = {
  /** Counted from 1; people write `s1`. */
  readonly number: number;
  /** Undefined: all of them. */
  readonly targets: readonly string[] | undefined;
  readonly startsAt: number;
  readonly endsAt: number;
  /** Who asked for it, and what for. */
  readonly by: string;
  readonly reason: string;
};

/** What keeps the messages of a target back at a moment. */
export type Quiet = {
  readonly kind: 'silence' | 'maintenance';
  /** `s1`, or the name the window has in the configuration. */
  readonly name: string;
  /** Ms of the epoch. */
  readonly until: number;
};

/** `silence s1`, `maintenance nightly`. */
export const quietLabel = ({ kind, name }: Quiet): string => `${kind} ${name}`;

/** What people call a silence: `s1`. */
export const silenceName = ({ number }: Pick<Silence, 'number'>): string => `s${number}`;

/** Something that was asked for, or decided, besides what messages tell; kept for people. */
export type TimelineEntry = {
  /** Ms of the epoch. */
  readonly at: number;
  readonly event: 'silenced' | 'unsilenced' | 'held' | 'acknowledged' | 'reloaded' | 'reload_refused' | 'action' | 'evidence';
  /** The target it concerns, where it is one; `incidentId` likewise. */
  readonly probe?: string | undefined;
  readonly incidentId?: string | undefined;
  /** Who asked for it; `monitor` where nobody did. */
  readonly by: string;
  /** One line, without a secret. */
  readonly detail: string;
  /** Of evidence: what was found, and concluded from it. */
  readonly found?: Found | undefined;
};

/** What stood around an incident, to be put into the words of who reads it. */
export type Found = Pick<Finding, 'cause' | 'facts' | 'nextStep'>;
