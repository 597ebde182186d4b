import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError, messageOf, UsageError } from '#lib/errors.ts';
import { mergeSlices } from './merge.ts';
import type {
  ClientFacts,
  MachineSample,
  Measurement,
  MeasurementHead,
  PlayedPhase,
  ServerSample,
  SetUpFacts,
  Slice,
  TargetAtRest,
} from './measurement.ts';
import { makeOutFolder, orUsageError, runFiles } from './run-folder.ts';

/** One line of the file in which everything meets: generators and observers write it, judges and reports read it. */
export type Entry =
  | { readonly kind: 'head'; readonly head: MeasurementHead }
  | { readonly kind: 'setUp'; readonly setUp: SetUpFacts }
  | { readonly kind: 'slices'; readonly slices: readonly Slice[] }
  | { readonly kind: 'sample'; readonly sample: ServerSample }
  | { readonly kind: 'machine'; readonly machine: MachineSample }
  | { readonly kind: 'events'; readonly events: readonly unknown[] }
  | { readonly kind: 'phase'; readonly phase: PlayedPhase }
  | { readonly kind: 'client'; readonly client: ClientFacts }
  | { readonly kind: 'rest'; readonly rest: TargetAtRest }
  | { readonly kind: 'books'; readonly books: unknown }
  | { readonly kind: 'left'; readonly left: readonly string[] };

/** What was measured could not be kept, such as on a full disk: the run is over. */
export class MeasurementWriteError extends AppError {
  readonly code = 'LOADTEST_WRITE';
}

/** Takes down a run as it happens, so that its length costs disk and no memory. */
export type MeasurementWriter = {
  /** @throws {MeasurementWriteError} */
  readonly write: (entry: Entry) => void;
  readonly close: () => void;
};

/**
 * Makes the file, and its folder where there is none; a file of an earlier run in the same folder is replaced.
 * @throws {UsageError} when the folder cannot be made or written to
 */
export function createMeasurementFile(dir: string): MeasurementWriter {
  makeOutFolder(dir);
  const path = join(dir, runFiles.plan);
  const file = orUsageError(dir, () => openSync(path, 'w', 0o640));
  return {
    write: (entry) => {
      try {
        writeSync(file, `${JSON.stringify(entry)}\n`);
      } catch (err) {
        throw new MeasurementWriteError(`${path} cannot be written any more: ${messageOf(err)}`, { cause: err });
      }
    },
    close: () => closeSync(file),
  };
}

/**
 * Reads a run's file again. The last line of a run that was cut off may be half; it is left out.
 * @throws {UsageError} when the folder holds no measurement, or one of another version
 */
export async function readMeasurement(dir: string): Promise<Measurement> {
  const path = join(dir, runFiles.plan);
  const gathering = gatherEntries();
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
  try {
    for await (const line of lines) gathering.take(parse(line));
  } catch (err) {
    throw new UsageError(`${path} cannot be read: ${messageOf(err)}`, { cause: err });
  }
  const measurement = gathering.soFar();
  if (measurement === undefined) throw new UsageError(`${path} is no measurement of a load test`);
  if (measurement.version !== 2) throw new UsageError(`${path} is of version ${String(measurement.version)}; this program reads version 2`);
  return measurement;
}

/** Puts together what a run wrote down, also while it still runs; it then holds all of it. */
export function gatherEntries(): { readonly take: (entry: Entry | undefined) => void; readonly soFar: () => Measurement | undefined } {
  const parts = emptyParts();
  return { take: (entry) => gather(parts, entry), soFar: () => parts.head && assemble(parts.head, parts) };
}

type Parts = ReturnType<typeof emptyParts>;

const emptyParts = () => ({
  head: undefined as MeasurementHead | undefined,
  setUp: null as SetUpFacts | null,
  phases: [] as PlayedPhase[],
  slices: [] as Slice[],
  samples: [] as ServerSample[],
  machine: [] as MachineSample[],
  events: [] as unknown[],
  client: { calibration: null, coLocated: false, cores: 1 } as ClientFacts,
  rest: null as TargetAtRest | null,
  books: null as unknown,
  left: null as readonly string[] | null,
});

function gather(parts: Parts, entry: Entry | undefined): void {
  if (entry === undefined) return;
  if (entry.kind === 'slices') parts.slices.push(...entry.slices);
  else if (entry.kind === 'events') parts.events.push(...entry.events);
  else if (entry.kind === 'sample') parts.samples.push(entry.sample);
  else if (entry.kind === 'machine') parts.machine.push(entry.machine);
  else if (entry.kind === 'phase') parts.phases.push(entry.phase);
  else Object.assign(parts, entry);
}

const assemble = (
  head: MeasurementHead,
  { setUp, phases, slices, samples, machine, events, client, rest, books, left }: Parts,
): Measurement => ({
  ...head,
  setUp,
  disturbed: setUp?.disturbed ?? [],
  phases,
  slices: mergeSlices(slices),
  samples,
  machine,
  events,
  client,
  rest,
  books,
  left,
});

function parse(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}
