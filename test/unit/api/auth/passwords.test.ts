import { describe, expect, test } from 'vitest';
import { createPasswords } from '#api/auth/passwords.ts';
import { demoPassword, demoPasswordHash } from '#api/db/seed/seed-demo.ts';

const passwords = createPasswords({ concurrency: 2, maxWaitMs: 60_000 });
const found = (hash?: string) => async (): Promise<string | undefined> => hash;

describe('passwords', () => {
  test('are salted: the same one hashes differently each time, and each hash verifies', async () => {
    const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
    expect(one).not.toBe(two);
    expect(one).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$/);
    expect(await Promise.all([passwords.verify('correct horse', found(one)), passwords.verify('correct horse', found(two))])).toEqual([
      true,
      true,
    ]);
    expect(await passwords.verify('correct horsE', found(one))).toBe(false);
  });

  test('are never right without a hash to compare with, nor with a broken one', async () => {
    const hashes = [
      undefined,
      '',
      'x',
      '$scrypt$ln=14,r=8,p=5$AAAA$AAAA',
      `$scrypt$ln=14,r=8,p=5$AAAAAAAAAAAAAAAAAAAAAA$${'A'.repeat(43)}`,
    ];
    expect(await Promise.all(hashes.map((hash) => passwords.verify('anything', found(hash))))).toEqual(hashes.map(() => false));
  });

  test('cost as much to check for an unknown account as for a known one', async () => {
    const hash = await passwords.hash('correct horse');
    const known = await timeOf(() => passwords.verify('wrong', found(hash)));
    const unknown = await timeOf(() => passwords.verify('wrong', found()));
    // Without the dummy check this is below a hundredth; the bound is wide because machines are busy.
    expect(unknown / known).toBeGreaterThan(0.2);
  });

  test('typed on another keyboard are the same: composed and decomposed characters', async () => {
    const hash = await passwords.hash('contrase\u00f1a');
    expect(await passwords.verify('contrasen\u0303a', found(hash))).toBe(true);
  });

  test('that would wait for too long are refused', async () => {
    const narrow = createPasswords({ concurrency: 1, maxWaitMs: 0 });
    let lookedUp = 0;
    const find = async (): Promise<undefined> => void (lookedUp += 1);
    const outcomes = await Promise.allSettled(Array.from({ length: 2 }, () => narrow.verify('x', find)));
    expect(lookedUp, 'whoever is refused costs no question').toBe(1);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'overloaded' } });
    expect(await narrow.verify('x', found())).toBe(false);
  });

  test('of a client that has left are not worked on', async () => {
    const gone = AbortSignal.abort(new Error('the client went away'));
    await expect(passwords.hash('x', gone)).rejects.toThrow('the client went away');
    await expect(passwords.verify('x', found(), gone)).rejects.toThrow('the client went away');
  });

  test('of the demo clients is the one the README names', async () => {
    expect(demoPassword).toBe('atalaya-demo-2026');
    expect(await passwords.verify(demoPassword, found(demoPasswordHash))).toBe(true);
  });
});

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
