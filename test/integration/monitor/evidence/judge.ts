/** The causes that are injected, as a person would name them. */
export type CauseName =
  | 'PostgreSQL stopped'
  | 'pool used up by a held lock'
  | 'transaction left open'
  | 'Redis gone'
  | 'Redis frozen'
  | 'API frozen'
  | 'API gone'
  | 'nginx gone'
  | 'certificate over'
  | 'DNS gone'
  | 'disk full'
  | 'backup failed'
  | 'errors in the log'
  | 'bad release'
  | 'load test';

/** What each cause sounds like at the beginning of a message, right behind its title. */
const sounds: Readonly<Record<CauseName, RegExp>> = {
  'PostgreSQL stopped': /^PostgreSQL does not run\b/,
  'pool used up by a held lock': /^(?:The pool of connections is used up: )?\d+ statements wait for a lock that \S+ \(process \d+\)/,
  'transaction left open': /^A transaction is left open: process \d+ of \S+ holds it\./,
  'Redis gone': /^Redis does not run\b/,
  'Redis frozen': /^Redis hangs\b/,
  'API frozen': /^api hangs\b/,
  'API gone': /^api does not run\b/,
  'nginx gone': /^nginx does not run\b/,
  'certificate over': /^The certificate is over\b/,
  'DNS gone': /^The name server (?:\S+ )?does not answer\b/,
  'disk full': /^The disk of \S+ is (?:nearly )?full\b/,
  'backup failed': /^The last backup failed\b/,
  'errors in the log': /^Errors come to \S+error\.log\b/,
  'bad release': /^The API was started anew .* as by a release\b/,
  'load test': /^A load test runs\b/,
};

/** Names the cause by the words of a message alone; undefined where they name none, or more than one. */
export function judge(message: string): CauseName | undefined {
  const said = message.slice(message.indexOf(': ') + 2);
  const named = Object.entries(sounds).filter(([, sound]) => sound.test(said));
  return named.length === 1 ? (named[0]?.[0] as CauseName) : undefined;
}
