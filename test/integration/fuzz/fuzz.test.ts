import { expect, test } from 'vitest';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import { openFuzzedShop, runCampaign } from '#test/fuzz/campaign.ts';

test('whatever is asked, the API answers as its document says', { timeout: 120_000 }, async () => {
  const database = await createMigratedDatabase();
  const shop = await openFuzzedShop(database.settings);
  try {
    const { requests, findings, pairs, statuses } = await runCampaign(shop, { seed: 20_261_126, from: 0, requests: 1_500, connections: 8 });
    expect(findings).toEqual([]);
    expect([requests, pairs.size > 250, [200, 201, 204, 304].every((status) => statuses.has(status))]).toEqual([1_500, true, true]);
  } finally {
    await shop.close();
    await database.drop();
  }
});
