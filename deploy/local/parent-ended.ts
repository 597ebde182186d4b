const pollMs = 200;

/**
 * Resolves when the process that started this one has ended. npm runs a script through a shell, which does not hand on the
 * SIGTERM that npm gives it: the script would live on, unseen.
 */
export function parentEnded(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      resolve();
    }, pollMs);
    timer.unref();
  });
}
