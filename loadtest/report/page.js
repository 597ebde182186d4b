/* Draws the charts of the report in a browser: uPlot, the kit they are drawn with, and the data stand in the same file. One list of all charts, so it is long. */
const { color, number, percent, ms, line, filled, ratio, write, axis, upward, bySecond } = globalThis.kit;
const series = JSON.parse(document.getElementById('series').textContent);
const limits = JSON.parse(document.getElementById('limits').textContent);
/** Shades the warm-up of each phase, behind everything. */
const shade = (plot) => {
  const { ctx, bbox } = plot;
  const inside = (second) => Math.min(Math.max(plot.valToPos(second, 'x', true), bbox.left), bbox.left + bbox.width);
  ctx.save();
  ctx.fillStyle = `${color('--c5')}22`;
  for (const { from, measuredFrom } of series.phases)
    ctx.fillRect(inside(from), bbox.top, inside(measuredFrom) - inside(from), bbox.height);
  ctx.restore();
};

/** Names the phases, or the warm-up of the only one, and draws the limits, in front of everything. */
const annotate =
  (lines, phases = []) =>
  (plot) => {
    const { ctx, bbox } = plot;
    const right = bbox.left + bbox.width;
    ctx.save();
    for (const { at, text, tone } of lines) {
      const y = plot.valToPos(at, 'y', true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = color(tone);
      ctx.setLineDash([5 * ratio, 4 * ratio]);
      ctx.lineWidth = ratio;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(right, y);
      ctx.stroke();
      ctx.setLineDash([]);
      write(ctx, text, right - 4 * ratio, y - 5 * ratio, tone, 'right');
    }
    for (const [index, { name, from, measuredFrom }] of phases.entries()) {
      const [start, end] = [from, phases.length > 1 ? (phases[index + 1]?.from ?? plot.scales.x.max) : measuredFrom].map((second) =>
        plot.valToPos(second, 'x', true),
      );
      const text = phases.length > 1 ? name : 'warm-up';
      ctx.font = `${11 * ratio}px system-ui, sans-serif`;
      if (end - start > ctx.measureText(text).width + 10 * ratio)
        write(ctx, text, start + 6 * ratio, bbox.top + bbox.height - 7 * ratio, '--soft');
    }
    ctx.restore();
  };

const powersOfTen = {
  splits: (_plot, _axis, min, max) => [0.1, 1, 10, 100, 1e3, 1e4, 1e5].filter((value) => value >= min && value <= max),
};
const seconds = (_plot, values) => values.map((value) => `${value} s`);

const overTime = (columns, lines, { show, marks = [], scales = upward, steps = {} }) => ({
  data: columns,
  options: {
    scales: { x: { time: false }, ...scales },
    cursor: { drag: { x: false, y: false }, points: { size: 6 }, sync: { key: 'seconds' } },
    axes: [
      axis(seconds, { size: 30 }),
      axis((_plot, values) => values.map((value) => (value === null ? '' : show(value))), { size: 64, ...steps }),
    ],
    series: [bySecond, ...lines.map((one) => ({ value: (_plot, value) => show(value), ...one }))],
    hooks: { drawClear: [shade], draw: [annotate(marks, series.phases)] },
  },
});

/** Latencies span decades; a logarithmic scale shows median, tail and the distance to the limits at once. */
const logarithmic = {
  y: {
    distr: 3,
    range: (_plot, min, max) => [
      10 ** Math.floor(Math.log10(Math.max(0.1, min ?? 1))),
      10 ** Math.ceil(Math.log10(1.2 * Math.max(10, max ?? 10, ...limits.latency.map(({ at }) => at)))),
    ],
  },
};

const distribution = () => {
  const { percentile, ms: values } = series.distribution;
  const nines = percentile.map((value) => -Math.log10(1 - value / 100));
  return {
    data: [nines, values],
    options: {
      scales: { x: { time: false }, ...logarithmic },
      cursor: { drag: { x: false, y: false } },
      axes: [
        axis((_plot, splits) => splits.map((value) => `${Number((100 * (1 - 10 ** -value)).toPrecision(5))} %`), {
          size: 30,
          // 95 % stands too near to 90 % on a narrow page.
          splits: (plot) =>
            [0, 0.30103, 1, ...(plot.width < 480 ? [] : [1.30103]), 2, 3].filter((value) => value <= (nines.at(-1) ?? 0) + 0.01),
        }),
        axis((_plot, splits) => splits.map(ms), { size: 64, ...powersOfTen }),
      ],
      series: [
        {
          label: 'share of answers',
          value: (_plot, value) => (value === null ? '–' : `${Number((100 * (1 - 10 ** -value)).toPrecision(5))} %`),
        },
        filled('within', '--c1', { value: (_plot, value) => ms(value) }),
      ],
      hooks: { draw: [annotate(limits.latency)] },
    },
  };
};

const dots = (label, stroke) => ({
  label,
  stroke: color(stroke),
  paths: () => null,
  points: { show: true, size: 9, fill: color(stroke) },
  value: (_plot, value) => ms(value),
});

/** Marks a rate by an upright line. */
const upright = (marks) => (plot) => {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const [index, { at, text, tone }] of marks.entries()) {
    const x = plot.valToPos(at, 'x', true);
    if (at === null || x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = color(tone);
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.lineWidth = 1.5 * ratio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    const isLeft = x < bbox.left + bbox.width / 2;
    write(ctx, text, x + (isLeft ? 6 : -6) * ratio, bbox.top + (14 + 16 * index) * ratio, tone, isLeft ? 'left' : 'right');
  }
  ctx.restore();
};

const curve = () => {
  const { rate, kept, missed, unclear, knee, demand } = series.curve;
  const marks = [
    { at: knee, text: `p95 bends upward: ${number(knee)}/s`, tone: '--c4' },
    { at: demand, text: `needed: ${number(demand)}/s`, tone: '--soft' },
  ];
  return {
    data: [rate, kept, missed, unclear],
    options: {
      scales: { x: { time: false, distr: 3, range: [rate[0] / 1.3, rate.at(-1) * 1.3] }, ...logarithmic },
      cursor: { drag: { x: false, y: false } },
      axes: [
        axis((_plot, values) => values.map((value) => (value === null ? '' : `${number(value)}/s`)), {
          size: 30,
          splits: (_plot, _axis, min, max) =>
            [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4].filter((value) => value >= min && value <= max),
          filter: (_plot, splits) => splits,
        }),
        axis((_plot, splits) => splits.map(ms), { size: 64, ...powersOfTen }),
      ],
      series: [
        { label: 'rate', value: (_plot, value) => (value === null ? '–' : `${number(value)}/s`) },
        dots('p95, limits kept', '--good'),
        dots('p95, missed', '--limit'),
        dots('p95, client could not tell', '--warn'),
      ],
      hooks: { draw: [annotate(limits.latency), upright(marks)] },
    },
  };
};

/** One of several that are stacked: drawn to where it ends, told as what it is alone. */
const layer = (label, stroke, column) => ({
  ...line(label, stroke, { fill: `color-mix(in srgb, ${color(stroke)} 55%, ${color('--card')})`, width: 1 }),
  value: (_plot, _value, _series, index) => percent(index === null ? null : column[index]),
});

const builders = {
  latency: () =>
    overTime(
      [series.latency.second, series.latency.p50, series.latency.p95, series.latency.p99],
      [line('p50', '--c1'), line('p95', '--c2'), line('p99', '--c3')],
      { show: ms, marks: limits.latency, scales: logarithmic, steps: powersOfTen },
    ),
  traffic: () =>
    overTime(
      [series.traffic.second, series.traffic.right, series.traffic.wrong],
      [filled('right answers', '--c1'), line('errors', '--limit')],
      { show: number },
    ),
  distribution,
  pool: () =>
    overTime(
      [series.pool.second, series.pool.inUse, series.pool.waiting, series.pool.capacity],
      [filled('in use', '--c1'), line('requests waiting', '--c3'), line('capacity', '--c5', { dash: [5, 4] })],
      { show: number },
    ),
  backends: () =>
    overTime(
      [series.backends.second, series.backends.active, series.backends.inTransaction, series.backends.lockWaits],
      [filled('active', '--c4'), line('idle in transaction', '--c2'), line('waiting for a lock', '--limit')],
      { show: number },
    ),
  client: () =>
    overTime([series.client.second, series.client.utilization], [filled('busy', '--c4')], {
      show: percent,
      scales: { y: { range: [0, 100] } },
    }),
  arrivals: () =>
    overTime(
      [series.arrivals.second, series.arrivals.sent, series.arrivals.meant, series.arrivals.dropped],
      [filled('sent', '--c1'), line('meant', '--c2', { dash: [5, 4] }), line('dropped', '--limit')],
      { show: number },
    ),
  limiter: () =>
    overTime(
      [series.limiter.second, series.limiter.others, series.limiter.limited],
      [filled('all others', '--c1'), filled('429', '--limit')],
      { show: number },
    ),
  machine: () => {
    const { second, own, target, others } = series.machine;
    const sum = (...columns) => second.map((_, index) => columns.reduce((total, column) => total + (column[index] ?? 0), 0));
    return overTime(
      [second, sum(target, own, others), sum(target, own), sum(target)],
      [layer('others', '--limit', others), layer('load test', '--c4', own), layer('service', '--c1', target)],
      { show: percent, scales: { y: { range: [0, 100] } } },
    );
  },
  curve,
  idle: () => overTime([series.machine.second, series.machine.idleMs], [filled('at most', '--c3')], { show: ms }),
  lag: () => overTime([series.client.second, series.client.delayMs], [filled('late by at most', '--c3')], { show: ms }),
};

const plots = [];
const draw = () => {
  for (const plot of plots.splice(0)) plot.destroy();
  for (const box of document.querySelectorAll('[data-chart]')) {
    const { data, options } = builders[box.dataset.chart]();
    const plot = new uPlot({ width: box.clientWidth, height: Number(box.dataset.height ?? 200), ...options }, data, box);
    plots.push(plot);
  }
};
draw();
let pending;
addEventListener('resize', () => {
  clearTimeout(pending);
  pending = setTimeout(draw, 150);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
