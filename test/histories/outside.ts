import { AlertDeliveryError, type Channel, type DeliveryFailure } from '#monitor/alerts/channel.ts';
import { systemClock } from '#monitor/model/look.ts';
import { MonitorFaultError, type Probe } from '#monitor/probes/probe.ts';
import { createLoadTestSight } from '#monitor/slo/load-test-sight.ts';
import { sloProbe } from '#monitor/slo/slo-probe.ts';
import { isAlive } from './monitor-process.ts';
import type { ChannelName, ChannelState, TargetName } from './steps.ts';
import type { Arrival, World } from './world.ts';

/** What the monitor meets: targets that it looks at and channels that it sends to, each as the history has it just then. */

export function lookAt(world: World, name: TargetName): Probe {
  return async (signal) => {
    const { state } = world.targets[name];
    if (state === 'faulty') throw new MonitorFaultError('no file descriptor is left');
    if (state === 'slow') await new Promise((resolve) => setTimeout(resolve, 2_000));
    if (state === 'hangs') await aborted(signal);
    if (state === 'down' || state === 'hangs') return { outcome: 'failed', detail: 'connection refused' };
    return { outcome: state === 'degraded' ? 'degraded' : 'ok', detail: state };
  };
}

/** An API that answers one request a second, and while the objective is down nine of ten with an error. */
export function objectiveOf(world: World): Probe {
  const { store, sloMarks: marks, answers, time } = world;
  const name = 'availability';
  const count = (): void => {
    const seconds = Math.floor((time.nowMs() - answers.countedMs) / 1_000);
    answers.countedMs += seconds * 1_000;
    const bad = ['up', 'slow', 'degraded'].includes(world.targets[name].state) ? 0 : Math.ceil(seconds * 0.9);
    answers.bad += bad;
    answers.good += seconds - bad;
  };
  return sloProbe(
    { name, objective: 0.999, slowerThanSeconds: undefined, sources: [new URL('http://127.0.0.1:9/metrics')] },
    {
      ledger: store.slo,
      marks,
      loadTests: createLoadTestSight(),
      clock: systemClock,
      token: undefined,
      // oxlint-disable-next-line typescript/require-await -- a read is asynchronous by its type
      read: async () => {
        count();
        return [series(200, answers.good), series(500, answers.bad)].join('\n');
      },
    },
  );
}

export function channelOf(world: World, channel: Channel): Channel {
  const name = channel.name as ChannelName;
  const refusal = (said: Partial<DeliveryFailure> | undefined): AlertDeliveryError =>
    new AlertDeliveryError({ channel: name, detail: 'no answer', scope: 'channel', isLasting: false, ...said });
  const dieInSend = (): Promise<never> => {
    world.setChannel(name, 'accept');
    world.crash(1_000);
    return new Promise(() => {});
  };
  return {
    ...channel,
    send: async (alert, delivery, signal) => {
      if (!isAlive()) await new Promise(() => {});
      const channelState = world.channels[name];
      const { state } = channelState;
      if (state === 'die') await dieInSend();
      if (refusals[state]) throw refusal(refusals[state]);
      world.arrivals.push({ channel: name, alert, delivery, atMs: world.time.nowMs(), waited: waitedOf(world, name) });
      if (state === 'accept') channelState.hasDelivered = true;
      if (delivery.mayComeAgain) world.unrecorded += 1;
      if (state === 'die-after') await dieInSend();
      if (state === 'slow') await new Promise((resolve) => setTimeout(resolve, 3_000));
      if (state !== 'swallow') return;
      world.unanswered += 1;
      await aborted(signal);
      throw refusal({ mayHaveArrived: true });
    },
  };
}

const refusals: Partial<Record<ChannelState, Partial<DeliveryFailure>>> = {
  gone: { detail: 'connection refused', mayHaveArrived: false },
  failing: { detail: 'HTTP 500' },
  busy: { detail: 'HTTP 429', retryAfterMs: 30_000 },
  refuse: { detail: 'HTTP 400', scope: 'message', isLasting: true },
  broken: { detail: 'HTTP 404', isLasting: true },
};

function waitedOf({ channels, startedMs, lastChangeMs }: World, name: ChannelName): Arrival['waited'] {
  const { state, sinceMs, troubles, hasDelivered } = channels[name];
  if (state !== 'accept' || troubles.size === 0) return undefined;
  return { after: [...troubles].toSorted().join(' '), backMs: Math.max(sinceMs, startedMs, lastChangeMs), isFirst: !hasDelivered };
}

const series = (status: number, value: number): string =>
  `atalaya_http_request_duration_seconds_count{worker="1",route="/products",status="${status}"} ${value}`;

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
