import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stackFileName, type LocalStack } from '#lib/local-stack.ts';
import { writePrivately } from './local-secrets.ts';

const stackFile = (dataDir: string): string => join(dataDir, stackFileName);

/** Tells other commands that the stack serves, and how to reach it. */
export function publishStack(dataDir: string, stack: LocalStack): Promise<void> {
  return writePrivately(stackFile(dataDir), stack);
}

export function withdrawStack(dataDir: string): Promise<void> {
  return rm(stackFile(dataDir), { force: true });
}
