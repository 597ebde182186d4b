import { expect, test } from 'vitest';
import { assertVersion } from '#api/shop/versioned.ts';

test.each([
  ['a version that matches', { version: 3 }, [3], undefined],
  ['several versions, one of which matches', { version: 3 }, [2, 3], undefined],
  ['no version demanded', { version: 3 }, undefined, undefined],
  ['an older version demanded', { version: 3 }, [2], 'version_mismatch'],
  ['a version that does not exist yet demanded', { version: 3 }, [4], 'version_mismatch'],
  ['nothing there', undefined, undefined, 'not_found'],
  ['nothing there and a version demanded', undefined, [3], 'not_found'],
] as const)('%s', (_case, found, ifMatch, expected) => {
  const outcome = (): unknown => {
    try {
      assertVersion(found, ifMatch, 'thing');
      return undefined;
    } catch (err) {
      return (err as { code: string }).code;
    }
  };
  expect(outcome()).toBe(expected);
});
