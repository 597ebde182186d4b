import Hapi from '@hapi/hapi';
import hapiRateLimit from 'hapi-rate-limit';

export async function start({ limit, periodMs, port }) {
  const server = Hapi.server({ port, host: '127.0.0.1' });
  await server.register({
    plugin: hapiRateLimit,
    options: { userLimit: limit, userCache: { expiresIn: periodMs }, pathLimit: false, trustProxy: false },
  });
  server.route({ method: 'GET', path: '/things', handler: () => [] });
  await server.start();
}
