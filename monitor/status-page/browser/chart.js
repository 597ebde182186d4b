/* Runs in a page that has charts of latencies: puts one by uPlot in the place of each drawing, and keeps it when the page is fetched anew. */
/** As the page writes moments. */
const language = document.documentElement.lang === 'en' ? 'en-GB' : 'es';
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const ms = (value) => (value >= 1000 ? `${Number((value / 1000).toPrecision(3))} s` : `${Number(value.toPrecision(3))} ms`);
const format = (options) => new Intl.DateTimeFormat(language, { timeZone: 'UTC', ...options });
const [clock, day, whole] = [{ timeStyle: 'short' }, { day: 'numeric', month: 'short' }, { dateStyle: 'medium', timeStyle: 'short' }].map(
  format,
);
const height = 220;
const plots = new Map();

const columns = ({ at, p95, p50 }) => [at, p95, p50];

const optionsOf = (view, names, width) => {
  const line = (name, stroke, more) => ({
    label: names[name],
    stroke: () => color(stroke),
    width: 1.5,
    value: (_plot, value) => (value === null ? '–' : ms(value)),
    ...more,
  });
  const axis = {
    stroke: () => color('--soft'),
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const range = { ...view };
  return {
    width,
    height,
    legend: { live: true },
    cursor: { y: false },
    scales: { x: { time: true, range: () => [range.from, range.to] }, y: { range: () => [0, range.top] } },
    series: [
      { label: names.time, value: (_plot, at) => (at === null ? '–' : whole.format(at * 1000)) },
      line('p95', '--degraded', { width: 1, alpha: 0.7 }),
      line('p50', '--up', { width: 2 }),
    ],
    bands: [{ series: [1, 2], fill: () => `${color('--degraded')}29` }],
    axes: [
      { ...axis, values: (_plot, moments, _axis, _space, step) => moments.map((at) => (step < 86400 ? clock : day).format(at * 1000)) },
      { ...axis, size: 60, values: (_plot, values) => values.map(ms) },
    ],
    range,
  };
};

const drawOne = async (figure) => {
  const { chart: address, names } = figure.dataset;
  const drawing = figure.querySelector('svg');
  const held = plots.get(address);
  if (held) {
    figure.replaceChildren(held.plot.root);
    figure.classList.add('drawn');
  }
  const response = await fetch(address);
  if (!response.ok || !figure.isConnected) return;
  const view = await response.json();
  if (held) {
    Object.assign(held.range, view);
    held.plot.setData(columns(view));
    return;
  }
  if (!drawing) return;
  const options = optionsOf(view, JSON.parse(names), figure.clientWidth);
  figure.replaceChildren();
  figure.classList.add('drawn');
  const plot = new uPlot(options, columns(view), figure);
  plot.root.setAttribute('role', 'img');
  plot.root.setAttribute('aria-label', drawing.getAttribute('aria-label'));
  plots.set(address, { plot, range: options.range });
};

const drawAll = () => {
  for (const figure of document.querySelectorAll('figure[data-chart]')) drawOne(figure).catch(() => {});
};
document.addEventListener('fresh', drawAll);
addEventListener('resize', () => plots.forEach(({ plot }) => plot.setSize({ width: plot.root.parentElement.clientWidth, height })));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plots.forEach(({ plot }) => plot.redraw()));
drawAll();
