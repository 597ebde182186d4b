import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultKind } from './schedule.ts';
import { childrenOf, signalTo } from './parts.ts';
import { administer, type Stack } from './stack.ts';

/** Does what the schedule says to a stack that is at work. */

export type Struck = { readonly fault: Fault; /** False where there was nothing to hit at that moment. */ readonly isHit: boolean };

/**
 * Resolves once the last fault is over and everything that stood still goes on.
 * @param onStruck told of each fault when it is over
 */
export async function torment(
  stack: Stack,
  faults: readonly Fault[],
  { signal, onStruck }: { readonly signal: AbortSignal; readonly onStruck: (struck: Struck) => void },
): Promise<void> {
  const startedMs = performance.now();
  const under: Promise<void>[] = [];
  for (const fault of faults) {
    await sleep(Math.max(0, fault.atMs - (performance.now() - startedMs)), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const strike = effects[fault.kind](stack, fault);
    under.push(
      strike.then(
        (isHit) => onStruck({ fault, isHit }),
        // Whoever is down already cannot be hit.
        () => onStruck({ fault, isHit: false }),
      ),
    );
  }
  await Promise.all(under);
  await stack.moveClock(0);
  await stack.logs?.empty();
}

type Effect = (stack: Stack, fault: Fault) => Promise<boolean>;

const oneHourMs = 3_600_000;

const effects: Readonly<Record<FaultKind, Effect>> = {
  'commit-unheard': ({ wires }) => wires.database.cutOnce({ asked: 'COMMIT', told: 'COMMIT\0' }),
  'commit-unsent': ({ wires }) => wires.database.cutOnce({ asked: 'COMMIT' }),
  'order-unheard': ({ wires }) => wires.database.cutOnce({ asked: 'order-record', told: 'SELECT 1\0' }),
  'order-unsent': ({ wires }) => wires.database.cutOnce({ asked: 'order-record' }),
  'answer-lost': ({ wires }) => wires.clients.cutOnce({ asked: 'POST ', told: 'HTTP/1.1 2' }),
  'request-lost': ({ wires }) => wires.clients.cutOnce({ asked: 'POST ' }),
  'database-cut': async ({ wires }) => wires.database.cutAll() > 0,
  'back-end-terminated': async ({ postgres }, { dice }) => {
    const rows = await administer(postgres, `SELECT pg_terminate_backend(pid) FROM (${backEnd}) AS victim`, [dice]);
    return rows.length > 0;
  },
  'back-end-frozen': async (stack, fault) => freeze([await backEndOf(stack, fault)], fault),
  'back-end-killed': async (stack, fault) => signalTo(await backEndOf(stack, fault), 'SIGKILL'),
  'postgres-killed': async ({ pids }) => signalTo(pids.postgres(), 'SIGKILL'),
  'postgres-frozen': ({ pids }, fault) => freeze([pids.postgres(), ...childrenOf(pids.postgres())], fault),
  'worker-killed': async ({ pids }, fault) => signalTo(oneOf(pids.workers(), fault), 'SIGKILL'),
  'worker-frozen': ({ pids }, fault) => freeze([oneOf(pids.workers(), fault)], fault),
  'primary-killed': async ({ pids }) => signalTo(pids.primary(), 'SIGKILL'),
  'primary-frozen': ({ pids }, fault) => freeze([pids.primary()], fault),
  'redis-frozen': ({ pids }, fault) => freeze([pids.redis()], fault),
  'redis-killed': async ({ pids }) => signalTo(pids.redis(), 'SIGKILL'),
  'clock-moved': async (stack, { dice, forMs }) => {
    await stack.moveClock(Math.round((2 * dice - 1) * oneHourMs));
    await sleep(forMs);
    await stack.moveClock(0);
    return true;
  },
  'logs-full': async ({ logs }, { forMs }) => {
    await logs?.fill();
    await sleep(forMs);
    await logs?.empty();
    return logs !== undefined;
  },
};

const backEnd = `
  SELECT pid FROM pg_stat_activity WHERE application_name = 'atalaya-api' AND datname = current_database()
  ORDER BY state = 'active' DESC, hashfloat8(pid * (1 + $1::float8)) LIMIT 1`;

async function backEndOf({ postgres, pids }: Stack, { dice }: Fault): Promise<number | undefined> {
  if (pids.postgres() === undefined) return undefined;
  return (await administer<{ pid: number }>(postgres, backEnd, [dice]))[0]?.pid;
}

const oneOf = (pids: readonly number[], { dice }: Fault): number | undefined => pids[Math.floor(dice * pids.length)];

async function freeze(pids: readonly (number | undefined)[], { forMs }: Fault): Promise<boolean> {
  const stopped = pids.filter((pid) => signalTo(pid, 'SIGSTOP'));
  await sleep(forMs);
  for (const pid of stopped) signalTo(pid, 'SIGCONT');
  return stopped.length > 0;
}
