/** A public limiter, set up as its readme shows, with a small server around it. */
export type PublicLimiter = {
  readonly name: string;
  /** Packages of package.json whose versions the table names. */
  readonly packages: readonly [string, ...string[]];
  /** File in servers/ and the function of it that starts one. */
  readonly server: readonly [file: string, start: string];
  readonly store: 'memory' | 'Redis';
  /** As its documentation says it counts; windows are judged by that. */
  readonly windows: 'sliding' | 'fixed';
  /** Whether its server is told to believe X-Forwarded-For from one address, and from no other. */
  readonly hasTrustedProxy?: true;
};

export const publicLimiters: readonly PublicLimiter[] = [
  {
    name: 'express-rate-limit',
    packages: ['express-rate-limit'],
    server: ['express.mjs', 'start'],
    store: 'memory',
    windows: 'fixed',
    hasTrustedProxy: true,
  },
  {
    name: 'express-rate-limit, rate-limit-redis',
    packages: ['express-rate-limit', 'rate-limit-redis'],
    server: ['express.mjs', 'start'],
    store: 'Redis',
    windows: 'fixed',
    hasTrustedProxy: true,
  },
  {
    name: 'rate-limiter-flexible',
    packages: ['rate-limiter-flexible'],
    server: ['plain.mjs', 'startFlexible'],
    store: 'memory',
    windows: 'fixed',
  },
  {
    name: 'rate-limiter-flexible, insured',
    packages: ['rate-limiter-flexible'],
    server: ['plain.mjs', 'startFlexible'],
    store: 'Redis',
    windows: 'fixed',
  },
  { name: 'koa-ratelimit', packages: ['koa-ratelimit'], server: ['koa.mjs', 'startKoaRatelimit'], store: 'memory', windows: 'fixed' },
  {
    name: 'koa-ratelimit on Redis',
    packages: ['koa-ratelimit'],
    server: ['koa.mjs', 'startKoaRatelimit'],
    store: 'Redis',
    windows: 'sliding',
  },
  { name: 'koa2-ratelimit', packages: ['koa2-ratelimit'], server: ['koa.mjs', 'startKoa2Ratelimit'], store: 'memory', windows: 'fixed' },
  {
    name: '@fastify/rate-limit',
    packages: ['@fastify/rate-limit'],
    server: ['fastify.mjs', 'start'],
    store: 'memory',
    windows: 'fixed',
    hasTrustedProxy: true,
  },
  {
    name: '@fastify/rate-limit on Redis',
    packages: ['@fastify/rate-limit'],
    server: ['fastify.mjs', 'start'],
    store: 'Redis',
    windows: 'fixed',
    hasTrustedProxy: true,
  },
  { name: 'hono-rate-limiter', packages: ['hono-rate-limiter'], server: ['hono.mjs', 'start'], store: 'memory', windows: 'fixed' },
  {
    name: '@nestjs/throttler',
    packages: ['@nestjs/throttler'],
    server: ['nest.mjs', 'start'],
    store: 'memory',
    windows: 'fixed',
    hasTrustedProxy: true,
  },
  { name: 'hapi-rate-limit', packages: ['hapi-rate-limit'], server: ['hapi.mjs', 'start'], store: 'memory', windows: 'fixed' },
  {
    name: 'rolling-rate-limiter',
    packages: ['rolling-rate-limiter'],
    server: ['plain.mjs', 'startRolling'],
    store: 'memory',
    windows: 'sliding',
  },
  {
    name: 'rolling-rate-limiter on Redis',
    packages: ['rolling-rate-limiter'],
    server: ['plain.mjs', 'startRolling'],
    store: 'Redis',
    windows: 'sliding',
  },
  { name: 'limiter', packages: ['limiter'], server: ['plain.mjs', 'startLimiter'], store: 'memory', windows: 'sliding' },
];
