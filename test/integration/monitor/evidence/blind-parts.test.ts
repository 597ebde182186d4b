import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CauseIn } from './judge.ts';
import type { Stack } from './stack.ts';
import { certificate } from './surroundings.ts';
import { testBlind, type Injection } from './test-blind.ts';

/** Does something to the whole API, its worker included. */
function signalApi(stack: Stack, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  const { pid } = stack.api().child;
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  for (const each of [pid ?? 0, ...workers]) process.kill(each, signal);
}

const injections: Readonly<Record<CauseIn<'parts'>, Injection>> = {
  'Redis gone': { inject: (_around, stack) => stack.redis().stop() },
  'Redis frozen': { inject: (_around, stack) => stack.redis().freeze() },
  'API frozen': {
    inject: (_around, stack) => {
      signalApi(stack, 'SIGSTOP');
      onTestFinished(() => signalApi(stack, 'SIGCONT'));
    },
  },
  'API gone': {
    inject: (_around, stack) => signalApi(stack, 'SIGKILL'),
  },
  'nginx gone': {
    inject: ({ nginx }) => {
      nginx.close();
      nginx.closeAllConnections();
    },
  },
  'certificate over': {
    inject: ({ site, dir }) => site.setSecureContext(certificate(dir, 'old', ['20250101000000Z', '20250201000000Z'])),
  },
  'DNS gone': { inject: ({ silenceNames }) => silenceNames() },
  'disk full': {
    inject: ({ disk, hasDisk }) => {
      if (hasDisk) writeFileSync(join(disk, 'dump'), Buffer.alloc(2 * 1024 * 1024 - 4_096));
    },
  },
};

testBlind(injections, 'es');
