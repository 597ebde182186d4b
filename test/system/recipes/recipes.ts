// What each recipe of CONTRIBUTING.md adds, file by file, as somebody who follows it would; so it is long.
import { readFileSync } from 'node:fs';

/** A recipe of CONTRIBUTING.md as one would follow it. */
export type Recipe = {
  /** Its heading. */
  readonly heading: string;
  readonly added: Readonly<Record<string, string>>;
  /** Files of the house that change: what is put in place of what. */
  readonly touched: Readonly<Record<string, readonly (readonly [old: string, changed: string])[]>>;
};

const source = (path: string): string => readFileSync(path, 'utf8');

/** Tags instead of categories. */
const renamed = (text: string): string =>
  text
    .replaceAll('categories_name_unique', 'tags_name_unique')
    .replace(/ {2}products_category_fk: .*\n/, '')
    .replaceAll("'version_mismatch', 'in_use'", "'version_mismatch'")
    .replaceAll('category-schema', 'tag-schema')
    .replaceAll('categories', 'tags')
    .replaceAll('Categories', 'Tags')
    .replaceAll('category', 'tag')
    .replaceAll('Category', 'Tag');

const resource: Recipe = {
  heading: 'Add a resource',
  added: {
    'api/db/migrations/9000_tags.ts': `import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(\`
    CREATE TABLE tags (
      id_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL CONSTRAINT tags_name_unique UNIQUE,
      version integer NOT NULL DEFAULT 1,
      updated_at timestamptz NOT NULL DEFAULT now()
    );
  \`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE tags;');
}
`,
    'api/shop/tags/tag-schema.ts': renamed(source('api/shop/categories/category-schema.ts')),
    'api/shop/tags/tags.ts': renamed(source('api/shop/categories/categories.ts')),
    'api/shop/tags/tag-routes.ts': renamed(source('api/shop/categories/category-routes.ts')),
    'test/integration/api/shop/tags.test.ts': `import { describe, expect } from 'vitest';
import { test } from '#test/support/migrated-database.ts';
import { anonymous, openShop, operator } from './shop.ts';

describe('tags', () => {
  test('are made once, read by all, changed and deleted', async ({ db }) => {
    const { call } = openShop(db);
    const made = await call(operator, 'POST /tags', { body: { name: 'new' } });
    expect(made).toMatchObject({ status: 201, json: { name: 'new', version: 1 } });
    const path = \`/tags/\${made.json.id_key}\`;
    expect((await call(anonymous, \`GET \${path}\`)).text).toBe(made.text);
    await expect(call(operator, 'POST /tags', { body: { name: 'new' } })).rejects.toMatchObject({ code: 'duplicate' });
    expect((await call(operator, \`PUT \${path}\`, { body: { name: 'old' } })).json).toMatchObject({ name: 'old', version: 2 });
    expect(await call(operator, \`DELETE \${path}\`)).toMatchObject({ status: 204 });
    expect((await call(anonymous, 'GET /tags')).json).toEqual([]);
  });
});
`,
  },
  touched: {
    'api/db/migrations/index.ts': [
      ["import type { Knex } from 'knex';\n", "import type { Knex } from 'knex';\nimport * as tags from './9000_tags.ts';\n"],
      ['\n];', "\n  { name: '9000_tags', isExpansion: true, ...tags },\n];"],
    ],
    'api/shop/routes.ts': [
      [
        "import type { Route } from '../http/route.ts';\n",
        "import type { Route } from '../http/route.ts';\nimport { tagRoutes } from './tags/tag-routes.ts';\n",
      ],
      ['...categoryRoutes,', '...categoryRoutes, ...tagRoutes,'],
    ],
    'test/integration/api/http/access-sweep.test.ts': [
      ["      'POST /clients',\n", "      'GET /tags',\n      'GET /tags/:id',\n      'POST /clients',\n"],
    ],
    'test/integration/api/openapi/requests.ts': [
      [
        '\nconst address = async',
        "\nconst tag = async (shop: Shop): Promise<number> => (await shop.make('/tags', shop.operator, { name: randomUUID() })).id;\nconst address = async",
      ],
      [
        "  'GET /products': list,\n",
        `  'GET /tags': list,
  'GET /tags/{id}': one(tag),
  'POST /tags': (shop) => Promise.resolve({ as: shop.operator, body: { name: randomUUID() } }),
  'PUT /tags/{id}': async (shop) => ({ as: shop.operator, id: await tag(shop), body: { name: randomUUID() } }),
  'DELETE /tags/{id}': one(tag),
  'GET /products': list,
`,
      ],
      [
        "  'DELETE /categories/{id}': async (shop) => {\n",
        `  'PUT /tags/{id}': async (shop) => {
    const name = randomUUID();
    await shop.make('/tags', shop.operator, { name });
    return { as: shop.operator, id: await tag(shop), body: { name } };
  },
  'DELETE /categories/{id}': async (shop) => {
`,
      ],
    ],
  },
};

const probeKind: Recipe = {
  heading: 'Add a probe kind',
  added: {
    'monitor/probes/file.ts': `import { stat } from 'node:fs/promises';
import * as z from 'zod';
import { probeKind, type ProbeReport } from './probe.ts';

/** A file that something else must keep in place. */
export const fileKind = probeKind({
  kind: 'file',
  schema: { path: z.string().min(1).describe('The file.') },
  create:
    ({ path }) =>
    async (): Promise<ProbeReport> => {
      const isThere = await stat(path).then(
        () => true,
        () => false,
      );
      return isThere ? { outcome: 'ok', detail: \`\${path} is there\` } : { outcome: 'failed', detail: \`\${path} is missing\` };
    },
  describe: ({ path }) => path,
});
`,
    'test/unit/monitor/probes/file.test.ts': `import { expect, test } from 'vitest';
import * as z from 'zod';
import { probeKinds } from '#monitor/probes/kinds.ts';

test.each([
  ['package.json', 'ok'],
  ['no-such-file', 'failed'],
])('the file %s is %s', async (path, outcome) => {
  const kind = probeKinds.find((one) => one.kind === 'file');
  const fields = { ...z.object(kind?.schema ?? {}).parse({ path }), name: 'file' };
  const probe = kind?.create(fields, {} as never);
  await expect(probe?.(new AbortController().signal)).resolves.toMatchObject({ outcome });
});
`,
  },
  touched: {
    'monitor/probes/kinds.ts': [
      ["import { diskKind } from './disk.ts';\n", "import { diskKind } from './disk.ts';\nimport { fileKind } from './file.ts';\n"],
      ['  diskKind,\n', '  diskKind,\n  fileKind,\n'],
    ],
  },
};

const channelKind: Recipe = {
  heading: 'Add a channel kind',
  added: {
    'monitor/alerts/channels/chat.ts': `import * as z from 'zod';
import { secret } from '#lib/env.ts';
import { messageOf } from '#lib/errors.ts';
import { AlertDeliveryError, type Channel } from '../channel.ts';
import { describeAlert, type Sender } from '../message-text.ts';
import type { ChannelKind } from './channel-kind.ts';

const env = {
  CHAT_WEBHOOK_URL: secret(z.url({ protocol: /^https?$/, error: 'must be the URL of a webhook' }))
    .optional()
    .describe('Webhook alerts are posted to as plain text; unset: none.'),
};

/** Alerts as plain text to a webhook. */
export const chatKind: ChannelKind<typeof env> = {
  kind: 'chat',
  env,
  problems: () => [],
  create: ({ CHAT_WEBHOOK_URL: url }, sender) => (url === undefined ? [] : [chatChannel(url, sender)]),
};

const chatChannel = (url: string, sender: Sender): Channel => ({
  name: 'chat',
  minSpacingMs: 1_000,
  send: async (alert, delivery, signal) => {
    const failed = { channel: 'chat', scope: 'channel', mayHaveArrived: false } as const;
    const { title, detail } = await describeAlert(alert, delivery, sender);
    const response = await fetch(url, { method: 'POST', body: \`\${title}: \${detail}\`, signal }).catch((err: unknown) => {
      throw new AlertDeliveryError({ ...failed, detail: messageOf(err), isLasting: false }, { cause: err });
    });
    if (!response.ok) throw new AlertDeliveryError({ ...failed, detail: \`HTTP \${response.status}\`, isLasting: response.status < 500 });
  },
});
`,
    'test/unit/monitor/alerts/chat.test.ts': `import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { channelEnv, createChannels } from '#monitor/alerts/channels/kinds.ts';
import type { Alert } from '#monitor/model/alert.ts';
import { readEnv } from '#lib/env.ts';

test('an alert is posted as text, and a refusal that lasts says so', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => bodies.push(text));
    request.on('end', () => response.writeHead(bodies.length > 1 ? 404 : 200).end());
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const env = readEnv(channelEnv, { CHAT_WEBHOOK_URL: \`http://127.0.0.1:\${(server.address() as AddressInfo).port}/\` });
  const [chat] = createChannels(env, { deployment: 'shop', language: 'en', host: 'tower', statusUrl: 'http://status' });
  const now = new Date(0).toISOString();
  const alert: Alert = { id: 'a', event: 'firing', incidentId: 'i', probe: 'api', detail: 'HTTP 503', facts: [], startedAt: now, decidedAt: now, dependents: [] };
  const delivery = { mayRepeat: false, mayComeAgain: false, delayMs: 0, tellsToo: [] };
  const { signal } = new AbortController();
  await chat?.send(alert, delivery, signal);
  expect(bodies[0]).toMatch(/^\\[FIRING\\] api/);
  await expect(chat?.send(alert, delivery, signal)).rejects.toThrow('HTTP 404');
});
`,
  },
  touched: {
    'monitor/alerts/channels/kinds.ts': [
      ["import { emailKind } from './email.ts';\n", "import { chatKind } from './chat.ts';\nimport { emailKind } from './email.ts';\n"],
      ['[slackKind, emailKind, webhookKind]', '[slackKind, emailKind, webhookKind, chatKind]'],
    ],
    '.env.example': [
      [
        'SLACK_WEBHOOK_URL=\n',
        'SLACK_WEBHOOK_URL=\n# Webhook that alerts are posted to as plain text (secret). Default: none.\nCHAT_WEBHOOK_URL=\n',
      ],
    ],
  },
};

const plan: Recipe = {
  heading: 'Add a load test plan',
  added: {
    'loadtest/plans/blink.ts': source('loadtest/plans/smoke.ts').replaceAll('smoke', 'blink').replace('8_000', '2_000'),
    'test/unit/loadtest/blink.test.ts': `import { expect, test } from 'vitest';
import { gates } from '#loadtest/gates.ts';

test('blink can be asked for by its name', () => {
  expect(gates['blink']?.plans[0].phases[0]).toMatchObject({ name: 'blink', durationMs: 2_000 });
});
`,
  },
  touched: {
    'loadtest/plans/plans.ts': [
      ["import type { Plan } from './plan.ts';\n", "import { blink } from './blink.ts';\nimport type { Plan } from './plan.ts';\n"],
      ['[smoke, users, capacity, soak].map', '[smoke, users, capacity, soak, blink].map'],
    ],
  },
};

export const recipes: readonly Recipe[] = [resource, probeKind, channelKind, plan];
