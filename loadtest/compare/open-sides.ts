import { checkOut } from './checkout.ts';
import { startDelayProxy } from './delay-proxy.ts';
import type { Side } from './sides.ts';
import { assertListening, openGivenTarget, openOwnTarget } from '../targets/open-target.ts';
import { ownRoot } from '../targets/local-stack.ts';
import type { Target } from '../targets/target.ts';
import type { CommandContext } from '../command.ts';

/** How one side is made ready, as often as needed, and what has to be taken away when all is over. */
export type Opener = { readonly open: () => Promise<Target>; readonly remove: () => Promise<void> };

/**
 * @param isShop false: nothing is known of the service, and no key is needed
 * @throws {UsageError} when there is no such commit
 */
export async function createOpener(side: Side, { env, signal }: CommandContext, isShop: boolean): Promise<Opener> {
  if (side.kind === 'target')
    return { open: () => (isShop ? openGivenTarget(side.origin, env) : openPlainTarget(side.origin)), remove: nothing };
  if (side.kind === 'settings') return { open: () => openOwnTarget({ ...env, ...side.settings }, signal), remove: nothing };
  const checkout = await checkOut(side.ref, ownRoot);
  return { open: () => openOwnTarget(env, signal, checkout.dir), remove: checkout.remove };
}

const nothing = async (): Promise<void> => {};

/** A service of which nothing is known but where it is. @throws {UnreachableError} when nothing listens there */
export async function openPlainTarget(origin: string): Promise<Target> {
  await assertListening(origin);
  return { kind: 'given', origin, loadtestKey: '', admin: undefined, postgres: undefined, pid: undefined, stop: nothing };
}

/** The same side, every answer of which takes longer by a share; 0 for the one it is compared with. */
export const slowed =
  (open: Opener['open'], share: number): Opener['open'] =>
  async () => {
    const target = await open();
    const proxy = await startDelayProxy(target.origin, share);
    return { ...target, origin: proxy.origin, stop: () => proxy.close().then(target.stop) };
  };
