import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '#loadtest/scenarios/scenario.ts';

/** One way in which the client of a load test gets too little, or what it needs too late; the shop gets all it needs. */
export type Way = {
  readonly name: string;
  /** In one line, for the page. */
  readonly says: string;
  /** What the client is started with, before Node's own path. */
  readonly command?: readonly [string, ...string[]];
  /** Commands that run beside it all the time; their last words are Node's path and a busy loop. */
  readonly beside?: readonly (readonly string[])[];
  /** Whether its connections go through the delaying proxy. */
  readonly isFar?: true;
  /** Its scenario, changed inside its own processes. */
  readonly scenario?: Partial<Pick<Scenario, 'crowdFile' | 'nullServerFile'>>;
  /** Done to a generator process once it plays; `pids` are all of them. */
  readonly strike?: (pids: readonly number[]) => Promise<void>;
};

const here = (name: string): string => join(import.meta.dirname, name);
const stopMs = 2_000;

export const ways: readonly Way[] = [
  { name: 'niced', says: 'at a lower priority (nice 5), beside two busy loops', command: ['nice', '-n', '5'], beside: [[], []] },
  {
    name: 'one-core',
    says: 'on one core, which it shares with a busy loop',
    command: ['taskset', '-c', '0'],
    beside: [['taskset', '-c', '0']],
  },
  {
    name: 'stopped',
    says: 'each generator is stopped (SIGSTOP) for 2 s',
    strike: async (pids) => {
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      await sleep(stopMs).finally(() => pids.forEach((pid) => process.kill(pid, 'SIGCONT')));
    },
  },
  {
    name: 'blocked',
    says: "each generator's event loop is blocked for 500 ms every 2 s",
    scenario: { crowdFile: here('blocking-crowd.ts') },
  },
  {
    name: 'far',
    says: 'all it sends and receives is 100–200 ms on its way',
    isFar: true,
    scenario: { nullServerFile: here('far-null-server.ts') },
  },
];
