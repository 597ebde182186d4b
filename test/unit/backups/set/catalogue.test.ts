import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findSet, findUsableSet, listBackups, readCatalogue } from '#backups/set/catalogue.ts';
import { writeManifest } from '#backups/set/manifest.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { sampleManifest } from './sample-manifest.ts';

const found = (id: string, changes: Parameters<typeof sampleManifest>[0] = {}) => ({
  id,
  path: `/b/${id}`,
  manifest: sampleManifest({ id, ...changes }),
});

describe('the set meant by latest', () => {
  const older = found('20261120T020000Z');
  const newer = found('20261121T020000Z');

  test('is the newest regular one of the database', () => {
    const safety = found('20261122T020000Z', { kind: 'safety' });
    const foreign = found('20261123T020000Z', { database: 'crm' });
    expect(findSet({ sets: [foreign, safety, newer, older], damaged: [] }, 'latest', 'shop')).toBe(newer);
  });

  test('is the damaged one when that is the newest, so that damage is not hidden', () => {
    const damaged = { id: '20261122T020000Z', path: '/b/20261122T020000Z', reason: 'manifest.json: missing' };
    expect(findSet({ sets: [newer, older], damaged: [damaged] }, 'latest', 'shop')).toBe(damaged);
  });

  test('is refused where there is none, and an unknown id too', () => {
    expect(() => findSet({ sets: [], damaged: [] }, 'latest', 'shop')).toThrow(/take one with npm run backup/);
    expect(() => findSet({ sets: [newer], damaged: [] }, 'latest', 'crm')).toThrow(/name one by its id/);
    expect(() => findSet({ sets: [newer], damaged: [] }, '../../etc', 'shop')).toThrow(/there is no backup/);
  });
});

describe('the set that latest restores', () => {
  const reasons = ['index public.orders_client_idx is missing'];
  const failed = (id: string) => found(id, { state: 'failed', verification: { at: '2026-11-24T02:01:00.000Z', durationMs: 1, reasons } });

  test('is the newest that is not known to be bad', () => {
    const good = found('20261120T020000Z');
    expect(findUsableSet({ sets: [failed('20261121T020000Z'), good], damaged: [] }, 'latest', 'shop')).toBe(good);
    expect(findUsableSet({ sets: [failed('20261121T020000Z'), good], damaged: [] }, '20261121T020000Z', 'shop')).toMatchObject({
      id: '20261121T020000Z',
    });
  });

  test('is refused where all have failed, saying why the newest did', () => {
    const sets = [failed('20261121T020000Z'), failed('20261120T020000Z')];
    expect(() => findUsableSet({ sets, damaged: [] }, 'latest', 'shop')).toThrow(
      'every backup of database "shop" failed verification, the newest (20261121T020000Z) by: index public.orders_client_idx is missing; take another',
    );
  });
});

describe('the catalogue', () => {
  test('lists whole sets, newest first, and names damaged ones apart', async () => {
    const dir = await temporaryFolder();
    for (const [id, state] of [
      ['20261120T020000Z', 'verified'],
      ['20261121T020000Z', 'written'],
    ] as const) {
      await mkdir(join(dir, id));
      await writeManifest(join(dir, id), sampleManifest({ id, state }));
    }
    await mkdir(join(dir, '20261122T020000Z'));
    await mkdir(join(dir, '.part-running'));
    expect((await listBackups(dir)).map(({ id, state }) => [id, state])).toEqual([
      ['20261121T020000Z', 'written'],
      ['20261120T020000Z', 'verified'],
    ]);
    const { damaged } = await readCatalogue(dir);
    expect(damaged.map(({ id, reason }) => [id, reason])).toEqual([['20261122T020000Z', 'manifest.json: missing']]);
  });

  test('does not believe a manifest that was copied into another folder', async () => {
    const dir = await temporaryFolder();
    await mkdir(join(dir, '20261122T020000Z'));
    await writeManifest(join(dir, '20261122T020000Z'), sampleManifest({ id: '20261101T020000Z' }));
    expect((await readCatalogue(dir)).damaged[0]?.reason).toContain('belongs to set 20261101T020000Z');
  });

  test('of a folder that does not exist is empty', async () => {
    expect(await listBackups(join(await temporaryFolder(), 'none'))).toEqual([]);
  });
});
