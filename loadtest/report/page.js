/* Draws the charts of the report in a browser: uPlot and the data stand in the same file. */
const series = JSON.parse(document.getElementById('series').textContent);
const limits = JSON.parse(document.getElementById('limits').textContent);
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (value) => (value === null || value === undefined ? '–' : Number(value.toPrecision(4)).toLocaleString('en-US'));
const percent = (value) => (value === null || value === undefined ? '–' : `${number(value)} %`);
const mebibytes = (value) => (value === null || value === undefined ? '–' : `${number(value)} MiB`);
const ms = (value) => (value === null || value === undefined ? '–' : value >= 1000 ? `${number(value / 1000)} s` : `${number(value)} ms`);

const line = (label, stroke, more = {}) => ({ label, stroke: color(stroke), width: 1.75, points: { show: false }, ...more });
const filled = (label, stroke, more = {}) => line(label, stroke, { fill: `${color(stroke)}2b`, ...more });

const ratio = devicePixelRatio;

/** Text that stays readable over lines. */
const write = (ctx, text, x, y, tone, align = 'left') => {
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = align;
  ctx.lineWidth = 4 * ratio;
  ctx.strokeStyle = color('--card');
  ctx.strokeText(text, x, y);
  ctx.fillStyle = color(tone);
  ctx.fillText(text, x, y);
};

/** Shades the warm-up, behind everything. */
const shade = (warmUp) => (plot) => {
  if (warmUp <= 0) return;
  const { ctx, bbox } = plot;
  const end = Math.min(plot.valToPos(warmUp, 'x', true), bbox.left + bbox.width);
  ctx.save();
  ctx.fillStyle = `${color('--c5')}22`;
  ctx.fillRect(bbox.left, bbox.top, Math.max(0, end - bbox.left), bbox.height);
  ctx.restore();
};

/** Names the warm-up and draws the limits, in front of everything. */
const annotate = (lines, warmUp) => (plot) => {
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
  const width = warmUp > 0 ? plot.valToPos(warmUp, 'x', true) - bbox.left : 0;
  if (width > 56 * ratio) write(ctx, 'warm-up', bbox.left + 6 * ratio, bbox.top + bbox.height - 7 * ratio, '--soft');
  ctx.restore();
};

const axis = (values, more = {}) => ({
  stroke: color('--soft'),
  grid: { stroke: color('--grid'), width: 1 },
  ticks: { show: false },
  font: '12px system-ui, sans-serif',
  values,
  ...more,
});
const powersOfTen = {
  splits: (_plot, _axis, min, max) => [0.1, 1, 10, 100, 1e3, 1e4, 1e5].filter((value) => value >= min && value <= max),
};
const seconds = (_plot, values) => values.map((value) => `${value} s`);
const upward = { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.12)] } };

const overTime = (columns, lines, { show, marks = [], warmUp = 0, scales = upward, steps = {} }) => ({
  data: columns,
  options: {
    scales: { x: { time: false }, ...scales },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    axes: [
      axis(seconds, { size: 30 }),
      axis((_plot, values) => values.map((value) => (value === null ? '' : show(value))), { size: 64, ...steps }),
    ],
    series: [
      { label: 'second', value: (_plot, value) => (value === null ? '–' : `${value} s`) },
      ...lines.map((one) => ({ value: (_plot, value) => show(value), ...one })),
    ],
    hooks: { drawClear: [shade(warmUp)], draw: [annotate(marks, warmUp)] },
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
      hooks: { draw: [annotate(limits.latency, 0)] },
    },
  };
};

const builders = {
  latency: () =>
    overTime(
      [series.latency.second, series.latency.p50, series.latency.p95, series.latency.p99],
      [line('p50', '--c1'), line('p95', '--c2'), line('p99', '--c3')],
      { show: ms, marks: limits.latency, warmUp: series.warmUpSeconds, scales: logarithmic, steps: powersOfTen },
    ),
  traffic: () =>
    overTime(
      [series.traffic.second, series.traffic.right, series.traffic.wrong],
      [filled('right answers', '--c1'), line('errors', '--limit')],
      { show: number, warmUp: series.warmUpSeconds },
    ),
  distribution,
  pool: () =>
    overTime(
      [series.pool.second, series.pool.inUse, series.pool.waiting, series.pool.capacity],
      [filled('in use', '--c1'), line('requests waiting', '--c3'), line('capacity', '--c5', { dash: [5, 4] })],
      { show: number, warmUp: series.warmUpSeconds },
    ),
  backends: () =>
    overTime(
      [series.backends.second, series.backends.active, series.backends.inTransaction, series.backends.lockWaits],
      [filled('active', '--c4'), line('idle in transaction', '--c2'), line('waiting for a lock', '--limit')],
      { show: number, warmUp: series.warmUpSeconds },
    ),
  client: () =>
    overTime([series.client.second, series.client.utilization], [filled('busy', '--c4')], {
      show: percent,
      scales: { y: { range: [0, 100] } },
    }),
  memory: () =>
    overTime(
      [series.memory.second, ...series.memory.workers.map(({ mib }) => mib)],
      series.memory.workers.map(({ name }, i) => line(`worker ${name}`, `--c${(i % 5) + 1}`)),
      { show: mebibytes, warmUp: series.warmUpSeconds },
    ),
  machine: () =>
    overTime(
      [series.machine.second, series.machine.busy, series.machine.others],
      [filled('in use', '--c4'), line('by others', '--limit')],
      { show: percent, scales: { y: { range: [0, 100] } } },
    ),
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
