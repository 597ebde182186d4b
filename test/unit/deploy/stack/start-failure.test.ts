import { describe, expect, test } from 'vitest';
import { startFailure } from '#deploy/local/stack/program-output.ts';
import { ConfigError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';

const failed = { name: 'API', status: 1, how: 'ended with status 1', output: '', outputFile: '/logs/api.out.log' };

describe('startFailure', () => {
  test('passes on every configuration problem the program reported, with exit code 78', () => {
    const output = '{"level":"info"}\nerror: A=1: must be 2\nerror: B is not set; it is required\n';
    const failure = startFailure({ ...failed, status: 78, output });
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure).toMatchObject({ exitCode: EXIT.config, problems: ['A=1: must be 2', 'B is not set; it is required'] });
  });

  test('tells the error the program reported, and keeps its exit code', () => {
    const failure = startFailure({ ...failed, status: 69, how: 'ended with status 69', output: 'error: no database at db:5432\n' });
    expect(failure.message).toBe('API ended with status 69: no database at db:5432; see /logs/api.out.log');
    expect(failure.exitCode).toBe(EXIT.unreachable);
  });

  test('finds what an uncaught error says among code and stack', () => {
    const output =
      "file:///api/main.ts:3\nthrow new TypeError('x is no function');\n^\n\nTypeError: x is no function\n    at file:///api/main.ts:3:7\n\nNode.js v24.21.0\n";
    expect(startFailure({ ...failed, output }).message).toBe('API ended with status 1: TypeError: x is no function; see /logs/api.out.log');
  });

  test('says how it ended and where to read on when the program said nothing', () => {
    const failure = startFailure({ ...failed, status: null, how: 'was ended by SIGKILL' });
    expect(failure.message).toBe('API was ended by SIGKILL; see /logs/api.out.log');
    expect(failure.exitCode).toBe(EXIT.failed);
  });

  test('is a failure also when the program ended with status 0', () => {
    expect(startFailure({ ...failed, status: 0, how: 'ended with status 0' }).exitCode).toBe(EXIT.failed);
  });
});
