export type Subject = {
  readonly name: string;
  /** The source whose behaviour is broken on purpose, as globs below the project's root. */
  readonly mutate: readonly string[];
  /** The tests that must notice. Only those that start no other process: a mutant lives in this process alone. */
  readonly tests: readonly string[];
};

/** What verdicts, money and memory rest on: here a test that would not notice is a defect. */
export const subjects: readonly Subject[] = [
  {
    name: 'judges',
    mutate: ['loadtest/judge/*.ts', '!loadtest/judge/{comparison,fisher,rounds,sign-flip}.ts'],
    tests: ['test/unit/loadtest/judge/!(comparison|fisher|rounds|sign-flip).test.ts'],
  },
  {
    name: 'comparison',
    mutate: ['loadtest/judge/{comparison,fisher,rounds,sign-flip}.ts'],
    // Without its error rates (test/unit/loadtest/compare), which take many seconds each time.
    tests: ['test/unit/loadtest/judge/{comparison,fisher,rounds,sign-flip}.test.ts'],
  },
  {
    name: 'books',
    mutate: ['loadtest/scenarios/shop/{check-books,check-ledger}.ts'],
    tests: ['test/unit/loadtest/scenarios/shop/{check-books,check-ledger,corrupt-books}.test.ts'],
  },
  { name: 'limiter', mutate: ['api/limiter/*.ts', '!api/limiter/redis-*.ts'], tests: ['test/unit/api/limiter/*.test.ts'] },
  {
    name: 'price and stock',
    mutate: ['api/shop/money.ts', 'api/shop/orders/price-order.ts'],
    tests: ['test/unit/api/shop/**/*.test.ts'],
  },
  {
    name: 'outbox',
    mutate: ['monitor/alerts/{outbox,plan-send,pace,unwritten}.ts', 'monitor/store/message-table.ts'],
    // Without the ten thousand histories, which take half a minute each time.
    tests: ['test/unit/monitor/store/*.test.ts', 'test/unit/monitor/alerts/{outbox,plan-send,pace}.test.ts'],
  },
  { name: 'retention', mutate: ['backups/set/retention.ts'], tests: ['test/unit/backups/**/retention.test.ts'] },
  { name: 'manifest', mutate: ['backups/set/manifest.ts'], tests: ['test/unit/backups/set/*.test.ts'] },
  {
    name: 'what is told',
    mutate: ['monitor/health/{alert-policy,flap,health-state,holds}.ts', 'monitor/backup/probe.ts'],
    tests: ['test/unit/monitor/health/{health-state,holds,plan-tick,troubles}.test.ts', 'test/unit/monitor/backup/backup-probe.test.ts'],
  },
  { name: 'schedule', mutate: ['monitor/model/daily-run.ts'], tests: ['test/unit/monitor/model/daily-run.test.ts'] },
];
