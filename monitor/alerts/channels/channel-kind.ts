import type * as z from 'zod';
import type { Channel } from '../channel.ts';
import type { Sender } from '../message-text.ts';

/** A kind of way to people. One file exports it, and one line of `kinds.ts` lists it. */
export type ChannelKind<Env extends z.ZodRawShape> = {
  /** First part of its channels' names. */
  readonly kind: string;
  /** The variables it reads. All are optional: a kind that nobody configures is absent. */
  readonly env: Env;
  /** What does not go together, one line each. */
  readonly problems: (env: EnvOf<Env>) => readonly string[];
  /** One channel for each receiver; none where the kind is not configured. */
  readonly create: (env: EnvOf<Env>, sender: Sender) => readonly Channel[];
};

export type EnvOf<Env extends z.ZodRawShape> = Readonly<z.output<z.ZodObject<Env>>>;
