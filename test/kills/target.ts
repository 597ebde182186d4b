import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that answers /health_check as a healthy API does, on PORT or any that is free, and tells it once it listens. */
const body = JSON.stringify({ status: 'healthy', checks: {} });
const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(body));
const listen = (): void => void server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
// A connection of somebody else may have the port for a moment.
server.on('error', () => void sleep(50).then(listen));
server.on('listening', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
listen();
