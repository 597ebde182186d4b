import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  createNonces,
  isCommandSigned,
  judgeLink,
  linkCountsMs,
  openSigner,
  readSigner,
  signCommand,
  signLink,
} from '#monitor/quiet/signature.ts';
import { openDatabase, StoreError } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

test('what one start has signed counts for the next and for whoever may read the folder, and for nobody else', async () => {
  const [dir, other] = await Promise.all([temporaryFolder(), temporaryFolder()]);
  const signature = openSigner(dir).sign('ack', 'api-1');
  expect(openSigner(dir).isSigned('ack', 'api-1', signature)).toBe(true);
  expect(readSigner(dir).isSigned('ack', 'api-1', signature)).toBe(true);
  expect(openSigner(other).isSigned('ack', 'api-1', signature)).toBe(false);
  expect(statSync(join(dir, 'monitor.key')).mode & 0o777).toBe(0o600);
  expect(() => readSigner(join(dir, 'none'))).toThrow('MONITOR_DATA_DIR');
});

test('a signature counts for its own text and purpose only', async () => {
  const signer = openSigner(await temporaryFolder());
  const signature = signer.sign('ack', 'api-1');
  expect(signer.isSigned('ack', 'api-2', signature)).toBe(false);
  expect(signer.isSigned('command', 'api-1', signature)).toBe(false);
  expect(signer.isSigned('ack', 'api-1', '')).toBe(false);
  expect(signer.isSigned('ack', 'api-1', `${signature}ñ`)).toBe(false);
});

test('a link counts for a week and for its own incident only, and no other signature makes one', async () => {
  const signer = openSigner(await temporaryFolder());
  const now = 1_000_000;
  const link = signLink(signer, 'api-1', now);
  expect(judgeLink(signer, link, now + linkCountsMs - 1)).toBe('good');
  expect(judgeLink(signer, link, now + linkCountsMs)).toBe('ended');
  const others = [
    { incident: 'api-12' },
    { incident: '' },
    { until: String(now + 2 * linkCountsMs) },
    { until: '' },
    { until: `${link.until}\napi-1`, incident: '' },
    { signature: '' },
    { signature: signer.sign('ack', 'api-1') },
    { signature: signer.sign('command', `${link.until}\napi-1`) },
  ];
  expect(others.map((other) => judgeLink(signer, { ...link, ...other }, now))).toEqual(others.map(() => 'forged'));
});

test('a signed command counts for a minute, and not with another body', async () => {
  const signer = openSigner(await temporaryFolder());
  const [body, now] = ['{"do":"ack"}', 1_000_000];
  const authorization = signCommand(signer, body, now);
  expect(isCommandSigned(signer, authorization, { body, now: now + 60_000 })).toBe(true);
  expect(isCommandSigned(signer, authorization, { body, now: now + 60_001 })).toBe(false);
  expect(isCommandSigned(signer, authorization, { body: '{"do":"silence"}', now })).toBe(false);
  expect(isCommandSigned(signer, authorization.replace(String(now), String(now + 1)), { body, now })).toBe(false);
  for (const wrong of [undefined, '', 'Signed', `Signed ${now}.`, `Bearer ${now}.x`]) {
    expect(isCommandSigned(signer, wrong, { body, now })).toBe(false);
  }
});

test('a signed command is taken once, over a restart, and also while the store takes nothing', () => {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  let isFull = false;
  const start = () =>
    createNonces(
      {
        takeNonce: (nonce, at) => {
          if (isFull) throw new StoreError('the disk is full');
          return store.takeNonce(nonce, at);
        },
      },
      () => 1,
    );
  const take = start();
  expect([take('a'), take('a'), take('b')]).toEqual([true, false, true]);
  expect(start()('a')).toBe(false);
  isFull = true;
  expect([take('c'), take('c')]).toEqual([true, false]);
  isFull = false;
  expect(take('c')).toBe(false);
});
