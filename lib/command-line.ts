import type { WriteStream } from 'node:tty';
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { AppError, ConfigError, UsageError, messageOf } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { redactText } from './redact.ts';

export type Arguments = {
  readonly positionals: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
};

export type Verb = {
  /** What follows the verb, as in `ID|latest [--json]`. */
  readonly synopsis: string;
  /** One line. */
  readonly summary: string;
  /** Flags besides --help. */
  readonly options?: ParseArgsOptionsConfig;
  /** Printed below the summary by --help, such as what the flags mean. */
  readonly footer?: string;
  /** How many positional arguments it takes: [least, most]. */
  readonly positionals: readonly [number, number];
  readonly run: (args: Arguments) => Promise<ExitCode>;
};

export type CommandLine = {
  /** As users type it, such as `npm run backup --`. */
  readonly invocation: string;
  readonly summary: string;
  readonly verbs: Readonly<Record<string, Verb>>;
  /** Verb meant when none is given. */
  readonly defaultVerb?: string;
  /** Printed below the verbs by --help. */
  readonly footer?: string;
};

/**
 * Parses arguments, runs one verb and returns the exit code. Every failure is one line on standard error, without a
 * stack trace. The caller sets `process.exitCode`.
 */
export async function runCommandLine(commandLine: CommandLine, argv: readonly string[]): Promise<ExitCode> {
  process.stdout.off('error', allowClosed).on('error', allowClosed);
  try {
    const [first, ...rest] = argv;
    if (first === '--help' || first === '-h' || first === 'help') return printHelp(commandLine);
    const isVerb = first !== undefined && Object.hasOwn(commandLine.verbs, first);
    const name = isVerb ? first : commandLine.defaultVerb;
    const verb = name === undefined ? undefined : commandLine.verbs[name];
    if (name === undefined || verb === undefined) throw unknownVerb(commandLine, first);
    return await runVerb(commandLine, name, verb, isVerb ? rest : argv);
  } catch (err) {
    return reportError(err);
  }
}

async function runVerb(commandLine: CommandLine, name: string, verb: Verb, argv: readonly string[]): Promise<ExitCode> {
  if (argv.includes('--help') || argv.includes('-h')) {
    print(
      `Usage: ${commandLine.invocation} ${name} ${verb.synopsis}\n\n${verb.summary}${verb.footer === undefined ? '' : `\n\n${verb.footer}`}`,
    );
    return EXIT.done;
  }
  const args = parseVerbArguments(commandLine, name, verb, argv);
  return verb.run(args);
}

function parseVerbArguments(commandLine: CommandLine, name: string, verb: Verb, argv: readonly string[]): Arguments {
  const usage = `usage: ${commandLine.invocation} ${name} ${verb.synopsis}`;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: verb.options ?? {}, allowPositionals: true, strict: true });
    const [least, most] = verb.positionals;
    if (positionals.length < least) throw new UsageError(`${name}: an argument is missing; ${usage}`);
    if (positionals.length > most) throw new UsageError(`${name}: unexpected argument "${positionals[most]}"; ${usage}`);
    return { positionals, flags: values as Arguments['flags'] };
  } catch (err) {
    if (err instanceof AppError) throw err;
    throw new UsageError(`${name}: ${messageOf(err).split('. ')[0]}; ${usage}`, { cause: err });
  }
}

function unknownVerb(commandLine: CommandLine, given: string | undefined): UsageError {
  const known = Object.keys(commandLine.verbs).join(', ');
  const what = given === undefined ? 'a command is missing' : `unknown command "${given}"`;
  return new UsageError(`${what}; known: ${known}. See ${commandLine.invocation} --help`);
}

/** One line for people on standard error; the exit code the error asks for. */
export function reportError(err: unknown): ExitCode {
  const lines = err instanceof ConfigError ? err.problems : [messageOf(err).replaceAll(/\s*\n\s*/g, ' ')];
  for (const line of lines) process.stderr.write(`error: ${redactText(line)}\n`);
  return err instanceof AppError ? err.exitCode : EXIT.failed;
}

/** A reader that has seen enough, as `head` has, makes no failure of what was done. */
function allowClosed(err: NodeJS.ErrnoException): void {
  if (err.code !== 'EPIPE') throw err;
}

/** The one way command lines write results to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printHelp(commandLine: CommandLine): ExitCode {
  const verbs = Object.entries(commandLine.verbs).map(([name, verb]) => `  ${`${name} ${verb.synopsis}`.trim()}\n      ${verb.summary}`);
  const footer = commandLine.footer === undefined ? '' : `\n\n${commandLine.footer}`;
  print(`${commandLine.summary}\n\nUsage: ${commandLine.invocation} COMMAND\n\n${verbs.join('\n')}${footer}`);
  return EXIT.done;
}

/** Tells people how far a long piece of work has come. */
export type Progress = {
  readonly update: (text: string) => void;
  /** Clears it; call it before printing a result. */
  readonly done: () => void;
};

/** A line, or a few, that rewrite themselves on a terminal; silent elsewhere, so that logs and pipes stay clean. */
export function createProgress(stream: WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update: () => {}, done: () => {} };
  let height = 1;
  const rewrite = (text: string): void => {
    stream.moveCursor(0, 1 - height);
    stream.cursorTo(0);
    stream.clearScreenDown();
    // What is longer than the screen is wide, or taller than it is high, could not be taken back.
    const lines = text.split('\n').slice(0, Math.max(1, (stream.rows || 24) - 1));
    stream.write(lines.map((line) => line.slice(0, (stream.columns || 80) - 1)).join('\n'));
    height = lines.length;
  };
  return { update: rewrite, done: () => rewrite('') };
}
