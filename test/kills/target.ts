import { createServer } from 'node:http';

/** A program that answers /health_check as a healthy API does, on PORT, and says so once it listens. */
const body = JSON.stringify({ status: 'healthy', checks: {} });
createServer((_request, response) => response.setHeader('content-type', 'application/json').end(body)).listen(
  Number(process.env['PORT']),
  '127.0.0.1',
  () => process.stdout.write('listening\n'),
);
