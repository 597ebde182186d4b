import type { Language } from '#monitor/words/language.ts';

type Sound = Readonly<Record<Language, RegExp>>;

/** What each cause that is injected sounds like at the beginning of a message, right behind its title; by where it is injected. */
const sounds = {
  database: {
    'PostgreSQL stopped': { en: /^PostgreSQL does not run\b/, es: /^PostgreSQL no está en marcha\b/ },
    'pool used up by a held lock': {
      en: /^(?:The pool of connections is used up: )?\d+ statements wait for a lock that \S+ \(process \d+\)/,
      es: /^(?:Las conexiones de la API están agotadas: )?\d+ sentencias esperan un bloqueo que \S+ \(proceso \d+\)/,
    },
    'transaction left open': {
      en: /^A transaction is left open: process \d+ of \S+ holds it\./,
      es: /^Una transacción quedó abierta: la mantiene el proceso \d+ de \S+\./,
    },
    'statement that is slow': {
      en: /^A statement is slow: SELECT pg_sleep\(\?\), \?, of report-by-hand \(process \d+\), has run for \d/,
      es: /^Una sentencia es lenta: SELECT pg_sleep\(\?\), \?, de report-by-hand \(proceso \d+\), lleva \d/,
    },
    'errors in the log': { en: /^Errors come to \S+error\.log\b/, es: /^Llegan errores a \S+error\.log\b/ },
    'bad release': {
      en: /^The API was started anew .* as by a release\b/,
      es: /^La API arrancó de nuevo .* como en una versión nueva\b/,
    },
    'load test': { en: /^A load test runs\b/, es: /^Hay una prueba de carga en curso\b/ },
  },
  parts: {
    'Redis gone': { en: /^Redis does not run\b/, es: /^Redis no está en marcha\b/ },
    'Redis frozen': { en: /^Redis hangs\b/, es: /^Redis está colgado\b/ },
    'API frozen': { en: /^api hangs\b/, es: /^api está colgado\b/ },
    'API gone': { en: /^api does not run\b/, es: /^api no está en marcha\b/ },
    'nginx gone': { en: /^nginx does not run\b/, es: /^nginx no está en marcha\b/ },
    'certificate over': { en: /^The certificate is over\b/, es: /^El certificado caducó el\b/ },
    'DNS gone': { en: /^The name server (?:\S+ )?does not answer\b/, es: /^El servidor de nombres (?:\S+ )?no responde\b/ },
    'disk full': { en: /^The disk of \S+ is (?:nearly )?full\b/, es: /^El disco de \S+ está (?:casi )?lleno\b/ },
  },
  backups: {
    'backup failed': { en: /^The last backup failed\b/, es: /^La última copia de seguridad falló\./ },
    'last proven backup too old': {
      en: /^No backup has been proven to restore for 3 d\./,
      es: /^De ninguna copia de seguridad se ha comprobado desde hace 3 d que se restaure\./,
    },
    'backups that nobody proves': {
      en: /^Backups are taken, but none has been proven to restore for 3 d\./,
      es: /^Se hacen copias de seguridad, pero de ninguna se ha comprobado desde hace 3 d que se restaure\./,
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Sound>>>>;

type Place = keyof typeof sounds;
/** The causes that are injected at a place, as a person would name them. */
export type CauseIn<P extends Place> = keyof (typeof sounds)[P];
export type CauseName = { [P in Place]: CauseIn<P> }[Place];

/** Names the cause by the words of a message alone; undefined where they name none, or more than one. */
export function judge(message: string, language: Language): CauseName | undefined {
  const said = message.slice(message.indexOf(': ') + 2);
  const named = Object.values(sounds)
    .flatMap((causes) => Object.entries<Sound>(causes))
    .filter(([, sound]) => sound[language].test(said));
  return named.length === 1 ? (named[0]?.[0] as CauseName) : undefined;
}
