import { describe, expect, test } from 'vitest';
import { judgeParts, type PartState } from '#monitor/alerts/judge-parts.ts';
import { freshPace, paceAfterSuccess, type Pace } from '#monitor/alerts/pace.ts';
import { createSelfAlerts } from '#monitor/alerts/self-alerts.ts';
import type { Incident, TickCommit } from '#monitor/model/incident.ts';

const now = { at: 10_000_000, clockMs: 100_000 };

describe('the monitor judges its ways to people', () => {
  const works = paceAfterSuccess(now, 0);
  const broken: Pace = { ...freshPace, failingSince: { at: now.at, clockMs: 40_000 }, isLasting: true, lastError: 'HTTP 404' };
  const stateOf = (pace: Pace): string | undefined =>
    judgeParts({ channels: [{ name: 'slack', pace }], storeFault: undefined, settingsFault: undefined }, now)[2]?.state;

  test('a channel is well once it has accepted something, wrong when it is broken, else unclear', () => {
    expect(stateOf(works)).toBe('well');
    expect(stateOf(broken)).toBe('wrong');
    expect(stateOf(freshPace)).toBe('unclear');
    expect(stateOf({ ...works, failingSince: now })).toBe('unclear');
  });

  test('a broken channel is told by all but itself, with what it says and for how long', () => {
    const [, , slack] = judgeParts({ channels: [{ name: 'slack', pace: broken }], storeFault: undefined, settingsFault: undefined }, now);
    expect(slack).toMatchObject({ part: 'slack', except: ['slack'], detail: 'slack takes no alerts, for 1 m: HTTP 404' });
  });

  test('the store is wrong once it has refused for five seconds', () => {
    const store = (sinceMs: number | undefined) =>
      judgeParts(
        { channels: [], storeFault: sinceMs === undefined ? undefined : { why: 'disk full', sinceMs }, settingsFault: undefined },
        now,
      )[0];
    expect(store(undefined)?.state).toBe('well');
    expect(store(now.clockMs - 4_999)?.state).toBe('unclear');
    expect(store(now.clockMs - 5_000)).toMatchObject({ state: 'wrong', detail: 'alerts go on from memory: disk full', except: [] });
  });
});

const part = (state: PartState['state'], name = 'slack'): PartState => ({
  part: name,
  state,
  detail: `${name} is ${state}`,
  nextStep: 'mend it',
  except: [name],
});

const create = (left: readonly Incident[] = []) => {
  const commits: { tick: TickCommit; except: readonly string[] }[] = [];
  const outbox = { commit: (tick: TickCommit, except: readonly string[] = []) => void commits.push({ tick, except }) };
  const told = (): string[] =>
    commits.flatMap(({ tick, except }) => tick.alerts.map(({ event, probe }) => `${event} ${probe} not ${except.join()}`));
  return { commits, told, selfAlerts: createSelfAlerts({ outbox, clock: () => now, left, isTaken: () => false }) };
};

describe('an alert about the monitor itself', () => {
  test('fires once when a part goes wrong and is resolved once when it is well, with one incident', () => {
    const { commits, told, selfAlerts } = create();
    for (const state of ['unclear', 'wrong', 'wrong', 'unclear', 'well', 'well'] as const) selfAlerts.update([part(state)]);
    expect(told()).toEqual(['firing monitor.slack not slack', 'resolved monitor.slack not slack']);
    expect(commits[0]?.tick.alerts[0]).toMatchObject({ detail: 'slack is wrong', nextStep: 'mend it' });
    const [fired, ended] = commits.map(({ tick }) => tick.incidents[0]);
    expect(fired).toMatchObject({ kind: 'self', endedAt: undefined });
    expect(ended).toMatchObject({ id: fired?.id, endedAt: now.at });
  });

  test('that an earlier process fired is resolved by this one, also when its part is no longer in use', () => {
    const left = (name: string): Incident => {
      const { commits, selfAlerts } = create();
      selfAlerts.update([part('wrong', name)]);
      return commits[0]?.tick.incidents[0] as Incident;
    };
    const { told, selfAlerts } = create([left('slack'), left('email'), { ...left('pager'), kind: 'down' }]);
    selfAlerts.update([part('well')]);
    expect(told()).toEqual(['resolved monitor.slack not slack', 'resolved monitor.email not ']);
  });

  test('of something that has no end is a notice and leaves no incident', () => {
    const { commits, told, selfAlerts } = create();
    selfAlerts.notice({ part: 'watchdog', detail: 'it was ended', except: ['slack'] });
    expect(told()).toEqual(['notice monitor.watchdog not slack']);
    expect(commits[0]?.tick.incidents).toEqual([]);
  });

  test('of several things within one millisecond is as many messages', () => {
    const { commits, selfAlerts } = create();
    for (const detail of ['a is set aside', 'b is set aside']) selfAlerts.notice({ part: 'email', detail });
    selfAlerts.notice({ part: 'slack', detail: 'c is set aside' });
    const ids = commits.flatMap(({ tick }) => tick.alerts.map(({ id }) => id.replace(/-\d{8}T\d{9}Z/, '')));
    expect(ids).toEqual(['monitor.email.notice.1', 'monitor.email.notice.2', 'monitor.slack.notice.1']);
  });
});
