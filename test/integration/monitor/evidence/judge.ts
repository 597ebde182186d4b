/** What each cause that is injected sounds like at the beginning of a message, right behind its title; by where it is injected. */
const sounds = {
  database: {
    'PostgreSQL stopped': /^PostgreSQL does not run\b/,
    'pool used up by a held lock': /^(?:The pool of connections is used up: )?\d+ statements wait for a lock that \S+ \(process \d+\)/,
    'transaction left open': /^A transaction is left open: process \d+ of \S+ holds it\./,
    'statement that is slow': /^A statement is slow: SELECT pg_sleep\(\?\), \?, of report-by-hand \(process \d+\), has run for \d/,
    'errors in the log': /^Errors come to \S+error\.log\b/,
    'bad release': /^The API was started anew .* as by a release\b/,
    'load test': /^A load test runs\b/,
  },
  parts: {
    'Redis gone': /^Redis does not run\b/,
    'Redis frozen': /^Redis hangs\b/,
    'API frozen': /^api hangs\b/,
    'API gone': /^api does not run\b/,
    'nginx gone': /^nginx does not run\b/,
    'certificate over': /^The certificate is over\b/,
    'DNS gone': /^The name server (?:\S+ )?does not answer\b/,
    'disk full': /^The disk of \S+ is (?:nearly )?full\b/,
  },
  backups: {
    'backup failed': /^The last backup failed\b/,
    'last proven backup too old': /^No backup has been proven to restore for 3 d\./,
    'backups that nobody proves': /^Backups are taken, but none has been proven to restore for 3 d\./,
  },
} as const;

type Place = keyof typeof sounds;
/** The causes that are injected at a place, as a person would name them. */
export type CauseIn<P extends Place> = keyof (typeof sounds)[P];
export type CauseName = { [P in Place]: CauseIn<P> }[Place];

/** Names the cause by the words of a message alone; undefined where they name none, or more than one. */
export function judge(message: string): CauseName | undefined {
  const said = message.slice(message.indexOf(': ') + 2);
  const named = Object.values(sounds)
    .flatMap((causes) => Object.entries<RegExp>(causes))
    .filter(([, sound]) => sound.test(said));
  return named.length === 1 ? (named[0]?.[0] as CauseName) : undefined;
}
