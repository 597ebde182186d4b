import { createServer } from 'node:http';
import { RateLimiter } from 'limiter';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import { InMemoryRateLimiter, RedisRateLimiter } from 'rolling-rate-limiter';

/** Libraries that count and leave the answer to whoever uses them: it is made as their readmes show. */
const listen = (port, decide) =>
  createServer(async (req, res) => {
    try {
      const { isAllowed, headers } = await decide(req.socket.remoteAddress);
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      res.statusCode = isAllowed ? (req.url.split('?')[0] === '/things' ? 200 : 404) : 429;
    } catch {
      res.statusCode = 500;
    }
    res.end(res.statusCode === 429 ? 'Too many requests' : '[]');
  }).listen(port, '127.0.0.1');

export function startFlexible({ limit, periodMs, port, redis }) {
  const options = { points: limit, duration: periodMs / 1_000 };
  const memory = new RateLimiterMemory(options);
  const limiter = redis ? new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: memory }) : memory;
  const headersOf = ({ msBeforeNext, remainingPoints }) => ({
    'Retry-After': msBeforeNext / 1_000,
    'X-RateLimit-Limit': limit,
    'X-RateLimit-Remaining': remainingPoints,
    'X-RateLimit-Reset': Math.ceil((Date.now() + msBeforeNext) / 1_000),
  });
  return listen(port, async (key) => {
    try {
      const { 'Retry-After': _, ...headers } = headersOf(await limiter.consume(key));
      return { isAllowed: true, headers };
    } catch (refused) {
      if (refused instanceof Error) throw refused;
      return { isAllowed: false, headers: headersOf(refused) };
    }
  });
}

export function startRolling({ limit, periodMs, port, redis }) {
  const options = { interval: periodMs, maxInInterval: limit };
  const limiter = redis ? new RedisRateLimiter({ ...options, client: redis, namespace: 'rolling:' }) : new InMemoryRateLimiter(options);
  return listen(port, async (key) => ({ isAllowed: !(await limiter.limit(key)), headers: {} }));
}

export function startLimiter({ limit, periodMs, port }) {
  const limiters = new Map();
  return listen(port, (key) => {
    const limiter = limiters.get(key) ?? new RateLimiter({ tokensPerInterval: limit, interval: periodMs });
    limiters.set(key, limiter);
    if (limiter.tryRemoveTokens(1)) return { isAllowed: true, headers: {} };
    return { isAllowed: false, headers: { 'Retry-After': Math.max(1, Math.ceil(limiter.getWaitTime(1) / 1_000)) } };
  });
}
