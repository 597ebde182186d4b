import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { print } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { copySource, type Replacement } from './copy-source.ts';

/** A program with one thing wrong in it, which a campaign must notice. */
export type Mutant = { readonly name: string; readonly says: string } & Replacement;

export type MutantCampaign = {
  /** A script and its arguments, which ends with another code than 0, and a line that begins with `seed`, once it notices something. */
  readonly play: readonly string[];
  /** How much of it that is, as in `400 histories`. */
  readonly extent: string;
};

const root = resolve(import.meta.dirname, '../..');

/** Plays a campaign against each mutant that is named, or all where none is, and tells what it noticed. @throws {UsageError} */
export async function catchMutants(mutants: readonly Mutant[], names: readonly string[], campaign: MutantCampaign): Promise<ExitCode> {
  const unknown = names.filter((name) => mutants.every((mutant) => mutant.name !== name));
  if (unknown.length > 0)
    throw new UsageError(`no mutant is called ${unknown.join(', ')}; there are ${mutants.map(({ name }) => name).join(', ')}`);
  let missed = 0;
  for (const mutant of mutants.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const witness = await witnessOf(mutant, campaign);
    if (witness === undefined) missed += 1;
    print(`${mutant.name}: ${mutant.says}: ${witness ?? `not noticed in ${campaign.extent}`}`);
  }
  return missed === 0 ? EXIT.done : EXIT.failed;
}

/** The first thing that is noticed; undefined where nothing is. */
async function witnessOf(mutant: Mutant, { play }: MutantCampaign): Promise<string | undefined> {
  const copy = await copySource(mutant);
  try {
    await Promise.all(['test', 'loadtest'].map((name) => cp(join(root, name), join(copy.dir, name), { recursive: true })));
    await promisify(execFile)(process.execPath, [...play], { cwd: copy.dir });
    return undefined;
  } catch (err) {
    const { stdout = '' } = err as { readonly stdout?: string };
    const witness = /^seed .*$/m.exec(stdout)?.[0];
    if (witness === undefined) throw err;
    return witness;
  } finally {
    await copy.remove();
  }
}
