import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { AppError, messageOf } from '#lib/errors.ts';
import { replaceDurably } from './durable-files.ts';

export const manifestFileName = 'manifest.json';
export const dumpFileName = 'database.dump';
export const globalsFileName = 'globals.sql';

/** Start of the snapshot in UTC, to the second; also the name of the set's folder. */
export const setIdPattern = /^\d{8}T\d{6}Z$/;

const storedFile = z.strictObject({ sizeBytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const instant = z.iso.datetime({ precision: 3 });
const digits = z.string().regex(/^-?\d+$/);

const fingerprint = z.strictObject({
  /** By schema-qualified name: rows, and the sum over all rows of a 64-bit hash of the row's text. */
  tables: z.record(z.string(), z.strictObject({ rows: z.int().min(0), hash: digits })),
  /** Sequences do not follow transactions: the dump may hold a later value, never an earlier one. */
  sequences: z.record(z.string(), z.strictObject({ lastValue: digits, increment: digits, cycles: z.boolean() })),
});

const verification = z.strictObject({
  at: instant,
  durationMs: z.int().min(0),
  /** What the restore alone took: the measured recovery time. Absent when it was not reached. */
  restoreMs: z.int().min(0).optional(),
  /** One line each, naming the file, table or sequence; empty when the set is good. */
  reasons: z.array(z.string()),
});

const manifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  id: z.string().regex(setIdPattern),
  /** `safety`: taken by restore of what it replaced; `latest` never means one of these. */
  kind: z.enum(['regular', 'safety']),
  state: z.enum(['written', 'verified', 'failed']),
  takenAt: instant,
  database: z.string().min(1),
  /** Position in the write-ahead log just before the snapshot. */
  walPosition: z.string(),
  server: z.strictObject({ version: z.string(), major: z.int() }),
  pgDump: z.strictObject({ version: z.string(), major: z.int() }),
  locale: z.strictObject({
    encoding: z.string(),
    collate: z.string(),
    ctype: z.string(),
    provider: z.enum(['libc', 'icu', 'builtin']),
    /** The provider's own locale; absent for libc. */
    name: z.string().optional(),
  }),
  /** Roles that own or are granted something in the dump. */
  roles: z.array(z.string()),
  databaseBytes: z.int().min(0),
  durationMs: z.int().min(0),
  files: z.strictObject({ [dumpFileName]: storedFile, [globalsFileName]: storedFile }),
  fingerprint,
  verification: verification.optional(),
});

export type Manifest = Readonly<z.output<typeof manifestSchema>>;
export type Fingerprint = Manifest['fingerprint'];
export type BackupState = Manifest['state'];
export type DatabaseLocale = Manifest['locale'];

/** The manifest is missing, damaged or of another set; the message begins with the file's name. */
export class ManifestError extends AppError {
  readonly code = 'MANIFEST_DAMAGED';
}

/** The one text of a manifest; its last member is the SHA-256 of the rest. */
export function manifestText(manifest: Manifest): string {
  // Parsing puts the members in the schema's order, so that equal manifests are equal texts.
  const ordered = manifestSchema.parse(manifest);
  const checksum = createHash('sha256').update(JSON.stringify(ordered)).digest('hex');
  return `${JSON.stringify({ ...ordered, checksum }, null, 2)}\n`;
}

/** @throws {ManifestError} for any text that `manifestText` does not write. */
export function parseManifest(text: string): Manifest {
  const { checksum: _checksum, ...content } = parseObject(text);
  const parsed = manifestSchema.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ManifestError(`${manifestFileName}: ${issue?.path.join('.') || 'content'}: ${issue?.message ?? 'not valid'}`);
  }
  // Written again it must be the same text: so no changed byte goes unnoticed, wherever it is.
  if (manifestText(parsed.data) !== text) throw new ManifestError(`${manifestFileName}: it does not match its own checksum`);
  return parsed.data;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below, as any other text that is no manifest.
  }
  throw new ManifestError(`${manifestFileName}: it is not a JSON object`);
}

/** @throws {ManifestError} naming the fault. */
export async function readManifest(setPath: string): Promise<Manifest> {
  const text = await readFile(join(setPath, manifestFileName), 'utf8').catch((err: unknown) => {
    const isMissing = (err as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ManifestError(`${manifestFileName}: ${isMissing ? 'missing' : messageOf(err)}`, { cause: err });
  });
  return parseManifest(text);
}

/** Replaces the manifest of a set as a whole. */
export function writeManifest(setPath: string, manifest: Manifest): Promise<void> {
  return replaceDurably(join(setPath, manifestFileName), manifestText(manifest));
}
