import { readFileSync } from 'node:fs';

/**
 * Imported into every process of the API (NODE_OPTIONS=--import): its wall clock is wrong by as many milliseconds as stand in
 * the file that TORTURE_CLOCK names. The machine's own clock is let alone, and so is the monotonic one.
 */

const file = process.env['TORTURE_CLOCK'];
const readEveryMs = 50;
let wrongByMs = 0;

if (file !== undefined) {
  setInterval(() => {
    try {
      wrongByMs = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      wrongByMs = 0;
    }
  }, readEveryMs).unref();
  const right = Date.now;
  const now = (): number => right() + wrongByMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new Date(now()).toString(),
    get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
  });
}
