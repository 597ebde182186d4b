import { join } from 'node:path';
import type * as z from 'zod';
import type { Scenario } from '../scenario.ts';
import { journeysSchema, longestName, type Feeder, type Journeys, type JourneyStep } from './file-schema.ts';
import type { Looked } from './judges.ts';
import { endpointOf } from './references.ts';
import type { Json } from './slots.ts';

export type Row = Readonly<Record<string, Json>>;

/** What journeys take their data from, read. */
export type Feed = { readonly order: Feeder['order']; readonly rows: readonly Row[] };

/** A file of journeys and all it names, ready to be played. */
export type Script = {
  readonly file: Journeys;
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Never to be shown. */
  readonly secrets: readonly string[];
};

/** What every generator process is given. */
export type JourneyFacts = { readonly script: Script; readonly runId: string; readonly users: number };

/** A script without feeders from what would stand in a file, short forms written out. @throws {ZodError} */
export const scriptOf = (file: z.input<typeof journeysSchema>): Script => ({ file: journeysSchema.parse(file), feeds: {}, secrets: [] });

/** A script of users who read these paths, whichever chance says, again and again: each is a journey of one step. */
export function scriptOfPaths(paths: readonly string[], load: z.input<typeof journeysSchema>['load'] = {}): Script {
  const requests = paths.map((path) => `GET ${path}`);
  const each = requests.map((request, i) => [`path ${i + 1}`, { steps: [{ request, name: request.slice(0, longestName) }] }]);
  return scriptOf({ load, journeys: Object.fromEntries(each) });
}

/** Any HTTP service: users who do what a file of journeys says. Nothing is prepared there, and nothing taken back. */
export const journeys = (script: Script): Scenario => ({
  name: 'journeys',
  crowdFile: join(import.meta.dirname, 'journeys-crowd.ts'),
  nullServerFile: join(import.meta.dirname, 'null-server.ts'),
  mixes: {},
  highlights: () => [],
  prepare: async (_target, { users, runId }) => {
    const facts: JourneyFacts = { script, runId, users };
    const steps = Object.values(script.file.journeys).flatMap((journey) => journey.steps);
    const looked: Looked = { statusOnly: [...new Set(steps.filter(isStatusOnly).map(endpointOf))] };
    return {
      facts,
      users: nobodies(users),
      enroll: async (count) => nobodies(count),
      disturbed: [],
      readBooks: async () => looked,
      cleanUp: async () => (steps.some(isWriting) ? ['whatever its requests that write have written'] : []),
    };
  },
});

const nobodies = (count: number): null[] => Array.from({ length: count }, () => null);

const isStatusOnly = ({ expect }: JourneyStep): boolean => Object.keys(expect.json).length + Object.keys(expect.headers).length === 0;

const isWriting = ({ request }: JourneyStep): boolean => request.method !== 'GET' && request.method !== 'HEAD';
