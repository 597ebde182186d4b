import { readFile } from 'node:fs/promises';
import { parseCpuLine } from '#loadtest/observe/watch-machine.ts';
import { processTree, readProcesses, ticksPerSecond } from '#lib/proc.ts';
import { clients, type Asked, type Client, type Said } from './clients.ts';
import { stallForAll, startKnownServer, type KnownServer, type Latency } from './known-server.ts';

/** What is asked of every client: of latencies that are known, through a stall, and for as much as it can of a server that does nothing. */
export const matters = {
  mixture: { connections: 20, perSecond: 500, seconds: 6 },
  stall: { connections: 20, perSecond: 100, seconds: 10 },
  nothing: { connections: 50, seconds: 4 },
} as const satisfies Record<string, Asked>;
export type Matter = keyof typeof matters;

/** The rate at which our open generator must drop nothing and be on time. */
export const steady: Asked = { connections: 0, perSecond: 1_000, seconds: 10, warmUpSeconds: 2 };

/** One client through one matter: what it says, and what was true. */
export type Play = {
  readonly matter: Matter | 'steady';
  readonly client: string;
  readonly round: number;
  readonly said: Said;
  /** As the server's own clock has it; of a stall, as it is for people who come all the time. */
  readonly truth: Latency;
  /** Share of this machine's CPU, 0–1, that went to others than client and server meanwhile; null where it cannot be read. */
  readonly others: number | null;
};

/** What became of the campaign: its plays, and which clients are not there. */
export type Campaign = { readonly plays: readonly Play[]; readonly missing: readonly string[] };

/** Plays every client through every matter, in rounds that begin with another one each. */
export async function playCampaign(rounds: number, signal: AbortSignal, onPlay: (play: Play) => void): Promise<Campaign> {
  const server = await startKnownServer();
  const plays: Play[] = [];
  const missing = new Set<string>();
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const { matter, client, asked } of courseOf(round)) {
        signal.throwIfAborted();
        if (missing.has(client.name)) continue;
        const play = await playOne(server, { matter, client, asked, round }).catch((err: NodeJS.ErrnoException) => {
          if (err.code !== 'ENOENT') throw err;
          missing.add(client.name);
        });
        if (!play) continue;
        plays.push(play);
        onPlay(play);
      }
    }
  } finally {
    server.stop();
  }
  return { plays, missing: [...missing] };
}

type Turn = { readonly matter: Play['matter']; readonly client: Client; readonly asked: Asked };

/** The same turns in every round, beginning with another client. How fast they are is asked of those that nothing paces. */
function courseOf(round: number): Turn[] {
  const order = [...clients.slice(round % clients.length), ...clients.slice(0, round % clients.length)];
  const turns = (Object.keys(matters) as Matter[]).flatMap((matter) =>
    order
      .filter(({ kind }) => matter !== 'nothing' || kind === 'closed')
      .map((client): Turn => ({ matter, client, asked: matters[matter] })),
  );
  const open = clients.filter(({ kind }) => kind === 'open').map((client): Turn => ({ matter: 'steady', client, asked: steady }));
  return [...turns, ...open];
}

async function playOne(server: KnownServer, { matter, client, asked, round }: Turn & { round: number }): Promise<Play> {
  const run = `${matter}-${round}-${client.name.replaceAll(/\W+/g, '-')}`;
  const kind = matter === 'steady' ? 'nothing' : matter;
  const before = await readUsage();
  const said = await client.play(`${server.origin}/${kind}/${run}`, asked);
  const others = othersBetween(before, await readUsage());
  return { matter, client: client.name, round, said, truth: matter === 'stall' ? stallForAll() : await server.served(run), others };
}

type Usage = { readonly all: number; readonly idle: number; readonly own: number } | undefined;

/** With children that have ended: a client is one by the time it is looked at. */
async function readUsage(): Promise<Usage> {
  const ticks = parseCpuLine(await readFile('/proc/stat', 'utf8').catch(() => ''));
  const own = processTree(await readProcesses(), process.pid).reduce((sum, one) => sum + one.cpuTicks + one.endedChildrenTicks, 0);
  return ticks && { all: ticks.all / ticksPerSecond, idle: ticks.idle / ticksPerSecond, own: own / ticksPerSecond };
}

function othersBetween(before: Usage, after: Usage): number | null {
  if (!before || !after || after.all <= before.all) return null;
  const busy = after.all - before.all - (after.idle - before.idle);
  return Math.max(0, (busy - (after.own - before.own)) / (after.all - before.all));
}
