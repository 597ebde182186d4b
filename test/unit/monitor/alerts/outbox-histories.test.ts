import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { Alert } from '#monitor/model/alert.ts';
import { buildAlert, channelNames, createWorld, type Arrival, type Behaviour, type ChannelName, type World } from './outbox-world.ts';

type Step =
  | { readonly do: 'outage'; readonly incident: number }
  | { readonly do: 'send'; readonly channel: ChannelName; readonly times: number }
  | { readonly do: 'channel'; readonly channel: ChannelName; readonly behaviour: Behaviour }
  | { readonly do: 'disk'; readonly isFull: boolean }
  | { readonly do: 'clock'; readonly byMs: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'crash' };

const channel = fc.constantFrom(...channelNames);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('outage' as const), incident: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), channel, times: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('channel' as const),
      channel,
      behaviour: fc.constantFrom<Behaviour>('accept', 'down', 'refuse', 'broken', 'swallow', 'die', 'die-after'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('disk' as const), isFull: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('clock' as const), byMs: fc.constantFrom(-3_600_000, -400_000, 90_000, 31_536_000_000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(50, 1_000, 30_000, 90_000, 900_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);

const world = createWorld();
afterAll(() => world.close());

/** What a history has led people to expect, and what may come twice. */
type Told = { readonly alerts: Map<string, Alert>; repeatable: number };

/** Plays a history, then lets everything recover; 40 days are more than any wait. */
async function play(steps: readonly Step[]): Promise<Told> {
  world.reset();
  const told: Told = { alerts: new Map(), repeatable: 0 };
  const openSince = new Map<number, string>();
  let crashesSeen = 0;
  const forgetUnkept = (): void => {
    if (world.crashes === crashesSeen) return;
    crashesSeen = world.crashes;
    // What a full disk kept in memory only dies with its process: the watch finds the outage anew.
    const kept = new Set(world.store.pendingMessages().map(({ alert }) => alert.id));
    for (const id of told.alerts.keys()) if (!kept.has(id) && !isSettled(id)) told.alerts.delete(id);
    for (const [incident, id] of openSince) if (!told.alerts.has(`${id}.firing.1`)) openSince.delete(incident);
  };
  for (const [index, each] of steps.entries()) {
    if (each.do === 'outage') {
      const open = openSince.get(each.incident);
      const id = open ?? `i${each.incident}-${index}`;
      const alert = buildAlert(id, open === undefined ? 'firing' : 'resolved', world.now.at, `target${each.incident}`);
      if (open === undefined) openSince.set(each.incident, id);
      else openSince.delete(each.incident);
      told.alerts.set(alert.id, alert);
      world.commit(alert);
    }
    if (each.do === 'send') for (let time = 0; time < each.times; time += 1) await world.step(each.channel);
    if (each.do === 'channel') world.behaviours[each.channel] = each.behaviour;
    if (each.do === 'disk') world.isDiskFull = each.isFull;
    if (each.do === 'clock') world.setClock(each.byMs);
    if (each.do === 'pass') world.pass(each.ms);
    if (each.do === 'crash') world.crash();
    forgetUnkept();
  }
  world.isDiskFull = false;
  world.behaviours.slack = 'accept';
  world.behaviours.email = 'accept';
  await world.settle(40 * 86_400_000);
  return told;
}

/** Written as sent, told by another message, or set aside. */
const isSettled = (id: string): boolean =>
  world.database.prepare("SELECT 1 FROM messages WHERE alert_id = ? AND state <> 'pending'").get(id) !== undefined;

const arrivalsOf = (name: ChannelName): Arrival[] => world.arrivals.filter((arrival) => arrival.channel === name);
const tells = ({ alert, delivery }: Arrival, id: string): boolean => alert.id === id || delivery.tellsToo.some((other) => other.id === id);

describe('over 10,000 random histories of crash, channel, clock and disk', () => {
  test('no alert is lost, each incident is told in order, and whatever comes twice is marked', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const { alerts } = await play(steps);
        for (const name of channelNames) {
          const arrived = arrivalsOf(name);
          for (const { id, incidentId, event } of alerts.values()) {
            const at = arrived.findIndex((arrival) => tells(arrival, id));
            if (at === -1 && world.setAside.includes(`${name} ${id}`)) continue;
            expect(at, `${name} was never told ${id}`).toBeGreaterThanOrEqual(0);
            const opening = event === 'resolved' ? `${incidentId}.firing.1` : id;
            const firing = arrived.findIndex((arrival) => tells(arrival, opening));
            expect(firing, `${name} was told ${id} before its FIRING`).toBeLessThanOrEqual(at);
          }
          expectRepeatsMarked(arrived);
        }
        // A crash can repeat the one send of each channel that was under way; a swallowed answer and a full disk theirs.
        expect(repeatsIn(world)).toBeLessThanOrEqual(2 * world.crashes + world.unanswered + world.unrecorded);
      }),
      { numRuns: 10_000 },
    );
  });
});

function expectRepeatsMarked(arrived: readonly Arrival[]): void {
  for (const [index, { alert, delivery }] of arrived.entries()) {
    const earlier = arrived.slice(0, index).filter((other) => other.alert.id === alert.id);
    if (earlier.length === 0) continue;
    const isMarked = delivery.mayRepeat || earlier.some(({ delivery: before }) => before.mayComeAgain);
    expect(isMarked, `${alert.id} came twice without a mark`).toBe(true);
  }
}

function repeatsIn({ arrivals }: World): number {
  return arrivals.length - new Set(arrivals.map(({ channel: name, alert }) => `${name} ${alert.id}`)).size;
}
