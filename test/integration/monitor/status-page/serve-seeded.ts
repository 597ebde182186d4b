import type { HealthStatus } from '#monitor/model/look.ts';
import { startSeeded } from './start-seeded.ts';

// By itself, so that V8 can be told what it is told in production; whoever started it says what is shown.
const server = await startSeeded();
process.on('message', (statuses: readonly HealthStatus[]) => server.show(statuses));
process.once('disconnect', () => void server.close());
process.send?.(server.url);
