/**
 * The walls of the house: which way imports may run. `npm run lint` holds them by resolved path, so that neither `../` nor
 * `#` goes round them. docs/architecture.md draws the same; where a wall moves, it moves here and there.
 */

/** Programs and what each may import besides itself. They meet over HTTP and SQL; only tests may reach into all of them. */
const programs: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  api: ['lib'],
  loadtest: ['lib'],
  backups: ['lib'],
  monitor: ['lib', 'backups'],
  deploy: ['lib'],
  bench: ['lib', 'api', 'loadtest'],
  lint: [],
  test: ['lib', 'api', 'loadtest', 'backups', 'monitor', 'deploy', 'bench', 'lint'],
};

/**
 * The rooms of a program, from the door down to the ground, one floor a line: a folder, or a file without its ending.
 * Imports run downward only, and rooms on one floor do not know each other. A room that has no place here is refused.
 */
const floors: Readonly<Record<string, string>> = {
  api: `
    main worker
    processes
    app shop/routes
    config health openapi shop/clients shop/order-details
    shop/orders
    shop/addresses shop/bills shop/products
    shop/categories shop/reviews
    shop shop/stock
    http
    mail
    auth observe
    limiter db logs
    errors`,
  monitor: `
    main cli
    commands
    export
    daemon
    status-page
    backup
    config every-minute
    action evidence
    alerts
    health
    slo logs
    probes quiet
    store
    model
    words`,
  loadtest: `
    cli
    commands
    run-gate judge-run
    gates
    compare size-pool pool conformance k6
    plan-run
    live target-command
    command options run-plan
    run-head
    plans report
    capacity scenarios
    observe
    generate judge
    targets
    measurement loadtest-env`,
  deploy: `
    local/start
    local/stack
    local/postgres local/settings local/install`,
};

type Wall = { readonly from: string; readonly to: string; readonly because: string };

/** Walls inside a program that has no floors, or that deserve a reason of their own. */
const walls: readonly Wall[] = [
  { from: 'api/http', to: 'api/shop', because: 'http/ knows no resource' },
  { from: 'api/db', to: 'api/shop', because: 'db/ knows no resource' },
  { from: 'api/db', to: 'api/http', because: 'db/ knows no HTTP' },
  { from: 'api/auth', to: 'api/http', because: 'auth/ knows no HTTP' },
  { from: 'api/auth', to: 'api/shop', because: 'auth/ knows no resource' },
  { from: 'api/limiter', to: 'api/http', because: 'the limiter counts, and knows no HTTP' },
  { from: 'backups/set', to: 'backups/postgres', because: 'a set is files; what is in them is not its business' },
];

/** Rooms that only decide: no package, nothing of Node, so that what they say depends on what they are given alone. */
const pure: readonly string[] = ['loadtest/judge'];

/** Packages that stay behind a few rooms, so that they can be exchanged. */
const fences: Readonly<Record<string, readonly string[]>> = {
  objection: ['api/shop', 'api/db', 'test'],
  autocannon: ['test'],
};

const isIn = (path: string, room: string): boolean => path === room || path.startsWith(`${room}/`) || path.startsWith(`${room}.`);

/**
 * Why one file may not import another; undefined when it may. Pure.
 * @param importer path from the top of the repository, such as `api/http/route.ts`
 */
export function wallBetween(importer: string, imported: string): string | undefined {
  const [from = '', to = ''] = [importer.split('/')[0], imported.split('/')[0]];
  const allowed = programs[from];
  if (!allowed || !programs[to]) return undefined;
  if (from !== to && !allowed.includes(to)) {
    return `${from}/ may not import ${to}/: ${allowed.length === 0 ? 'it stands on nothing of the project' : `only ${allowed.join(', ')}`}`;
  }
  const wall = walls.find((one) => isIn(importer, one.from) && isIn(imported, one.to));
  if (wall) return `${wall.from}/ may not import ${wall.to}/: ${wall.because}`;
  return from === to ? floorProblem(from, importer, imported) : undefined;
}

function floorProblem(program: string, importer: string, imported: string): string | undefined {
  const plan = floors[program]?.trim().split('\n');
  if (!plan) return undefined;
  const [above, below] = [placeOf(program, plan, importer), placeOf(program, plan, imported)];
  if (!above || !below) return `${above ? imported : importer} has no place among the floors of ${program}/ in lint/house.ts`;
  if (above.room === below.room || above.floor < below.floor) return undefined;
  const how = above.floor === below.floor ? 'they stand side by side' : 'imports run downward';
  return `${program}/${above.room} may not import ${program}/${below.room}: ${how}`;
}

type Place = { readonly room: string; readonly floor: number };

function placeOf(program: string, plan: readonly string[], path: string): Place | undefined {
  const rooms = plan.flatMap((line, floor) =>
    line
      .trim()
      .split(' ')
      .map((room) => ({ room, floor })),
  );
  // The innermost room counts: shop/stock before shop.
  return rooms.filter(({ room }) => isIn(path, `${program}/${room}`)).toSorted((a, b) => b.room.length - a.room.length)[0];
}

/** Why a file may not import a package, or a part of Node; undefined when it may. Pure. */
export function fenceAround(importer: string, specifier: string): string | undefined {
  const room = pure.find((one) => isIn(importer, one));
  if (room !== undefined) return `${room}/ only decides: it may not import ${specifier}`;
  const fence = fences[specifier];
  if (!fence || fence.some((one) => isIn(importer, one))) return undefined;
  return `${specifier} stays behind ${fence.join(', ')}`;
}

/** SQL that stands in one room of the API alone, by the words it begins with. */
const ownedStatements: readonly { readonly sql: RegExp; readonly rooms: readonly string[]; readonly because: string }[] = [
  {
    sql: /\b(?:insert\s+into|update|delete\s+from)\s+stock_movements\b|\bupdate\s+products\s+set\s+(?:[^;()]*,\s*)?stock\s*=/i,
    rooms: ['api/shop/stock', 'api/db/migrations'],
    because: 'only api/shop/stock moves stock',
  },
];

/** Why a text of the API may not stand in a file; undefined when it may. Pure. */
export function statementProblem(file: string, text: string): string | undefined {
  if (!isIn(file, 'api')) return undefined;
  return ownedStatements.find(({ sql, rooms }) => sql.test(text) && !rooms.some((room) => isIn(file, room)))?.because;
}
