import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const body = JSON.stringify({ says: 'Stands where an answer would: as quick as nothing at all.' });

/** A process of its own, which ends with its parent: this file is what a calibration forks. It answers whatever is asked, doing nothing. */
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ origin: `http://127.0.0.1:${port}` });
});
process.on('disconnect', () => {
  server.closeAllConnections();
  server.close();
});
