import { showDuration } from '#lib/show.ts';
import type { Moment } from '../model/look.ts';
import type { StoreFault } from './unwritten.ts';
import { brokenSince, type Pace } from './pace.ts';
import type { Sentence } from '../words/sentence.ts';

/** How one part of the monitor itself fares. */
export type PartState = {
  /** `store`, `settings`, or the name of a channel. */
  readonly part: string;
  /** `unclear`: nothing has shown it either way yet; what was told of it stands. */
  readonly state: 'well' | 'wrong' | 'unclear';
  readonly detail: string;
  readonly nextStep: Sentence;
  /** Channels that cannot be told of it. */
  readonly except: readonly string[];
};

/** A busy store is not a broken one. */
const storeWrongAfterMs = 5_000;

/** Whether what is found out can be kept and told, and what is written is in force: the store, the settings, each channel. Pure. */
export function judgeParts(
  facts: {
    readonly channels: readonly { readonly name: string; readonly pace: Pace }[];
    readonly storeFault: StoreFault | undefined;
    /** Why the settings, read anew, were not put in force. */
    readonly settingsFault: string | undefined;
  },
  now: Moment,
): PartState[] {
  const { storeFault: fault, settingsFault } = facts;
  const store: PartState = {
    part: 'store',
    state: !fault ? 'well' : now.clockMs - fault.sinceMs >= storeWrongAfterMs ? 'wrong' : 'unclear',
    detail: fault ? `alerts go on from memory: ${fault.why}` : 'the store takes writes again',
    nextStep: { code: 'makeRoom' },
    except: [],
  };
  const settings: PartState = {
    part: 'settings',
    state: settingsFault === undefined ? 'well' : 'wrong',
    detail: settingsFault ?? 'the settings as they are written are in force',
    nextStep: { code: 'checkConfig' },
    except: [],
  };
  return [store, settings, ...facts.channels.map(({ name, pace }) => judgeChannel(name, pace, now))];
}

function judgeChannel(name: string, pace: Pace, now: Moment): PartState {
  const isBroken = brokenSince(pace, now) !== undefined;
  const forMs = pace.failingSince ? now.clockMs - pace.failingSince.clockMs : 0;
  return {
    part: name,
    state: isBroken ? 'wrong' : pace.hasAccepted && !pace.failingSince ? 'well' : 'unclear',
    detail: isBroken
      ? `${name} takes no alerts${forMs < 1_000 ? '' : `, for ${showDuration(forMs)}`}: ${pace.lastError}`
      : `${name} takes alerts again`,
    nextStep: { code: 'mendChannel' },
    except: [name],
  };
}
