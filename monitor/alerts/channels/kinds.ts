import type { Channel } from '../channel.ts';
import type { Sender } from '../message-text.ts';
import type { EnvOf } from './channel-kind.ts';
import { emailKind } from './email.ts';
import { slackKind } from './slack.ts';
import { webhookKind } from './webhook.ts';

/** Every way to people there is. */
const channelKinds = [slackKind, emailKind, webhookKind] as const;

type Kinds = typeof channelKinds;
type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void ? All : never;
type ChannelEnv = Intersection<Kinds[number]['env']>;

/** The variables of all kinds. */
export const channelEnv = Object.assign({}, ...channelKinds.map(({ env }) => env)) as ChannelEnv;

/** What does not go together in any kind's variables, one line each. */
export const channelProblems = (env: EnvOf<ChannelEnv>): string[] => channelKinds.flatMap(({ problems }) => problems(env));

/** The channels that are configured; none is a valid answer. */
export const createChannels = (env: EnvOf<ChannelEnv>, sender: Sender): readonly Channel[] =>
  channelKinds.flatMap(({ create }) => create(env, sender));
