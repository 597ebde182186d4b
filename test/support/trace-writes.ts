import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

/** One thing a program did to its files, in the order in which the kernel finished it. Paths are absolute. */
export type FileEvent =
  | { readonly kind: 'make'; readonly path: string; readonly node: 'file' | 'folder' }
  | { readonly kind: 'write'; readonly path: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  /** A write to standard output: what the program has promised somebody by then. */
  | { readonly kind: 'say'; readonly said: string };

/** Whether `strace` is on PATH and may trace; tests that need it are reported as skipped where not. */
export const hasStrace: boolean = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0;

const calls =
  'openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,copy_file_range,sendfile,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,lseek';

export type TracedProgram = { readonly file: string; readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>> };

/**
 * Runs a program to its end under strace and returns what it and its children did to files.
 * @throws when it ends with another status than 0, or did what the parser does not know.
 */
export async function traceWrites({ file, args, env }: TracedProgram): Promise<FileEvent[]> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-trace-'));
  try {
    const log = join(dir, 'trace');
    const options = ['-f', '-qq', '-y', '-xx', '-s', String(64 * 1024 * 1024), '--seccomp-bpf', '-e', `trace=${calls}`, '-o', log];
    // What Node keeps of compiled code is no doing of the program.
    const given = { ...(env ?? process.env), NODE_DISABLE_COMPILE_CACHE: '1' };
    const child = spawn('strace', [...options, file, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: given });
    const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    if (status !== 0) throw new Error(`${file} ended with ${String(status)} under strace: ${stderr}`);
    return parseTrace(await readFile(log, 'latin1'));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const unhex = (hex: string): Buffer => Buffer.from(hex.replaceAll('\\x', ''), 'hex');
const hexText = String.raw`(?:\\x[0-9a-f]{2})*`;

/** Exported for its own test. */
export function parseTrace(log: string): FileEvent[] {
  const begun = new Map<string, string>();
  const cursors = new Map<string, number>();
  return log.split('\n').flatMap((line) => {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      begun.set(thread, rest.slice(0, -'<unfinished ...>'.length));
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const call = resumed === undefined ? rest : `${begun.get(thread) ?? ''}${resumed}`;
    // Of one that was interrupted a blank is left behind its arguments.
    const [, name, args, result] = /^(\w+)\((.*?) *\) += (-?\d+)/.exec(call) ?? [];
    if (name === undefined || args === undefined || Number(result) < 0) return [];
    return eventsOf({ name, args, result: Number(result) }, cursors);
  });
}

type Call = { readonly name: string; readonly args: string; readonly result: number };

/** @param cursors where each open file is written next, by descriptor and path */
function eventsOf({ name, args, result }: Call, cursors: Map<string, number>): FileEvent[] {
  const [fd = ''] = new RegExp(String.raw`^\d+<${hexText}>`).exec(args) ?? [];
  const path = pathOf(fd);
  if (name === 'write' && fd.startsWith('1<')) return [{ kind: 'say', said: unhex(stringsOf(args)[0] ?? '').toString() }];
  switch (name) {
    case 'open':
    case 'openat':
    case 'creat':
      return opened(args, result, cursors);
    case 'write':
    case 'pwrite64': {
      const bytes = unhex(stringsOf(args)[0] ?? '').subarray(0, result);
      const offset = name === 'pwrite64' ? Number(/, (\d+)$/.exec(args)?.[1]) : (cursors.get(fd) ?? 0);
      if (name === 'write') cursors.set(fd, offset + result);
      return [{ kind: 'write', path, offset, bytes }];
    }
    case 'lseek':
      cursors.set(fd, result);
      return [];
    case 'ftruncate':
      return [{ kind: 'truncate', path, size: Number(/, (\d+)$/.exec(args)?.[1]) }];
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', path }];
    case 'mkdir':
    case 'mkdirat':
      return [{ kind: 'make', path: namedPaths(args)[0] as string, node: 'folder' }];
    case 'unlink':
    case 'unlinkat':
    case 'rmdir':
      return [{ kind: 'remove', path: namedPaths(args)[0] as string }];
    case 'rename':
    case 'renameat':
    case 'renameat2': {
      const [from, to] = namedPaths(args) as [string, string];
      return [{ kind: 'rename', path: from, to }];
    }
    default:
      return [unknown(name, path)];
  }
}

/** Pipes and sockets are no files; of a file, what cannot be followed would make the model lie. */
function unknown(name: string, path: string): FileEvent {
  if (!path.startsWith('/')) return { kind: 'write', path, offset: 0, bytes: Buffer.alloc(0) };
  throw new Error(`the trace has ${name} on ${path}, which the model of the disk does not know`);
}

function opened(args: string, fd: number, cursors: Map<string, number>): FileEvent[] {
  const path = namedPaths(args)[0] as string;
  cursors.set(`${fd}<${[...Buffer.from(path)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}>`, 0);
  if (args.includes('O_DIRECTORY')) return [];
  const made: FileEvent[] = args.includes('O_CREAT') ? [{ kind: 'make', path, node: 'file' }] : [];
  return args.includes('O_TRUNC') ? [...made, { kind: 'truncate', path, size: 0 }] : made;
}

const stringsOf = (args: string): string[] => [...args.matchAll(new RegExp(`"(${hexText})"`, 'g'))].map(([, hex]) => hex as string);

/** The paths a call names, each below the folder it is relative to. */
function namedPaths(args: string): string[] {
  const named = new RegExp(`(?:(?:AT_FDCWD|\\d+)<(${hexText})>, )?"(${hexText})"`, 'g');
  return [...args.matchAll(named)].map(([, base = '', name = '']) => resolve(unhex(base).toString() || '/', unhex(name).toString()));
}

const pathOf = (fd: string): string => unhex(new RegExp(`<(${hexText})>`).exec(fd)?.[1] ?? '').toString();
