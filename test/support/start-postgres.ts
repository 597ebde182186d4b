import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { freePort } from './free-port.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The cluster all integration tests share; each test takes a database of its own in it. */
    cluster: { host: string; port: number; user: string; password: string };
  }
}

/** One PostgreSQL for the whole run. It does not fsync: nothing in it outlives the run. */
export default async function startPostgres(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'atalaya-test-'));
  const cluster = { host: '127.0.0.1', port: await freePort(), user: 'atalaya', password: 'test-password' };
  const server = await startEmbeddedPostgres({
    dataDir: join(dataDir, 'postgres'),
    port: cluster.port,
    user: cluster.user,
    password: cluster.password,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  project.provide('cluster', cluster);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
