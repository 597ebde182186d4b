import { describe, expect, test } from 'vitest';
import { parseToolVersion } from '#backups/postgres/commands.ts';

describe('the version a client program names', () => {
  test.each([
    ['pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', { text: '15.18', major: 15 }],
    ['pg_restore (PostgreSQL) 17beta1', { text: '17beta1', major: 17 }],
    ['pg_dump (PostgreSQL) 9.6.24', { text: '9.6.24', major: 9 }],
    ['mysqldump  Ver 8.0.36', undefined],
    ['', undefined],
  ])('%j', (line, expected) => {
    expect(parseToolVersion(line)).toEqual(expected);
  });
});
