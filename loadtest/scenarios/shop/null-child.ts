import { startNullServer } from './null-shop.ts';

/** A process of its own for the null server: this file is what calibrate forks. It ends with its parent. */
const server = await startNullServer();
process.on('disconnect', () => void server.close());
process.send?.({ origin: server.origin });
