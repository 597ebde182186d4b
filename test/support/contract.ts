import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { escapePointer } from '#api/http/validate.ts';

/** An operation of the API's document. */
export type Operation = {
  /** Such as `PUT /orders/{id}`. */
  readonly name: string;
  readonly method: string;
  /** With parameters as `{name}`. */
  readonly path: string;
  /** The statuses it may answer with. */
  readonly statuses: readonly number[];
  readonly spec: OperationSpec;
};

export type JsonSchema = Readonly<Record<string, unknown>>;
export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: JsonSchema;
};
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;
type ResponseSpec = { readonly $ref?: string; readonly headers?: Readonly<Record<string, object>>; readonly content?: Content };
export type OperationSpec = {
  readonly security: readonly object[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, ResponseSpec>>;
};
export type ContractDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationSpec>>>>;
  readonly components: object;
};

export type Asked = {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
};
export type Answered = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: string };

/** What the document of the API promises, to hold requests and answers against. */
export type Contract = {
  readonly operations: readonly Operation[];
  /** What in an answer is not as documented: nothing, where it is. Without an operation: of a path or method that there is not. */
  readonly answerFaults: (operation: Operation | undefined, answer: Answered) => string[];
  /** What in a request the document does not allow. */
  readonly requestFaults: (operation: Operation, asked: Asked) => string[];
};

export function createContract(document: ContractDocument): Contract {
  const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 6, allErrors: true, validateFormats: true });
  formats.default(ajv);
  ajv.addSchema({ $id: 'api', ...document });
  const compiled = new Map<string, ValidateFunction>();
  const faultsAt = (pointer: string, value: unknown): string[] => {
    let validate = compiled.get(pointer);
    if (!validate) compiled.set(pointer, (validate = ajv.compile({ $ref: `api#${pointer}` })));
    return validate(value) ? [] : [ajv.errorsText(validate.errors)];
  };
  const responseAt = (operation: Operation, status: number): { pointer: string; response: ResponseSpec } | undefined => {
    const response = operation.spec.responses[status];
    if (!response?.$ref) return response && { pointer: pointerTo(operation, 'responses', String(status)), response };
    const pointer = response.$ref.slice(1);
    return { pointer, response: at(document, pointer) as ResponseSpec };
  };
  return {
    operations: operationsOf(document),
    answerFaults: (operation, answer) => {
      if (!operation)
        return [...strayFaults(answer), ...(answer.text === '' ? [] : faultsAt('/components/schemas/Problem', json(answer.text)))];
      const known = responseAt(operation, answer.status);
      if (!known) return [`${operation.name} is not documented to answer ${answer.status}: ${answer.text.slice(0, 200)}`];
      const [type] = Object.keys(known.response.content ?? {});
      if (type === undefined) return answer.text === '' ? [] : [`a body where none is documented: ${answer.text.slice(0, 200)}`];
      const missing = Object.keys(known.response.headers ?? {}).filter(
        (name) => !isOptional.has(name) && !answer.headers[name.toLowerCase()],
      );
      return [
        ...(answer.headers['content-type'] === type ? [] : [`Content-Type ${answer.headers['content-type']} instead of ${type}`]),
        ...missing.map((name) => `no ${name}`),
        ...(type === 'application/problem+json' ? problemFaults(answer) : []),
        ...faultsAt(`${known.pointer}/content/${escape(type)}/schema`, json(answer.text)),
      ];
    },
    requestFaults: (operation, { params = {}, query = {}, body }) => {
      const given = { path: params, query, header: {} };
      const strange = Object.keys(query).filter(
        (name) => !operation.spec.parameters.some((one) => one.in === 'query' && one.name === name),
      );
      return [
        ...strange.map((name) => `no parameter ${name}`),
        ...operation.spec.parameters.flatMap(({ name, in: place, required }, index) => {
          const value = (given[place] as Record<string, unknown>)[name];
          if (value === undefined) return required ? [`no ${name}`] : [];
          return faultsAt(`${pointerTo(operation, 'parameters')}/${index}/schema`, value);
        }),
        ...(operation.spec.requestBody
          ? faultsAt(`${pointerTo(operation, 'requestBody')}/content/application~1json/schema`, body ?? null)
          : body === undefined
            ? []
            : ['a body where none is documented']),
      ];
    },
  };
}

/** Sent where it applies. */
const isOptional = new Set(['Idempotency-Replayed']);

function operationsOf({ paths }: ContractDocument): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([lower, spec]) => {
      const method = lower.toUpperCase();
      return { name: `${method} ${path}`, method, path, statuses: Object.keys(spec.responses).map(Number), spec };
    }),
  );
}

/** Answers where no operation is: there is nothing under the path, or not by the method. */
function strayFaults({ status, headers, text }: Answered): string[] {
  const isPlain = status === 204 && text === '' && headers['allow'] !== undefined;
  if (isPlain || strayStatuses.has(status)) return [];
  return [`${status} where there is no operation: ${text.slice(0, 200)}`];
}

/** What a problem document repeats of its answer. */
function problemFaults({ status, headers, text }: Answered): string[] {
  const told = json(text) as Record<string, unknown>;
  return [
    ...(told['status'] === status ? [] : [`its status is ${String(told['status'])}`]),
    ...(told['request_id'] === headers['x-request-id'] ? [] : ['its request_id is not that of the answer']),
  ];
}

const strayStatuses = new Set([400, 401, 404, 405, 408, 429, 431, 503]);

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** One name of a JSON pointer inside a URI reference. */
const escape = (name: string): string => encodeURIComponent(escapePointer(name));

const pointerTo = ({ method, path }: Operation, ...names: readonly string[]): string =>
  ['', 'paths', path, method.toLowerCase(), ...names].map((name, index) => (index === 0 ? '' : `/${escape(name)}`)).join('');

function at(document: object, pointer: string): unknown {
  const names = pointer.slice(1).split('/');
  return names.reduce(
    (value, name) => (value as Record<string, unknown>)[decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')],
    document as unknown,
  );
}
