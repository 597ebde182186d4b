import { describe, expect, test } from 'vitest';
import { reportFailure } from '#monitor/probes/postgres.ts';
import { MonitorFaultError } from '#monitor/probes/probe.ts';

const withCode = (code: string) => Object.assign(new Error('says the other side'), { code });

describe('an error of PostgreSQL', () => {
  test.each(['57P03', '3D000', 'ECONNREFUSED', '57P01'])('%s is an outage', (code) => {
    expect(reportFailure('PostgreSQL at db:5432', withCode(code)).outcome).toBe('failed');
  });

  test('that only refuses more connections degrades it', () => {
    expect(reportFailure('PostgreSQL at db:5432', withCode('53300')).outcome).toBe('degraded');
  });

  test('about the monitor’s own password is the monitor’s own fault', () => {
    expect(() => reportFailure('PostgreSQL at db:5432', withCode('28P01'))).toThrow(MonitorFaultError);
  });
});
