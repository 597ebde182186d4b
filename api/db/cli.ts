import { print, runCommandLine, type Arguments, type CommandLine } from '#lib/command-line.ts';
import { readEnv } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { withLocalStack } from '#lib/local-stack.ts';
import { postgresEnv, type PostgresSettings } from '#lib/settings.ts';
import { migrateDown, migrateTo, migrateUp, migrationStatus } from './migrate.ts';
import { seedDemo } from './seed/seed-demo.ts';

const commandLine: CommandLine = {
  invocation: 'npm run migrate --',
  summary: 'Changes the schema of the database that POSTGRES_* names, or that of the running local stack.',
  verbs: {
    up: {
      synopsis: '[--seed-demo]',
      summary: 'Applies every pending migration, and fills an empty database with the demo shop if asked to.',
      options: { 'seed-demo': { type: 'boolean' } },
      positionals: [0, 0],
      run: up,
    },
    down: { synopsis: '[N]', summary: 'Takes back the newest N migrations; one without N.', positionals: [0, 1], run: down },
    to: {
      synopsis: 'VERSION',
      summary: 'Goes up or down to a migration, by number or name; `none` empties the schema.',
      positionals: [1, 1],
      run: to,
    },
    current: { synopsis: '', summary: 'Prints the newest applied migration, or none.', positionals: [0, 0], run: current },
    list: {
      synopsis: '[--json]',
      summary: 'Prints every migration and when it was applied.',
      options: { json: { type: 'boolean' } },
      positionals: [0, 0],
      run: list,
    },
    seed: { synopsis: '', summary: 'Fills a migrated, empty database with the demo shop.', positionals: [0, 0], run: seed },
  },
};

const settings = (): PostgresSettings => readEnv(postgresEnv, withLocalStack(process.env));

async function up({ flags }: Arguments): Promise<ExitCode> {
  const postgres = settings();
  const { applied } = await migrateUp(postgres);
  print(applied.length === 0 ? 'the schema is up to date' : applied.map((name) => `applied ${name}`).join('\n'));
  return flags['seed-demo'] === true ? seedInto(postgres) : EXIT.done;
}

function seed(): Promise<ExitCode> {
  return seedInto(settings());
}

async function seedInto(postgres: PostgresSettings): Promise<ExitCode> {
  const result = await seedDemo(postgres);
  if (result.seeded) print(`seeded ${result.products} products, ${result.clients} clients and ${result.orders} orders`);
  else print('the database is not empty; no demo data was added');
  return EXIT.done;
}

async function down({ positionals: [given = '1'] }: Arguments): Promise<ExitCode> {
  if (!/^[1-9]\d{0,3}$/.test(given)) throw new UsageError(`down: "${given}" is not a number of migrations; give 1 or more`);
  const { reverted } = await migrateDown(settings(), Number(given));
  print(reverted.length === 0 ? 'there is nothing to take back' : reverted.map((name) => `took back ${name}`).join('\n'));
  return EXIT.done;
}

async function to({ positionals: [version = ''] }: Arguments): Promise<ExitCode> {
  const { applied, reverted } = await migrateTo(settings(), version);
  const lines = [...reverted.map((name) => `took back ${name}`), ...applied.map((name) => `applied ${name}`)];
  print(lines.length === 0 ? `the schema is at ${version} already` : lines.join('\n'));
  return EXIT.done;
}

async function current(): Promise<ExitCode> {
  print((await migrationStatus(settings())).current ?? 'none');
  return EXIT.done;
}

async function list({ flags }: Arguments): Promise<ExitCode> {
  const { applied, pending } = await migrationStatus(settings());
  if (flags['json'] === true) {
    print(JSON.stringify({ applied, pending }, undefined, 2));
    return EXIT.done;
  }
  for (const { name, appliedAt } of applied) print(`${name}  applied ${appliedAt.toISOString()}`);
  for (const name of pending) print(`${name}  pending`);
  return EXIT.done;
}

process.exitCode = await runCommandLine(commandLine, process.argv.slice(2));
