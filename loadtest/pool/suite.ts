import { mostOf, type Answered, type Exchange, type Kind, type Look, type Reading, type Recording, type Settings } from './recording.ts';

/** One connection of one client, one request at a time. */
export type Lane = { readonly send: (kind: Kind) => Promise<Answered>; readonly close: () => Promise<void> };

/** How requests leave, time goes by, and the pools are seen and harmed: over HTTP and SQL, or in a simulation. */
export type Port = {
  readonly now: () => number;
  /** Resolves at that moment of `now`, never before. @throws the reason of the signal that ends the run */
  readonly waitUntil: (atMs: number) => Promise<void>;
  readonly lane: () => Lane;
  readonly look: () => Promise<Look>;
  /** Makes every `order` wait, on its connection, until it is called off. */
  readonly lock: () => Promise<() => Promise<void>>;
  /** Ends half of the API's sessions. @returns how many */
  readonly terminateHalf: () => Promise<number>;
  /** Ends all of the API's sessions, and lets it open none, until it is called off. */
  readonly shut: () => Promise<() => Promise<void>>;
};

export type SuiteOptions = {
  readonly settings: Settings;
  readonly port: Port;
  /** How often each kind of request is made when leaks are looked for. */
  readonly leakRequests: number;
  readonly onStage?: (name: string) => void;
};

const lookEveryMs = 100;

/** Plays everything that shows a pool as it is. @throws what the port's waiting throws */
export async function playSuite({ settings, port, leakRequests, onStage = () => {} }: SuiteOptions): Promise<Recording> {
  const exchanges: Exchange[] = [];
  const readings: Reading[] = [];
  const stages: Record<string, { fromMs: number; toMs: number }> = {};
  let stage = '';
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    for (let dueMs = port.now(); !over.signal.aborted; dueMs = Math.max(dueMs + lookEveryMs, port.now())) {
      await port.waitUntil(dueMs);
      const [atMs, during] = [port.now(), stage];
      readings.push({ ...(await port.look()), stage: during, atMs, lateMs: atMs - dueMs });
    }
  };
  const watching = watch();
  // Awaited at the end; a canceled run may end it before.
  watching.catch(() => {});
  const player: Player = {
    port,
    settings,
    leakRequests,
    ask: async (lane, kind) => {
      // A canceled run asks nothing more, however slow the answers are.
      await port.waitUntil(port.now());
      const [sentMs, during] = [port.now(), stage];
      const answered = await lane.send(kind);
      exchanges.push({ ...answered, stage: during, kind, sentMs, endedMs: port.now() });
    },
    pass: (ms) => port.waitUntil(port.now() + ms),
  };
  let loss: Recording['loss'] = null;
  try {
    for (const [name, play] of Object.entries(parts)) {
      stage = name;
      onStage(name);
      const fromMs = port.now();
      loss = (await play(player)) ?? loss;
      stages[name] = { fromMs, toMs: port.now() };
    }
  } finally {
    over.abort();
    await watching;
  }
  return { settings, exchanges, readings, stages, loss };
}

type Player = Pick<SuiteOptions, 'port' | 'settings' | 'leakRequests'> & {
  readonly ask: (lane: Lane, kind: Kind) => Promise<void>;
  readonly pass: (ms: number) => Promise<void>;
};

/** In this order: what is left of a part is gone before the next, or is found at the end. */
const parts: Readonly<Record<string, (player: Player) => Promise<void | Recording['loss']>>> = {
  // Four times as many transactions as connections, none of which can go on.
  hold: async (player) => {
    const { port, settings, pass } = player;
    const callOff = await port.lock();
    const asked = inLanes(player, 4 * mostOf(settings), 'order', { times: 1 });
    await pass(settings.timeoutMs + 1_500).finally(callOff);
    await asked;
  },
  shrink: ({ settings, pass }) => pass(settings.idleMs + 3_000),
  steady: (player) => inLanes(player, mostOf(player.settings) / 2, 'slow', { forMs: 6_000 }),
  // However the processes share the clients, one connection of each is free.
  mixed: async (player) => {
    const { size, overflow } = player.settings;
    await Promise.all([inLanes(player, size + overflow - 1, 'slow', { forMs: 4_000 }), inLanes(player, 2, 'quick', { forMs: 4_000 })]);
  },
  saturated: async (player) => {
    const most = mostOf(player.settings);
    await Promise.all([inLanes(player, 1.5 * most, 'slow', { forMs: 7_000 }), inLanes(player, 2, 'quick', { forMs: 7_000 })]);
  },
  overload: (player) => inLanes(player, 4 * mostOf(player.settings), 'slow', { forMs: 8_000 }),
  recovery: (player) => inLanes(player, 4, 'quick', { forMs: 3_000 }),
  // One after the other while nothing goes on, so that it is known in which order they stand in line.
  line: async (player) => {
    const most = mostOf(player.settings);
    const callOff = await player.port.lock();
    const asked = [inLanes(player, 2 * most, 'order', { times: 1 })];
    await player.pass(100);
    while (asked.length <= 3 * most) {
      asked.push(inLanes(player, 1, 'slow', { times: 1 }));
      await player.pass(inLineMs);
    }
    await callOff();
    await Promise.all(asked);
  },
  transactions: (player) => inLanes(player, 2 * mostOf(player.settings), 'order', { times: 1 }),
  leaks: async (player) => {
    const each = Math.ceil(player.leakRequests / leakLanes);
    const forMs = patienceMs(each);
    for (const kind of ['quick', 'list', 'missing', 'invalid', 'order', 'hasty'] as const)
      await inLanes(player, leakLanes, kind, { times: each, forMs });
    await inLanes(player, leakLanes, 'route', { times: routeShare * each, forMs: patienceMs(routeShare * each) });
    await inLanes(player, 2 * mostOf(player.settings), 'abandoned', { times: 2 });
    // Last, so that whatever it leaves open nobody ends by using the connection again.
    await inLanes(player, leakLanes, 'failing', { times: each, forMs });
  },
  // Longer than anything the parts before may have left at work.
  rest: ({ settings, pass }) => pass(settings.timeoutMs + 3_000),
  // By itself, so that whatever it leaves open no other request ends.
  broken: async (player) => {
    const each = Math.ceil(player.leakRequests / leakLanes);
    await inLanes(player, leakLanes, 'broken', { times: each, forMs: patienceMs(each) });
    await player.pass(1_000);
  },
  outage: async (player) => {
    const letIn = await player.port.shut();
    await inLanes(player, lossLanes, 'quick', { forMs: 1_500 }).finally(letIn);
    await player.pass(500);
  },
  returned: (player) => inLanes(player, 2 * mostOf(player.settings), 'order', { times: 1 }),
  // All connections are young then: no lifetime ends one that the database has ended.
  loss: async (player) => {
    const { port, pass } = player;
    const asked = inLanes(player, lossLanes, 'quick', { forMs: 4_000 });
    await pass(1_000);
    const atMs = port.now();
    const sessions = await port.terminateHalf();
    await asked;
    return { atMs, sessions };
  },
  // So many at once that every connection is lent out: a dead one among them too.
  regained: (player) => inLanes(player, 2 * mostOf(player.settings), 'order', { times: 1 }),
  end: ({ pass }) => pass(1_000),
};

/** Of those who stand in line: so short that half of the acquire timeout is left to all when the line begins to move. */
const inLineMs = 30;
const leakLanes = 8;
/** A shop in which nearly every request waits for its timeout would else be looked at for hours; what is wrong with it shows at once. */
const patienceMs = (times: number): number => 10_000 + 60 * times;
/** There are some dozens of routes. */
const routeShare = 5;
/** Fewer than connections, so that some rest when sessions are ended. */
export const lossLanes = 4;

/** So many clients ask, each after its last answer: so often, or for so long. */
async function inLanes(
  { port, ask }: Player,
  count: number,
  kind: Kind,
  { times = Infinity, forMs = Infinity }: { times?: number; forMs?: number },
): Promise<void> {
  const endsMs = port.now() + forMs;
  await Promise.all(
    Array.from({ length: Math.ceil(count) }, async () => {
      const lane = port.lane();
      try {
        for (let asked = 0; asked < times && port.now() < endsMs; asked += 1) await ask(lane, kind);
      } finally {
        await lane.close();
      }
    }),
  );
}
