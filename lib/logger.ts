import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { redactText, secretFieldNames } from './redact.ts';
import type { LogSettings } from './settings.ts';

export type Logger = PinoLogger;

const redactedPaths = secretFieldNames.flatMap((name) => {
  const key = name.includes('-') ? `["${name}"]` : name;
  return [key, name.includes('-') ? `*${key}` : `*.${key}`];
});

/**
 * A logger that hides secrets: fields of secret names at the top and one level down, and credentials inside the
 * messages and stacks of errors. Lines are JSON, or readable text with `LOG_FORMAT=text`.
 * @param program stands in every line
 * @param destination default: standard output
 */
export function createLogger(
  program: string,
  settings: Pick<LogSettings, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  return pino(
    {
      level: settings.LOG_LEVEL,
      base: { program, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: '(hidden)' },
      serializers: { err: describeError },
    },
    settings.LOG_FORMAT === 'text' ? asText(destination) : destination,
  );
}

/** Type, code, message, stack and causes of an error, with credentials hidden. */
function describeError(err: unknown): unknown {
  if (!(err instanceof Error)) return typeof err === 'string' ? redactText(err) : err;
  const code = (err as { code?: unknown }).code;
  return {
    type: err.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: redactText(err.message),
    ...(err.stack ? { stack: redactText(err.stack) } : {}),
    ...(err.cause === undefined ? {} : { cause: describeError(err.cause) }),
  };
}

/** Rewrites each JSON line as `time LEVEL program message key=value…`. */
function asText(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(textLine(line)) };
}

function textLine(line: string): string {
  const { time, level, program, msg, pid: _pid, ...fields } = JSON.parse(line) as Record<string, unknown> & LineHead;
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${[time, level.toUpperCase().padEnd(5), program, msg, ...rest].filter((part) => part !== undefined).join(' ')}\n`;
}

type LineHead = { time: string; level: string; program: string; msg?: string; pid: number };
