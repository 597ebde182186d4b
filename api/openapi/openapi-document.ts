import * as z from 'zod';
import { problemTypes, type ProblemCode } from '../errors.ts';
import { isChange } from '../http/answer.ts';
import { isVersioned } from '../http/read-request.ts';
import type { Route } from '../http/route.ts';
import type { JsonSchema } from '../http/view.ts';

/** OpenAPI 3.1. @see https://spec.openapis.org/oas/v3.1.1 */
export type OpenApiDocument = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    /** Refusals, each named after its codes: most operations share them. */
    readonly responses: Readonly<Record<string, Response>>;
  };
};

export type Operation = {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, Response | Reference>>;
};

type Response = { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> };
type Reference = { readonly $ref: string };

/** What the API accepts and answers, made from the schemas that check it and the views that write it. Pure. */
export function openApiDocument(routes: readonly Route[]): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    const methods = (paths[path] ??= {});
    methods[route.method.toLowerCase()] = operationOf(route);
    // The same operation by another name.
    if (route.method === 'PUT') methods['patch'] = operationOf({ ...route, method: 'PATCH' });
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Atalaya',
      version: '1',
      description: 'An e-commerce API. Every path is also found without `/api/v1`, and by `/{resource}/id/{id}`.',
    },
    servers: [{ url: '/api/v1' }],
    paths,
    components: {
      schemas: { Problem: problem },
      responses: Object.fromEntries(routes.flatMap((route) => refusalsOf(route).map(({ name, codes }) => [name, refusalOf(codes)]))),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Of a customer, from POST /clients/login.' },
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'Of an operator or a load test.' },
      },
    },
  } as OpenApiDocument;
}

/** RFC 9457, with what every refusal of the API carries. */
const problem: JsonSchema = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(problemTypes) },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string' }, message: { type: 'string' } },
        required: ['pointer', 'message'],
        additionalProperties: false,
      },
    },
    request_id: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'errors', 'request_id'],
};

function operationOf(route: Route): Operation {
  const { method, path, summary, access, body } = route;
  return {
    operationId: method.toLowerCase() + path.replaceAll(/[:/_]+(\w)/g, (_, letter: string) => letter.toUpperCase()),
    tags: [path.split('/')[1]],
    summary,
    security: access === 'public' ? [{}] : securityOf(access),
    ...(access !== 'public' && { description: `For: ${access.join(', ')}.` }),
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query'), ...headersOf(route)],
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: bodySchema(route, body) } } } }),
    responses: {
      [route.status]: successOf(route),
      ...(isTagged(route) && { 304: notModified }),
      ...Object.fromEntries(refusalsOf(route).map(({ status, name }) => [status, { $ref: `#/components/responses/${name}` }])),
    },
  } as Operation;
}

const securityOf = (access: Exclude<Route['access'], 'public'>): object[] => [
  ...(access.includes('customer') ? [{ token: [] }] : []),
  ...(access.some((kind) => kind !== 'customer') ? [{ key: [] }] : []),
];

type Options = NonNullable<Parameters<typeof z.toJSONSchema>[1]>;

function schemaOf(schema: z.ZodType, io: NonNullable<Options['io']>): JsonSchema {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return json;
}

/** A change may say in its body, too, which version it was decided on. */
function bodySchema(route: Route, body: z.ZodType): JsonSchema {
  const schema = schemaOf(body, 'input');
  const isGuarded = (route.method === 'PUT' || route.method === 'PATCH') && isVersioned(route);
  return isGuarded ? { ...schema, properties: { ...(schema['properties'] as object), version } } : schema;
}

const version: JsonSchema = {
  type: 'integer',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'As it was read: it is changed only while that is its version, as with If-Match.',
};

type ObjectSchema = { readonly properties?: Readonly<Record<string, JsonSchema>>; readonly required?: readonly string[] };

/** What is no text arrives in a path or a query as text all the same; to whoever calls, it is what it stands for. */
function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): object[] {
  if (!schema) return [];
  const given = schemaOf(schema, 'input') as ObjectSchema;
  const parsed = schemaOf(schema, 'output') as ObjectSchema;
  return Object.entries(given.properties ?? {}).map(([name, { description, ...text }]) => {
    const { type, minimum, maximum, default: usual } = parsed.properties?.[name] ?? {};
    const known = type === 'number' || type === 'integer' || type === 'boolean' ? { type, minimum, maximum } : text;
    return {
      name,
      in: place,
      required: place === 'path' || (given.required ?? []).includes(name),
      ...(description !== undefined && { description }),
      schema: { ...known, ...(usual !== undefined && { default: usual }) },
    };
  });
}

function headersOf(route: Route): object[] {
  return [
    ...(route.write === 'once'
      ? [header('Idempotency-Key', 'The same key never does it twice: the first answer is sent again.', '^[!-~]{1,255}$')]
      : []),
    ...(isVersioned(route) ? [header('If-Match', 'Entity tags: it is done only while the thing has one of them.', entityTags)] : []),
    ...(isTagged(route) ? [header('If-None-Match', 'Entity tags: what has one of them is not sent again.', entityTags)] : []),
  ];
}

const isTagged = ({ method, view }: Route): boolean => method === 'GET' && view.tag !== undefined;

/** RFC 9110 §8.8.3. */
const entityTags = String.raw`^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$`;

const header = (name: string, description: string, pattern: string): object => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string', pattern },
});

const text = { schema: { type: 'string' } };
const notModified: Response = { description: 'It has the entity tag that If-None-Match names.' };

/** The JSON of a route's answer. Members that may join it are never required. Pure. */
export function answerSchema({ view, joins }: Route): JsonSchema {
  if (joins === undefined) return view.schema;
  return { ...view.schema, properties: { ...(view.schema['properties'] as object), ...(joins.schema['properties'] as object) } };
}

function successOf(route: Route): Response {
  const { status, view, write } = route;
  const headers = {
    ...(view.tag && { ETag: text }),
    ...(status === 201 && { Location: text }),
    ...(write === 'once' && { 'Idempotency-Replayed': text }),
  };
  return {
    description: descriptions[status],
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(status !== 204 && { content: { 'application/json': { schema: answerSchema(route) } } }),
  };
}

const descriptions = { 200: 'Done.', 201: 'Made.', 204: 'Done; there is nothing to show.' } as const;

/** What a route may refuse with beside what it declares. Pure. */
export function refusalCodes(route: Route): ProblemCode[] {
  const { access, body, params, write, limitClass, view } = route;
  const codes: ProblemCode[] = ['rate_limited', 'internal', 'overloaded', 'draining', 'database_unavailable', 'request_timeout'];
  // A credential that proves nothing is refused wherever it is shown.
  codes.push('unauthenticated', 'headers_too_large', 'malformed_request', 'expectation_failed', 'validation_failed');
  // An operator's key that may only look changes nothing, not even what anybody may.
  if (access !== 'public' || write !== 'nothing') codes.push('forbidden');
  if (params) codes.push('not_found');
  if (body) codes.push('malformed_json', 'payload_too_large', 'unsupported_media_type');
  if (write !== 'nothing') codes.push('outcome_unknown', 'version_mismatch');
  if (isChange(route)) codes.push('precondition_required');
  if (write === 'once') codes.push('idempotency_key_invalid', 'idempotency_key_reused', 'idempotency_in_flight');
  // Only an answer about somebody is erased, when they leave.
  if (write === 'once' && view.ownerOf) codes.push('gone');
  if (limitClass === 'login') codes.push('overloaded');
  return [...new Set([...codes, ...route.errors])];
}

type Refusal = { readonly status: string; readonly codes: readonly ProblemCode[]; readonly name: string };

/** A status has one answer for all its codes. */
function refusalsOf(route: Route): Refusal[] {
  const byStatus: Record<string, ProblemCode[]> = {};
  for (const code of refusalCodes(route)) (byStatus[problemTypes[code].status] ??= []).push(code);
  return Object.entries(byStatus).map(([status, codes]) => ({ status, codes: codes.toSorted(), name: codes.toSorted().join('.') }));
}

function refusalOf(codes: readonly ProblemCode[]): Response {
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: codes } } }] };
  const description = codes.map((code) => `\`${code}\`: ${problemTypes[code].meaning}`).join('\n\n');
  return { description, content: { 'application/problem+json': { schema } } };
}
