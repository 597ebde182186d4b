/* Follows a run in a browser: one event a second, each a view of it. uPlot and the kit of charts stand in the same file. */
const { number, ms, line, filled, axis, upward, bySecond } = globalThis.kit;
const show = (name, text) => {
  document.querySelector(`[data-show="${name}"]`).textContent = text;
};

/** What the charts show: columns of equal length, one value a second. */
const columns = { second: [], p50Ms: [], p95Ms: [], p99Ms: [], perSecond: [], wantedPerSecond: [], inUse: [], waiting: [], capacity: [] };

const kinds = {
  latency: {
    names: ['p50Ms', 'p95Ms', 'p99Ms'],
    show: ms,
    lines: () => [line('p50', '--c1'), line('p95', '--c2'), line('p99', '--c3')],
  },
  answers: {
    names: ['perSecond', 'wantedPerSecond'],
    show: number,
    lines: () => [filled('right answers', '--c1'), line('meant', '--c2', { dash: [5, 4] })],
  },
  pool: {
    names: ['inUse', 'waiting', 'capacity'],
    show: number,
    lines: () => [filled('in use', '--c1'), line('requests waiting', '--c3'), line('capacity', '--c5', { dash: [5, 4] })],
  },
};

const plots = new Map();
const dataOf = ({ names }) => [columns.second, ...names.map((name) => columns[name])];

const draw = () => {
  for (const plot of plots.values()) plot.destroy();
  for (const box of document.querySelectorAll('[data-chart]')) {
    const kind = kinds[box.dataset.chart];
    const options = {
      width: box.clientWidth,
      height: Number(box.dataset.height),
      scales: { x: { time: false }, ...upward },
      cursor: { drag: { x: false, y: false }, sync: { key: 'seconds' } },
      axes: [
        axis((_plot, values) => values.map((value) => `${value} s`), { size: 30, incrs: [1, 5, 10, 30, 60, 300, 600] }),
        axis((_plot, values) => values.map((value) => (value === null ? '' : kind.show(value))), { size: 64 }),
      ],
      series: [bySecond, ...kind.lines().map((one) => ({ ...one, value: (_plot, value) => kind.show(value) }))],
    };
    plots.set(box.dataset.chart, new uPlot(options, dataOf(kind), box));
  }
};

const remember = (view) => {
  const point = {
    ...view,
    second: view.elapsedSeconds,
    inUse: view.pool?.inUse ?? null,
    waiting: view.pool?.waiting ?? null,
    capacity: view.pool?.capacity ?? null,
  };
  // Several processes report the same second one after another; the last knows most. A smaller second is another plan's.
  if (columns.second.at(-1) > point.second) for (const column of Object.values(columns)) column.length = 0;
  const isKnown = columns.second.at(-1) === point.second;
  for (const [name, column] of Object.entries(columns)) {
    if (isKnown) column.pop();
    column.push(point[name]);
  }
};

const tell = (view) => {
  const { plan, phase, step, pool } = view;
  show('title', step === null ? `${plan}: ${view.elapsedSeconds} s${phase?.isWarmUp ? ', warm-up' : ''}` : `${plan}: ${step}…`);
  show('says', phase?.says ?? '');
  show('left', view.totalSeconds === null ? 'as long as it takes' : `${Math.max(0, view.totalSeconds - view.elapsedSeconds)} s`);
  show('answers a second', number(view.perSecond));
  for (const name of ['p50', 'p95', 'p99']) show(name, ms(view[`${name}Ms`]));
  show('errors', number(view.errors));
  show('pool', pool ? `${number(pool.inUse)} of ${number(pool.capacity)}` : '–');
};

let pending;
const redraw = () => {
  pending = undefined;
  for (const [name, plot] of plots) plot.setData(dataOf(kinds[name]));
};

const source = new EventSource('/events');
source.addEventListener('view', ({ data }) => {
  const view = JSON.parse(data);
  if (view.step === null) remember(view);
  tell(view);
  pending ??= requestAnimationFrame(redraw);
});
source.addEventListener('end', ({ data }) => {
  source.close();
  show('title', `ended: ${JSON.parse(data).says}`);
});
// A run that was ended says no farewell; asked again, another run on the same port would answer.
source.addEventListener('error', () => {
  source.close();
  show('says', 'the run has ended');
});
draw();
addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
