import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as z from 'zod';
import { AppError, messageOf } from '#lib/errors.ts';
import type { FileEffects } from '../deps.ts';
import { diskEffects, replaceDurably } from './durable-files.ts';

const manifestFileName = 'manifest.json';
export const dumpFileName = 'database.dump';
export const globalsFileName = 'globals.sql';

/** Start of the snapshot in UTC, to the second; also the name of the set's folder. */
export const setIdPattern = /^\d{8}T\d{6}Z$/;

const storedFile = z.strictObject({ sizeBytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const instant = z.iso.datetime({ precision: 3 });
const digits = z.string().regex(/^-?\d+$/);

const fingerprint = z.object({
  /** How rows are hashed: by their columns. Not in sets before version 3, which hash the text of the row. */
  hashing: z.literal('columns').optional(),
  /** By schema-qualified name: rows, and the sum over all rows of a 64-bit hash of the row. */
  tables: z.record(z.string(), z.object({ rows: z.int().min(0), hash: digits })),
  /** Sequences do not follow transactions: the dump may hold a later value, never an earlier one. */
  sequences: z.record(z.string(), z.object({ lastValue: digits, increment: digits, cycles: z.boolean() })),
  /** What there is and how it is defined, such as `index public.orders_client_idx`. Not in sets of version 1. */
  schema: z.record(z.string(), z.string()).optional(),
});

/** What belongs to the database as a whole, and so stands in no dump of it. */
const properties = z.object({
  owner: z.string(),
  /** -1: as many as the server takes. */
  connectionLimit: z.int(),
  comment: z.string().optional(),
  /** Absent: as the server grants by default. The grantee `null` is PUBLIC. */
  grants: z.array(z.object({ to: z.string().nullable(), privilege: z.string(), isGrantable: z.boolean() })).optional(),
  /** ALTER DATABASE … SET, and with a role ALTER ROLE … IN DATABASE … SET. */
  settings: z.array(z.object({ role: z.string().optional(), name: z.string(), value: z.string() })),
});

const verification = z.object({
  at: instant,
  durationMs: z.int().min(0),
  /** What the restore alone took: the measured recovery time. Absent when it was not reached. */
  restoreMs: z.int().min(0).optional(),
  /** One line each, naming the file, table or object; empty when the set is good. */
  reasons: z.array(z.string()),
});

const manifestSchema = z.object({
  id: z.string().regex(setIdPattern),
  /** `safety`: taken by restore of what it replaced; `latest` never means one of these. */
  kind: z.enum(['regular', 'safety']),
  state: z.enum(['written', 'verified', 'failed']),
  takenAt: instant,
  database: z.string().min(1),
  /** Position in the write-ahead log just before the snapshot. */
  walPosition: z.string(),
  server: z.object({ version: z.string(), major: z.int() }),
  pgDump: z.object({ version: z.string(), major: z.int() }),
  locale: z.object({
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
  files: z.object({ [dumpFileName]: storedFile, [globalsFileName]: storedFile }),
  fingerprint,
  /** Not in sets of version 1. */
  properties: properties.optional(),
  verification: verification.optional(),
});

/** What a set holds. Members that are added later are optional: so every set stays readable. */
export type Manifest = Readonly<z.output<typeof manifestSchema>>;
export type Fingerprint = Manifest['fingerprint'];
export type DatabaseProperties = NonNullable<Manifest['properties']>;
export type BackupState = Manifest['state'];
export type DatabaseLocale = Manifest['locale'];

/** The manifest is missing, damaged or of another set; the message begins with the file's name. */
export class ManifestError extends AppError {
  readonly code = 'MANIFEST_DAMAGED';

  constructor(fault: string, options?: ErrorOptions) {
    super(`${manifestFileName}: ${fault}`, options);
  }
}

const currentVersion = 3;
const knownVersions: ReadonlySet<unknown> = new Set([2, currentVersion]);

/** The last line of JSON but one. What stands before it, byte for byte, is what the checksum is of. */
const trailer = (sha256: string): string => `  "checksum": "${sha256}"\n}\n`;
const trailerLength = trailer('0'.repeat(64)).length;

const sha256Of = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

/** A manifest as it is written: JSON that ends with the SHA-256 of the bytes before that line. */
export function manifestText(manifest: Manifest): string {
  const json = JSON.stringify({ version: currentVersion, ...manifest }, null, 2);
  const body = `${json.slice(0, -'\n}'.length)},\n`;
  return `${body}${trailer(sha256Of(body))}`;
}

/**
 * Reads a manifest of any version that was released.
 * @throws {ManifestError} for text in which one byte is not as it was written.
 */
export function parseManifest(bytes: Buffer): Manifest {
  const { version, formatVersion, checksum, ...content } = parseObject(bytes.toString());
  const isWhole = formatVersion === 1 ? isWholeVersion1(bytes, { formatVersion, ...content }, checksum) : isWholeText(bytes);
  if (!isWhole) throw new ManifestError('it does not match its own checksum');
  if (formatVersion !== 1 && !knownVersions.has(version)) {
    throw new ManifestError(
      `version ${JSON.stringify(version)} is not known here; use the release of Atalaya that wrote it, or a newer one`,
    );
  }
  const parsed = manifestSchema.safeParse(content);
  // As it was read, with members that nobody here knows: they are kept when the manifest is written again.
  if (parsed.success) return content as Manifest;
  const { path, message } = parsed.error.issues[0] as z.core.$ZodIssue;
  throw new ManifestError(`${path.join('.')}: ${message}`);
}

function isWholeText(bytes: Buffer): boolean {
  const body = bytes.subarray(0, -trailerLength);
  return bytes.subarray(-trailerLength).equals(Buffer.from(trailer(sha256Of(body))));
}

/** Version 1 took its checksum from the content written without spaces, and stood in the text in one form only. */
function isWholeVersion1(bytes: Buffer, content: object, checksum: unknown): boolean {
  const text = `${JSON.stringify({ ...content, checksum }, null, 2)}\n`;
  return checksum === sha256Of(JSON.stringify(content)) && bytes.equals(Buffer.from(text));
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below, as any other text that is no manifest.
  }
  throw new ManifestError('it is not a JSON object');
}

/** @throws {ManifestError} naming the fault. */
export async function readManifest(setPath: string): Promise<Manifest> {
  const bytes = await readFile(join(setPath, manifestFileName)).catch((err: unknown) => {
    const isMissing = (err as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ManifestError(isMissing ? 'missing' : messageOf(err), { cause: err });
  });
  return parseManifest(bytes);
}

/** Replaces the manifest of a set as a whole. */
export function writeManifest(setPath: string, manifest: Manifest, files: FileEffects = diskEffects): Promise<void> {
  return replaceDurably(files, join(setPath, manifestFileName), Readable.from([Buffer.from(manifestText(manifest))]));
}
