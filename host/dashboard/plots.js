/** The last hour in four plots: events, memory, CPU, event loop. One line for each plugin. */

import { html, useEffect, useRef } from './preact.js';
import { bytes, clock, percent, rate } from './words.js';

/** Told apart by people who do not see all colours, on light and on dark ground. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#7f7f00', '#8c6bb1'];
const HEIGHT = 170;

/** 1 kB, 2 kB, 4 kB … 512 GB: between such steps bytes have round names. */
const BYTE_STEPS = Array.from({ length: 30 }, (_, i) => 2 ** (10 + i));

const PLOTS = [
  { column: 'eventsPerSecond', title: 'Events per second', show: rate },
  { column: 'memoryBytes', title: 'Memory', show: bytes, steps: BYTE_STEPS },
  { column: 'cpuShare', title: 'CPU, of one core', show: percent },
  { column: 'eventLoopUtilization', title: 'Event loop busy', show: percent },
];

export function Plots({ history }) {
  if (history === null || history.at.length < 2)
    return html`<p class="quiet">The first plots come after half a minute.</p>`;
  return html`<div class="plots">${PLOTS.map((plot) => html`<${Plot} key=${plot.column} plot=${plot} history=${history} />`)}</div>`;
}

function Plot({ plot, history }) {
  const figure = useRef(null);
  const drawn = useRef(null);
  const names = history.plugins.map(({ name }) => name).join(' ');
  useEffect(() => {
    const uplot = new globalThis.uPlot(options(plot, history, figure.current), data(plot, history), figure.current);
    drawn.current = uplot;
    const observer = new ResizeObserver(() =>
      uplot.setSize({ width: figure.current.clientWidth - 24, height: HEIGHT }),
    );
    observer.observe(figure.current);
    return () => {
      observer.disconnect();
      uplot.destroy();
    };
  }, [names]);
  useEffect(() => drawn.current?.setData(data(plot, history)), [history]);
  return html`<figure ref=${figure}><figcaption>${plot.title}</figcaption></figure>`;
}

function options({ show, steps }, { plugins }, figure) {
  // The canvas knows no CSS: the colours as the page has worked them out.
  const { color: stroke, borderTopColor: line } = getComputedStyle(figure);
  const axis = { stroke, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
  const times = (_, seconds) => seconds.map((each) => clock(each * 1000));
  return {
    width: Math.max(240, figure.clientWidth - 24),
    height: HEIGHT,
    axes: [
      { ...axis, values: times, space: 70 },
      { ...axis, size: 64, values: (_, values) => values.map(show), ...(steps && { incrs: steps }) },
    ],
    scales: { y: { range: (_, min, max) => [Math.min(0, min), max > 0 ? max * 1.1 : 1] } },
    series: [
      { label: 'At', value: (_, seconds) => (seconds === null ? '–' : clock(seconds * 1000)) },
      ...plugins.map(({ name }, i) => ({
        label: name,
        stroke: COLOURS[i % COLOURS.length],
        width: 1.5,
        dash: i >= COLOURS.length ? [6, 4] : [],
        points: { show: false },
        value: (_, value) => (value === null ? '–' : show(value)),
      })),
    ],
  };
}

function data({ column }, { at, plugins }) {
  return [at.map((time) => Date.parse(time) / 1000), ...plugins.map((plugin) => plugin[column])];
}
