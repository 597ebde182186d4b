import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { openApiDocument } from '#api/openapi/openapi-document.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';
import { createRandom } from '#loadtest/generate/random.ts';
import { createCase } from '#test/fuzz/create-case.ts';
import { commandOf, faultsOf } from '#test/fuzz/judge-answer.ts';
import { validValue } from '#test/fuzz/values.ts';
import { operatorKey } from '#test/support/api-process.ts';
import { createContract, type ContractDocument, type Operation } from '#test/support/contract.ts';
import type { RawAnswer } from '#test/support/raw-http.ts';

const contract = createContract(openApiDocument(createRoutes({} as ApiServices)) as unknown as ContractDocument);
const callers = { operator: 'X-API-Key: operator', loadtest: 'X-API-Key: loadtest', customers: ['Authorization: Bearer eyJ.a.b'] };
const caseOf = (seed: number, index: number) => createCase(contract.operations, callers, { seed, index });
const operation = (name: string): Operation => contract.operations.find((one) => one.name === name) as Operation;

const problem = { type: '/problems/not_found', title: 'Not found', detail: 'None.', errors: [], request_id: 'r' };
const answered = (status: number, body: object, headers: Record<string, string> = {}): { answer: RawAnswer } => {
  const contentType = status < 400 ? 'application/json' : 'application/problem+json';
  return {
    answer: { status, headers: { 'content-type': contentType, 'x-request-id': 'r', etag: '"1"', ...headers }, text: JSON.stringify(body) },
  };
};
const category = { id_key: 1, name: 'Lamps', version: 1 };
const read = { operation: operation('GET /categories/{id}'), isHead: false } as ReturnType<typeof caseOf>;

describe('a fuzzed request', () => {
  test('is the same for the same seed and number, and another for another', () => {
    expect(caseOf(1, 7).request.equals(caseOf(1, 7).request)).toBe(true);
    expect(caseOf(1, 7).request.equals(caseOf(2, 7).request)).toBe(false);
    expect(new Set(Array.from({ length: 200 }, (_, index) => caseOf(1, index).request.toString('latin1'))).size).toBeGreaterThan(190);
  });

  test('is sometimes one that the document allows, which a validator of its own confirms', () => {
    const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 6 });
    formats.default(ajv);
    for (const { name, spec } of contract.operations) {
      const schema = spec.requestBody?.content['application/json']?.schema;
      if (!schema) continue;
      const isValid = ajv.compile(schema);
      for (let index = 0; index < 50; index += 1) {
        const value = validValue(schema, createRandom(3, index));
        expect([name, isValid(value), isValid.errors]).toEqual([name, true, null]);
      }
    }
  });

  test('can be repeated by a line for a shell that names no token', () => {
    const request = Buffer.from(
      'PUT /a?x=1 HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer eyJ.a.b\r\nContent-Length: 4\r\n\r\n{"\xF1}',
      'latin1',
    );
    expect(commandOf({ request })).toBe(
      `curl -sS --path-as-is -X PUT -H 'Host: b' -H 'Authorization: Bearer TOKEN' --data-binary $'{\\"\\xf1}' "http://$HOST:$PORT"'/a?x=1'`.replace(
        '\\"',
        '"',
      ),
    );
    expect(commandOf({ request: Buffer.from('NONSENSE\r\n\r\n') })).toBe(
      String.raw`printf '%b' 'NONSENSE\x0d\x0a\x0d\x0a' | nc $HOST $PORT`,
    );
  });
});

describe('an answer', () => {
  test('as documented is no finding', () => {
    expect(faultsOf(contract, read, answered(200, category))).toEqual([]);
    expect(faultsOf(contract, read, answered(404, { ...problem, status: 404, code: 'not_found' }))).toEqual([]);
  });

  test.for([
    ['of a status that is not documented', answered(409, { ...problem, status: 409, code: 'duplicate' }), 'not documented to answer 409'],
    ['with a member too many', answered(200, { ...category, secret: 1 }), 'must NOT have additional properties'],
    ['without a member', answered(200, { id_key: 1, version: 1 }), "must have required property 'name'"],
    ['of another type', answered(200, category, { 'content-type': 'text/html' }), 'Content-Type text/html'],
    ['without its entity tag', answered(200, category, { etag: '' }), 'no ETag'],
    [
      'with a code of another status',
      answered(404, { ...problem, status: 404, code: 'in_use' }),
      'must be equal to one of the allowed values',
    ],
    ['that calls itself another status', answered(404, { ...problem, status: 400, code: 'not_found' }), 'its status is 400'],
    ['that says 500', answered(500, { ...problem, status: 500, code: 'internal' }), '500: '],
    ['that tells a key', answered(200, { ...category, name: operatorKey }), `tells ${operatorKey}`],
    ['that tells where it broke', answered(200, { ...category, name: 'Error\n    at f (/a/b.ts:1:2)' }), 'tells a stack'],
    ['that lets a header in', answered(200, category, { 'x-injected': '1' }), 'lets headers be injected'],
    ['that never came', { failure: 'no answer within 15000 ms' }, 'no answer within'],
  ] as const)('%s is a finding', ([, outcome, fault]) => {
    expect(faultsOf(contract, read, outcome).join('; ')).toContain(fault);
  });

  test('to a request that leads nowhere may only refuse', () => {
    const nowhere = { operation: undefined, isHead: false } as ReturnType<typeof caseOf>;
    expect(faultsOf(contract, nowhere, answered(404, { ...problem, status: 404, code: 'not_found' }))).toEqual([]);
    expect(faultsOf(contract, nowhere, answered(200, { open: true })).length).toBeGreaterThan(0);
  });
});
