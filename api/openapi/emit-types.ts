import type { JsonSchema } from '../http/view.ts';
import type { OpenApiDocument } from './openapi-document.ts';

/**
 * The document as TypeScript types, of the shape that openapi-fetch reads. (openapi-typescript, which usually makes them, works
 * with TypeScript 5 only.)
 */

type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
};
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;
type Response = { readonly $ref?: string; readonly headers?: object; readonly content?: Content };
type Spec = {
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
};

/** The text of a module that exports `paths`, and what names parts of it. Pure. */
export function emitTypes({ paths, components }: OpenApiDocument): string {
  const shared = components.responses as Readonly<Record<string, Response>>;
  const members = Object.entries(paths).map(([path, operations]) => {
    const each = Object.entries(operations).map(([method, spec]) => {
      const type = method === 'patch' ? `paths['${path}']['put']` : operationOf(spec as unknown as Spec, shared);
      return `${comment((spec as unknown as Spec).summary)}${method}: ${type};`;
    });
    return `'${path}': {\n${each.join('\n')}\n};`;
  });
  const problem = typeOf(components.schemas['Problem'] as JsonSchema).replace(/\ncode: .*;/, '\ncode: Code;');
  return laidOut(`${head}\nexport type Problem<Code> = ${problem};\n${helpers}\nexport type paths = {\n${members.join('\n')}\n};\n`);
}

const head = `/**
 * What the API takes and answers, below /api/v1, for openapi-fetch: \`createClient<paths>({ baseUrl: '…/api/v1' })\`.
 * As long as its document, of which \`npm run docs\` writes it; a test holds it against that.
 */
`;

const helpers = `
/** The JSON that GET answers under a path. */
export type Shown<Path extends keyof paths> = paths[Path] extends { get: { responses: { 200: Json<infer Body> } } } ? Body : never;

type Json<Body> = { content: { 'application/json': Body } };
type Done<Body, Header extends string = never> = { headers: { [Name in Header]?: string } & Record<string, unknown> } & Json<Body>;
type Nothing<Header extends string = never> = { headers: { [Name in Header]?: string } & Record<string, unknown>; content?: never };
type Refusals<Codes> = {
[Status in keyof Codes]: { headers: Record<string, unknown>; content: { 'application/problem+json': Problem<Codes[Status]> } };
};
`;

function operationOf({ parameters, requestBody, responses }: Spec, shared: Readonly<Record<string, Response>>): string {
  const places = ['query', 'header', 'path'].flatMap((place) => parametersIn(parameters, place));
  const body = requestBody?.content['application/json'];
  const own = Object.entries(responses).filter(([, { $ref }]) => $ref === undefined);
  const refusals = Object.entries(responses).flatMap(([status, { $ref }]) =>
    $ref ? [`${status}: ${codesOf(shared[nameIn($ref)])};`] : [],
  );
  return [
    '{',
    places.length > 0 ? `parameters: {\n${places.join('\n')}\n};` : 'parameters: {};',
    ...(body ? [`requestBody: Json<${typeOf(body.schema)}>;`] : []),
    `responses: {\n${own.map(([status, response]) => `${status}: ${successOf(response)};`).join('\n')}\n} & Refusals<{ ${refusals.join(' ')} }>;`,
    '}',
  ].join('\n');
}

const nameIn = (reference: string): string => reference.split('/').at(-1) ?? '';

function parametersIn(parameters: readonly Parameter[], place: string): string[] {
  const own = parameters.filter((one) => one.in === place);
  if (own.length === 0) return [];
  const members = own.map(({ name, schema, required, description }) => memberOf(name, { ...schema, description }, required === true));
  return [`${place}${own.some(({ required }) => required) ? '' : '?'}: {\n${members.join('\n')}\n};`];
}

function successOf({ headers = {}, content }: Response): string {
  const named = Object.keys(headers)
    .map((name) => `'${name}'`)
    .join(' | ');
  if (!content) return named === '' ? 'Nothing' : `Nothing<${named}>`;
  return `Done<${typeOf(content['application/json']?.schema ?? {})}${named === '' ? '' : `, ${named}`}>`;
}

function codesOf(response: Response | undefined): string {
  const all = response?.content?.['application/problem+json']?.schema['allOf'] as readonly JsonSchema[] | undefined;
  return typeOf((all?.[1]?.['properties'] as Record<string, JsonSchema> | undefined)?.['code'] ?? {});
}

type Known = {
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
};

/** The type of what a schema allows; what a type cannot say, such as a range, is left out. */
function typeOf(schema: JsonSchema): string {
  const { anyOf, enum: options, type, items = {}, properties = {}, required = [] } = schema as Known;
  if (options) return options.map((option) => (typeof option === 'string' ? `'${option}'` : String(option))).join(' | ');
  if (anyOf) return anyOf.map(typeOf).join(' | ');
  if (typeof type === 'object') return type.map((one) => typeOf({ ...schema, type: one })).join(' | ');
  if (type === 'array') return `(${typeOf(items)})[]`;
  if (type !== 'object') return type === 'integer' ? 'number' : (type ?? 'unknown');
  const members = Object.entries(properties).map(([name, member]) => memberOf(name, member, required.includes(name)));
  return `{\n${members.join('\n')}\n}`;
}

const memberOf = (name: string, schema: JsonSchema, isNeeded: boolean): string =>
  `${comment(schema['description'] as string | undefined)}${nameOf(name)}${isNeeded ? '' : '?'}: ${typeOf(schema)};`;

const nameOf = (name: string): string => (/^\w+$/.test(name) ? name : `'${name}'`);
const comment = (text: string | undefined): string => (text === undefined ? '' : `/** ${text} */\n`);

/** Lines indented by the braces that they stand in. */
function laidOut(text: string): string {
  let depth = 0;
  const lines = text.split('\n').map((line) => {
    if (line.startsWith(' *') || line === '') return line;
    const code = line.startsWith('/**') ? '' : line;
    const opened = code.split('{').length - code.split('}').length;
    const own = depth - (code.startsWith('}') ? 1 : 0);
    depth += opened;
    return `${'  '.repeat(own)}${line}`;
  });
  return lines.join('\n');
}
