import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** TCP between two programs, on 127.0.0.1, that can be cut at a moment that matters. */
export type Wire = {
  readonly port: number;
  /** Ends every connection. @returns how many there were */
  readonly cutAll: () => number;
  /**
   * Ends the next connection over which `asked` goes forth: before it is sent on, or, with `told`, once `told` has come back
   * and before that is sent on.
   * @returns whether it came to that within two seconds
   */
  readonly cutOnce: (cut: { readonly asked: string; readonly told?: string }) => Promise<boolean>;
  readonly close: () => Promise<void>;
};

type Cut = { readonly asked: string; readonly told?: string; readonly done: () => void };

const patienceMs = 2_000;

export async function openWire(toPort: number): Promise<Wire> {
  const ends = new Set<() => void>();
  const cuts: Cut[] = [];
  const server = createServer((near) => join(near, createConnection(toPort, '127.0.0.1'), { ends, cuts }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cutAll = (): number => {
    const { size } = ends;
    for (const end of ends) end();
    return size;
  };
  return {
    port: (server.address() as AddressInfo).port,
    cutAll,
    cutOnce: async (what) => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const cut = { ...what, done: () => resolve(true) };
      cuts.push(cut);
      const isDone = await Promise.race([promise, sleep(patienceMs, false, { ref: false })]);
      if (cuts.includes(cut)) cuts.splice(cuts.indexOf(cut), 1);
      return isDone;
    },
    close: async () => {
      server.close();
      cutAll();
    },
  };
}

type Armed = { readonly ends: Set<() => void>; readonly cuts: Cut[] };

function join(near: Socket, far: Socket, { ends, cuts }: Armed): void {
  const end = (): void => {
    ends.delete(end);
    near.destroy();
    far.destroy();
  };
  ends.add(end);
  for (const socket of [near, far]) socket.setNoDelay(true).on('error', end).on('close', end);
  let waitsFor: Cut | undefined;
  near.on('data', (chunk: Buffer) => {
    const cut = cuts.find(({ asked }) => chunk.includes(asked));
    if (cut) cuts.splice(cuts.indexOf(cut), 1);
    if (cut && cut.told === undefined) {
      end();
      cut.done();
      return;
    }
    waitsFor ??= cut;
    far.write(chunk);
  });
  far.on('data', (chunk: Buffer) => {
    if (waitsFor?.told !== undefined && chunk.includes(waitsFor.told)) {
      end();
      waitsFor.done();
    } else near.write(chunk);
  });
}
