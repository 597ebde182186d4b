import { describe, expect, test } from 'vitest';
import { increase, readTotals } from '#monitor/slo/request-totals.ts';

const name = 'atalaya_http_request_duration_seconds';
const metrics = `# HELP ${name} Time
${name}_bucket{le="0.5",method="GET",route="/api/v1/products",status="200",worker="1"} 90
${name}_bucket{le="+Inf",method="GET",route="/api/v1/products",status="200",worker="1"} 100
${name}_count{method="GET",route="/api/v1/products",status="200",worker="1"} 100
${name}_count{method="GET",route="/api/v1/products",status="200"} 100
${name}_bucket{le="0.5",method="POST",route="/api/v1/orders",status="503",worker="1"} 4
${name}_count{method="POST",route="/api/v1/orders",status="503",worker="1"} 4
${name}_bucket{le="0.5",method="POST",route="/api/v1/orders",status="422",worker="2"} 7
${name}_count{method="POST",route="/api/v1/orders",status="422",worker="2"} 7
${name}_bucket{le="0.5",method="GET",route="/health_check",status="503",worker="2"} 1000
${name}_count{method="GET",route="/health_check",status="503",worker="2"} 1000
${name}_bucket{le="0.5",method="GET",route="/api/v1/products",status="503",load="test",worker="2"} 500
${name}_count{method="GET",route="/api/v1/products",status="503",load="test",worker="2"} 600
atalaya_http_in_flight{worker="1"} 3
`;

describe('of the metrics of an API', () => {
  test('server errors are bad, refusals are good, each worker counts once, and what machines ask counts not at all', () => {
    expect(Object.fromEntries(readTotals(metrics, { slowerThanSeconds: undefined }))).toEqual({
      1: { good: 100, bad: 4, loadTest: 0 },
      2: { good: 7, bad: 0, loadTest: 600 },
    });
  });

  test('slow answers are bad where that is asked', () => {
    expect(Object.fromEntries(readTotals(metrics, { slowerThanSeconds: 0.5 }))).toEqual({
      1: { good: 90, bad: 14, loadTest: 0 },
      2: { good: 7, bad: 0, loadTest: 600 },
    });
  });

  test('what a load test was answered is neither good nor bad, and is counted by itself', () => {
    const before = readTotals(metrics, { slowerThanSeconds: undefined });
    const now = readTotals(metrics.replaceAll('load="test",worker="2"} 600', 'load="test",worker="2"} 700'), {
      slowerThanSeconds: undefined,
    });
    expect(increase(before, now)).toEqual({ good: 0, bad: 0, loadTest: 100 });
  });

  test('a bound that the histogram does not have is refused', () => {
    expect(() => readTotals(metrics, { slowerThanSeconds: 0.3 })).toThrow('no bound of 0.3 s');
  });
});

describe('since the last look', () => {
  const before = new Map([
    ['1', { good: 100, bad: 4, loadTest: 0 }],
    ['2', { good: 50, bad: 0, loadTest: 0 }],
  ]);

  test('the answers of every worker are added up', () => {
    expect(increase(before, new Map([...before, ['1', { good: 110, bad: 5, loadTest: 0 }]]))).toEqual({ good: 10, bad: 1, loadTest: 0 });
  });

  test('a worker that began anew counts from nothing, and one that is silent takes nothing away', () => {
    expect(increase(before, new Map([['1', { good: 3, bad: 2, loadTest: 0 }]]))).toEqual({ good: 3, bad: 2, loadTest: 0 });
  });

  test('one that is new tells nothing yet: nobody knows when it answered', () => {
    expect(increase(before, new Map([['3', { good: 1_000, bad: 1_000, loadTest: 0 }]]))).toEqual({ good: 0, bad: 0, loadTest: 0 });
  });
});
