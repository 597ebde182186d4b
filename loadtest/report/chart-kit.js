/* What the charts of every page are drawn with: words for numbers, lines, axes, text over lines. uPlot stands in the same file. */
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (value) => (value === null || value === undefined ? '–' : Number(value.toPrecision(4)).toLocaleString('en-US'));
const percent = (value) => (value === null || value === undefined ? '–' : `${number(value)} %`);
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

const axis = (values, more = {}) => ({
  stroke: color('--soft'),
  grid: { stroke: color('--grid'), width: 1 },
  ticks: { show: false },
  font: '12px system-ui, sans-serif',
  values,
  ...more,
});
/** What has no limit above begins at zero. */
const upward = { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.12)] } };
const bySecond = { label: 'second', value: (_plot, value) => (value === null ? '–' : `${value} s`) };

globalThis.kit = { color, number, percent, ms, line, filled, ratio, write, axis, upward, bySecond };
