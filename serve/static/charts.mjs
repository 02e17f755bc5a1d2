// A chart: lines with their envelope, limits drawn in, gaps hatched, episodes as marks on the time axis.
// In: an element, a picture (series.mjs) and what to call things. Out: a uPlot in that element. Called by robot.mjs.

import uPlot from "./vendor/uplot/uPlot.mjs";

const HEIGHT = 210;
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]]; // colour never alone: lines differ by dash too
const MARK = 7;
const FLAT = 0.05;
const DAY_S = 86400;

// Colours as the style sheet has them now: light or dark.
function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return { lines: [1, 2, 3, 4, 5, 6].map((n) => of(`--line-${n}`)), text: of("--chart-text"), grid: of("--chart-grid"),
    hatch: of("--chart-hatch"), warn: of("--chart-warn"), alarm: of("--chart-alarm"), paper: of("--chart-paper"),
    font: style.fontFamily };
}

// Draw `chart` in `place`, in the place of what was there. `chosen(from, to)`: a stretch of time was dragged over.
export function draw(place, chart, { format, percent, zone, group, marks, chosen, pointed }) {
  const tones = colours();
  const options = {
    width: Math.max(240, place.clientWidth), height: HEIGHT, legend: { show: false },
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), zone),
    scales: { x: { time: true, range: () => [chart.start, chart.end] }, y: { range: (_, low, high) => span(chart, low, high) } },
    axes: axes(tones, zone, percent),
    series: [{}, ...chart.curves.flatMap((_, at) => curve(tones, at))],
    bands: chart.curves.map((_, at) => ({ series: [3 * at + 2, 3 * at + 1], fill: tint(tones.lines[at % 6], chart.curves.length) })),
    cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: group }, points: { size: 6 } },
    hooks: {
      drawClear: [(plot) => hatch(plot, chart.gaps, tones)],
      draw: [(plot) => drawLimits(plot, chart, tones, format), (plot) => drawMarks(plot, marks, tones)],
      setCursor: [(plot) => pointed(plot.cursor.idx)],
      setSelect: [(plot) => select(plot, chosen)],
    },
  };
  place.replaceChildren();
  const plot = new uPlot(options, chart.data, place);
  plot.root.setAttribute("aria-hidden", "true"); // the sentence and the table beside it say what it shows
  return plot;
}

// The line's colour and dash, for a legend beside the chart.
export function stroke(at) {
  return { colour: `line-${(at % 6) + 1}`, dash: DASHES[Math.floor(at / 6 + at) % DASHES.length].join(" ") };
}

function curve(tones, at) {
  const silent = { stroke: "transparent", width: 0, points: { show: false } };
  const colour = tones.lines[at % 6];
  const dash = DASHES[Math.floor(at / 6 + at) % DASHES.length];
  return [silent, silent, { stroke: colour, width: 1.5, dash, spanGaps: false,
    points: { show: false, size: 5, fill: colour, filter: alone } }];
}

// A value between two gaps has no line to be part of: it is drawn as a point.
function alone(plot, at) {
  const values = plot.data[at];
  const found = [];
  let [before, last] = [null, -1];
  for (let index = 0; index <= values.length; index += 1) {
    const value = index < values.length ? values[index] : null;
    if (value === undefined) continue;
    if (value === null && last >= 0 && before === null) found.push(last);
    if (value === null) last = -1;
    else if (last >= 0) [before, last] = [last, index];
    else [before, last] = [null, index];
  }
  return found.length ? found : null;
}

// Limits are in view: how far a value is from them is the question. A flat line's noise is not blown up.
function span(chart, low, high) {
  const all = [low, high, ...chart.limits.map((limit) => limit.value)].filter((value) => value != null);
  if (!all.length) return [0, 1];
  let [least, most] = [Math.min(...all), Math.max(...all)];
  const flat = Math.max(Math.abs(least), Math.abs(most)) * FLAT || FLAT;
  if (most - least < flat) [least, most] = [least - flat / 2, most + flat / 2];
  const room = (most - least) * 0.08;
  return [least >= 0 && least < 4 * room ? 0 : least - room, most + room];
}

function axes(tones, zone, percent) {
  const common = { stroke: tones.text, font: `11px ${tones.font}`, grid: { stroke: tones.grid, width: 1 },
    ticks: { stroke: tones.grid, width: 1, size: 4 } };
  const scale = percent ? 100 : 1;
  const numbers = (_, ticks, __, ___, each) => {
    let digits = 0;
    while (digits < 8 && Math.abs(each * scale * 10 ** digits - Math.round(each * scale * 10 ** digits)) > 1e-6) digits += 1;
    return ticks.map((tick) => (tick * scale).toFixed(digits));
  };
  return [{ ...common, space: 62, values: (_, ticks, __, ___, each) => times(ticks, each, zone) },
    { ...common, size: 54, space: 34, values: numbers }];
}

// Clock times, with the date below where it is another than the one before.
function times(ticks, each, zone) {
  const parts = (options) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...options });
  const date = parts({ year: "numeric", month: "2-digit", day: "2-digit" });
  const clock = parts({ hour: "2-digit", minute: "2-digit", ...(each < 60 ? { second: "2-digit" } : {}) });
  let before = "";
  return ticks.map((tick) => {
    const day = date.format(tick * 1000);
    const short = before.slice(0, 4) === day.slice(0, 4) ? day.slice(5) : day;
    const text = each >= DAY_S ? short : day === before ? clock.format(tick * 1000) : `${clock.format(tick * 1000)}\n${day.slice(5)}`;
    before = day;
    return text;
  });
}

function select(plot, chosen) {
  const { left, width } = plot.select;
  if (width < 8) return;
  const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  chosen(from, to);
}

function hatch(plot, gaps, tones) {
  const { ctx, bbox } = plot;
  const pattern = ctx.createPattern(hatching(tones), "repeat");
  ctx.save();
  for (const [from, to] of gaps) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right <= left) continue;
    ctx.fillStyle = pattern;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    sayNoData(plot, left, right, tones);
  }
  ctx.restore();
}

// Upright in a narrow gap; in one too narrow for that the hatching alone has to do.
function sayNoData({ ctx, bbox }, left, right, tones) {
  const ratio = uPlot.pxRatio;
  if (right - left < 16 * ratio) return;
  ctx.save();
  ctx.translate((left + right) / 2, bbox.top + bbox.height / 2);
  if (right - left < 58 * ratio) ctx.rotate(-Math.PI / 2);
  ctx.fillStyle = tones.paper;
  ctx.fillRect(-25 * ratio, -8 * ratio, 50 * ratio, 16 * ratio);
  ctx.font = `${11 * ratio}px ${tones.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = tones.text;
  ctx.fillText("no data", 0, 0);
  ctx.restore();
}

function hatching(tones) {
  const size = 8 * uPlot.pxRatio;
  const tile = new OffscreenCanvas(size, size);
  const ctx = tile.getContext("2d");
  ctx.strokeStyle = tones.hatch;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.beginPath();
  for (const shift of [-size, 0, size]) {
    ctx.moveTo(shift, size);
    ctx.lineTo(shift + size, 0);
  }
  ctx.stroke();
  return tile;
}

function drawLimits(plot, chart, tones, format) {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = `600 ${10 * ratio}px ${tones.font}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  const taken = [];
  const across = (value, colour, dash, words) => {
    const top = plot.valToPos(value, "y", true);
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = ratio;
    ctx.setLineDash(dash.map((length) => length * ratio));
    ctx.beginPath();
    ctx.moveTo(bbox.left, top);
    ctx.lineTo(bbox.left + bbox.width, top);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.strokeStyle = tones.paper;
    ctx.lineWidth = 3 * ratio;
    const foot = [top - ratio, top + 12 * ratio].find((at) => taken.every((other) => Math.abs(other - at) >= 11 * ratio));
    if (foot === undefined) return; // the line is there; its words would lie over others
    taken.push(foot);
    ctx.strokeText(words, bbox.left + bbox.width - 4 * ratio, foot);
    ctx.fillText(words, bbox.left + bbox.width - 4 * ratio, foot);
  };
  for (const { level, value } of chart.limits) {
    across(value, tones[level], level === "warn" ? [6, 4] : [], `${level} ${format(value)}`);
  }
  chart.curves.forEach(({ baseline, label }, at) => {
    if (baseline != null) across(baseline, tones.lines[at % 6], [1, 4], `${label}, usual ${format(baseline)}`);
  });
  ctx.restore();
}

// A triangle where an episode began, and a bar for as long as it held.
function drawMarks(plot, marks, tones) {
  const { ctx, bbox } = plot;
  const [size, foot] = [MARK * uPlot.pxRatio, bbox.top + bbox.height];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - size, bbox.top, bbox.width + 2 * size, bbox.height);
  ctx.clip();
  for (const { from, to, alarm } of marks) {
    const [left, right] = [from, to].map((time) => plot.valToPos(time, "x", true));
    ctx.fillStyle = alarm ? tones.alarm : tones.warn;
    ctx.fillRect(left, foot - 3 * uPlot.pxRatio, Math.max(right - left, 2), 3 * uPlot.pxRatio);
    ctx.beginPath();
    ctx.moveTo(left, foot - size * 1.6);
    ctx.lineTo(left - size * 0.7, foot);
    ctx.lineTo(left + size * 0.7, foot);
    ctx.fill();
  }
  ctx.restore();
}

// An envelope; the fainter, the more of them lie over each other.
function tint(colour, among) {
  return `color-mix(in srgb, ${colour} ${among > 1 ? 9 : 18}%, transparent)`;
}
