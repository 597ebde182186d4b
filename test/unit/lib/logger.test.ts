import { describe, expect, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import type { LogSettings } from '#lib/settings.ts';

function record(format: LogSettings['LOG_FORMAT'], write: (logger: ReturnType<typeof createLogger>) => void): string {
  let lines = '';
  const destination = {
    write: (line: string) => {
      lines += line;
    },
  };
  write(createLogger('api', { LOG_LEVEL: 'info', LOG_FORMAT: format }, destination));
  return lines;
}

describe('createLogger', () => {
  test('writes one JSON line an event, with level, time and program', () => {
    const line = JSON.parse(record('json', (logger) => logger.info({ sizeBytes: 7 }, 'backup taken'))) as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'info', program: 'api', pid: process.pid, sizeBytes: 7, msg: 'backup taken' });
    expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  test('writes readable text with LOG_FORMAT=text', () => {
    const line = record('text', (logger) => logger.warn({ sizeBytes: 7, path: '/a b' }, 'backup taken'));
    expect(line).toMatch(/^\d{4}-\S+ WARN {2}api backup taken sizeBytes=7 path=\/a b\n$/);
  });

  test('leaves out what is below its level', () => {
    expect(record('json', (logger) => logger.debug('x'))).toBe('');
  });

  test('hides fields of secret names, at the top and one level down', () => {
    const line = record('json', (logger) =>
      logger.info({ password: 'p1', headers: { authorization: 'p2', 'x-api-key': 'p3' }, 'x-api-key': 'p4' }, 'request'),
    );
    expect(line).not.toMatch(/p[1234]/);
    expect(line).toContain('(hidden)');
  });

  test('hides credentials in the message, stack and causes of an error', () => {
    const err = new Error('connect to postgres://ana:hunter2@db failed', { cause: new Error('password=hunter3 refused') });
    const line = record('json', (logger) => logger.error({ err }, 'no database'));
    expect(line).not.toMatch(/hunter[23]/);
    expect(line).toContain('postgres://ana:(hidden)@db');
  });
});
