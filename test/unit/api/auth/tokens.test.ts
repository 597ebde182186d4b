import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createActiveClients, createTokens } from '#api/auth/tokens.ts';

const secret = 'a secret of at least 32 characters';
const everyone = { isActive: async () => true, isKnown: () => true, forget: () => {} };

const refuse = (): Promise<never> => Promise.reject(new Error('the limit is used up'));

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('access tokens', () => {
  test('prove the client and its quota, again and again', async () => {
    const tokens = createTokens(secret, 60, everyone);
    const { accessToken, expiresInSeconds } = await tokens.issue({ clientId: 7, quota: 'loadtest' });
    expect(expiresInSeconds).toBe(60);
    const principal = { kind: 'customer', clientId: 7, quota: 'loadtest' };
    expect([await tokens.verify(accessToken), await tokens.verify(accessToken)]).toEqual([principal, principal]);
  });

  test('end when their time is over, also once they have been seen', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    const tokens = createTokens(secret, 60, everyone);
    const { accessToken } = await tokens.issue({ clientId: 7, quota: 'standard' });
    vi.setSystemTime(Date.UTC(2026, 0, 1, 0, 0, 59));
    expect(await tokens.verify(accessToken)).toBeDefined();
    vi.setSystemTime(Date.UTC(2026, 0, 1, 0, 1, 0));
    expect(await tokens.verify(accessToken)).toBeUndefined();
    expect(await createTokens(secret, 60, everyone).verify(accessToken)).toBeUndefined();
  });

  test('end when the client is deleted', async () => {
    const active = new Set([7]);
    const tokens = createTokens(secret, 60, {
      isActive: async ({ clientId }) => active.has(clientId),
      isKnown: ({ clientId }) => active.has(clientId),
      forget: () => {},
    });
    const { accessToken } = await tokens.issue({ clientId: 7, quota: 'standard' });
    expect(await tokens.verify(accessToken)).toBeDefined();
    active.delete(7);
    expect(await tokens.verify(accessToken)).toBeUndefined();
  });

  test('ask for admission as their client before the database is asked, and not when they are worth nothing', async () => {
    const order: unknown[] = [];
    const admit = async (claimed: unknown): Promise<void> => void order.push(claimed);
    const isActive = async ({ clientId }: { readonly clientId: number }): Promise<boolean> => order.push(`is ${clientId} active?`) > 0;
    const tokens = createTokens(secret, 60, { isActive, isKnown: () => false, forget: () => {} });
    const { accessToken } = await tokens.issue({ clientId: 7, quota: 'standard' });
    await tokens.verify(accessToken, admit);
    await tokens.verify(`${accessToken}x`, admit);
    expect(order).toEqual([{ kind: 'customer', clientId: 7, quota: 'standard' }, 'is 7 active?']);
    await expect(tokens.verify(accessToken, refuse)).rejects.toThrow('the limit is used up');
    expect(order).toHaveLength(2);
  });

  test('are recalled without a question only while both signature and client were seen to hold, and their time is not over', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    const known = new Set<number>();
    const tokens = createTokens(secret, 60, { ...everyone, isKnown: ({ clientId }) => known.has(clientId) });
    const { accessToken } = await tokens.issue({ clientId: 7, quota: 'standard' });
    known.add(7);
    expect(tokens.recall(accessToken), 'its signature has not been seen yet').toBeUndefined();
    const principal = await tokens.verify(accessToken);
    expect([tokens.recall(accessToken), tokens.recall(`${accessToken}x`)]).toEqual([principal, undefined]);
    known.delete(7);
    expect(tokens.recall(accessToken)).toBeUndefined();
    known.add(7);
    vi.setSystemTime(Date.UTC(2026, 0, 1, 0, 1, 0));
    expect(tokens.recall(accessToken)).toBeUndefined();
  });

  test('of another secret, another issuer, another algorithm or none are worth nothing', async () => {
    const tokens = createTokens(secret, 60, everyone);
    const key = new TextEncoder().encode(secret);
    const signed = (alg: string, issuer: string, subject: string, withExpiry = true): Promise<string> => {
      const jwt = new SignJWT({})
        .setProtectedHeader({ alg })
        .setIssuer(issuer)
        .setAudience('atalaya-api')
        .setSubject(subject)
        .setIssuedAt();
      return (withExpiry ? jwt.setExpirationTime('1h') : jwt).sign(key);
    };
    const { accessToken } = await createTokens('another secret of 32 characters!', 60, everyone).issue({ clientId: 7, quota: 'standard' });
    const worthless = [
      accessToken,
      await signed('HS256', 'someone else', '7'),
      await signed('HS512', 'atalaya', '7'),
      await signed('HS256', 'atalaya', 'seven'),
      await signed('HS256', 'atalaya', '7', false),
      new UnsecuredJWT({}).setIssuer('atalaya').setAudience('atalaya-api').setSubject('7').setExpirationTime('1h').encode(),
      `${accessToken.slice(0, -2)}xx`,
      'x',
      '',
      'x'.repeat(5_000),
    ];
    expect(await Promise.all(worthless.map((token) => tokens.verify(token)))).toEqual(worthless.map(() => undefined));
    expect(await tokens.verify(await signed('HS256', 'atalaya', '7'))).toMatchObject({ clientId: 7 });
  });
});

/** Lets timers and the clock that caches look at go on by so much at once. */
function timeThatGoesOn(): (byMs: number) => Promise<unknown> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let nowMs = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  return (byMs) => vi.advanceTimersByTimeAsync((nowMs += byMs) && byMs);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function settledHeapBytes(): Promise<number> {
  await new Promise(setImmediate);
  collect();
  return process.memoryUsage().heapUsed;
}

describe('what is remembered', () => {
  test('of a token is gone a minute later, though nobody brings it again', async () => {
    const goOn = timeThatGoesOn();
    const tokens = createTokens(secret, 600, everyone);
    const { accessToken } = await tokens.issue({ clientId: 7, quota: 'standard' });
    const remembered = new WeakRef((await tokens.verify(accessToken)) as object);
    await goOn(59_000);
    await settledHeapBytes();
    expect(remembered.deref()).toBeDefined();
    await goOn(2_000);
    await settledHeapBytes();
    expect(remembered.deref()).toBeUndefined();
  });

  test('of a client and its sessions is gone five seconds later', async () => {
    const goOn = timeThatGoesOn();
    const sessions = Array.from({ length: 100 }, (_, index) => index);
    const clients = createActiveClients({ byId: async () => ({ id_key: 0, sessions }) as never });
    const before = await settledHeapBytes();
    for (let clientId = 0; clientId < 4_000; clientId += 1) await clients.isActive({ kind: 'customer', clientId, quota: 'standard' }, 0);
    expect((await settledHeapBytes()) - before).toBeGreaterThan(8e6);
    await goOn(6_000);
    expect((await settledHeapBytes()) - before).toBeLessThan(3e6);
    expect(clients.isKnown({ kind: 'customer', clientId: 7, quota: 'standard' })).toBe(false);
  });
});
