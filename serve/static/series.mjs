// Series as the API answers them become what a chart draws: columns, gaps, a sentence and a table.
// In: the JSON of /api/v1/robots/{code}/series. Out: plain objects. Called by charts.mjs. No drawing, no fetching.

import uPlot from "./vendor/uplot/uPlot.mjs";

const US = 1e6;
const TABLE_ROWS = 96;
const NOW_AND_THEN = "mm"; // accuracy is measured every few minutes: a frame without it is no gap

// One chart of one or more series over the same range: times in seconds, three columns a curve.
export function picture(list, labels) {
  const tables = list.map(oneTable);
  const data = tables.length === 1 ? tables[0] : uPlot.join(tables);
  const curves = list.flatMap((series, at) =>
    series.curves.map((curve) => ({ label: labels(series, curve, at), baseline: curve.baseline ?? null })));
  return { data, curves, gaps: gaps(list[0]), start: list[0].start_us / US, end: list[0].end_us / US,
    step: list[0].step_us / US, resolution: list[0].resolution, statistic: list[0].statistic,
    limits: list.flatMap((series) => limits(series)) };
}

// Null is a gap, undefined is not: uPlot breaks a line at the first and goes on over the second.
function oneTable(series) {
  const half = series.resolution === "raw" ? 0 : series.step_us / 2;
  const times = series.time_us.map((time) => (time + half) / US);
  const seldom = series.unit === NOW_AND_THEN;
  const column = (values) =>
    values.map((value, at) => (value === null && seldom && series.count[at] > 0 ? undefined : value));
  const nothing = times.map(() => null); // where there are many curves, they come without their envelopes
  const columns = (curve) => [curve.low.length ? curve.low : nothing, curve.high.length ? curve.high : nothing, curve.value];
  return [times, ...series.curves.flatMap((curve) => columns(curve).map(column))];
}

// Stretches in which no frame came, in seconds. Between two points the server says so with a point of no frames; before
// the first and after the last it is for longer than two of the usual distances.
export function gaps(series) {
  const { time_us: times, count, step_us: step, start_us: start, end_us: end } = series;
  const heard = times.filter((_, at) => count[at] > 0);
  const until = Math.min(end, Date.now() * 1000);
  if (!heard.length) return [[start / US, until / US]];
  const usual = Math.max(step, median(heard.slice(1).map((time, at) => time - heard[at])));
  const found = [];
  if (heard[0] - start > 2.5 * usual) found.push([start / US, heard[0] / US]);
  times.forEach((time, at) => {
    if (count[at] > 0 || at === 0) return;
    const next = times.findIndex((_, later) => later > at && count[later] > 0);
    if (next > 0) found.push([time / US, times[next] / US]);
  });
  if (until - heard.at(-1) > 2.5 * usual) found.push([(heard.at(-1) + step) / US, until / US]);
  return found;
}

function median(numbers) {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}

function limits(series) {
  const found = [];
  for (const side of ["above", "below"]) {
    const limit = series[side];
    if (!limit) continue;
    for (const level of ["warn", "alarm"]) found.push({ level, side, value: limit[level] });
  }
  return found;
}

// What somebody who does not see the chart is told of it.
export function sentence(title, chart, format, clock) {
  const said = chart.curves.map((curve, at) => {
    const values = chart.data[3 * at + 3].filter((value) => value != null);
    if (!values.length) return `${curve.label}: no values`;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return `${curve.label}: last ${format(values.at(-1))}, from ${format(low)} to ${format(high)}`;
  });
  const drawn = chart.limits.map((limit) => `${limit.level} limit ${format(limit.value)}`);
  const holes = chart.gaps.length ? [`${chart.gaps.length} gap${chart.gaps.length > 1 ? "s" : ""} without data`] : [];
  return `${title}, ${clock(chart.start)} to ${clock(chart.end)}. ${[...said, ...drawn, ...holes].join("; ")}.`;
}

// Rows of some points each: the time, then a curve's last value, lowest and highest; null where nothing came. A gap has
// a row of its own.
export function rows(chart) {
  const times = chart.data[0];
  const every = Math.max(1, Math.ceil(times.length / TABLE_ROWS));
  const isGap = (at) => chart.curves.every((_, number) => chart.data[3 * number + 3][at] === null);
  const found = [];
  for (let from = 0, to = 0; from < times.length; from = to) {
    to = from + 1;
    while (!isGap(from) && to < times.length && to - from < every && !isGap(to)) to += 1;
    found.push({ time: times[from], cells: chart.curves.map((_, number) => cell(chart, number, from, to)) });
  }
  return found;
}

function cell(chart, number, from, to) {
  const part = (column) => chart.data[3 * number + column].slice(from, to).filter((value) => value != null);
  const [low, high, value] = [part(1), part(2), part(3)];
  if (!value.length) return null;
  return { value: value.at(-1), low: Math.min(...low, ...value), high: Math.max(...high, ...value) };
}
