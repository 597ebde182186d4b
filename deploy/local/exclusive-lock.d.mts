export type Lock = { readonly release: () => Promise<void> };

/**
 * Takes the lock of that name on this machine, or says who holds it. The lock is a listening socket, so the kernel gives
 * it to one process only and frees it the moment that process ends, however it ends: no stale lock, no file to clean up.
 * @param name any text; the same text is the same lock
 * @param holder one line, told to those who come later
 */
export function takeLock(
  name: string,
  holder: string,
): Promise<({ readonly taken: true } & Lock) | { readonly taken: false; readonly holder: string }>;

/**
 * Waits until the lock is free and takes it; undefined when the time is up.
 * `onWait` is called once, if there is a wait.
 */
export function waitForLock(
  name: string,
  holder: string,
  options: { readonly timeoutMs: number; readonly onWait: (holder: string) => void },
): Promise<Lock | undefined>;
