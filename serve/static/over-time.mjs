// Charts and the timeline of a robot: what the address says is fetched, a request a group of charts, and drawn.
// In: the address (range, from, to, joint), the figures of robot.html. Out: their charts. Called by robot.mjs.

import { draw, stroke } from "./charts.mjs";
import { picture, rows, sentence } from "./series.mjs";
import { drawTimeline } from "./timeline.mjs";
import { chosenZone, moment, nowUs } from "./time.mjs";

const RANGES_S = { "1h": 3600, "24h": 86400, "7d": 604800, "30d": 2592000, "1y": 31536000 };
const AGAIN_S = { "1h": 10, "24h": 60 };
const POINTS_AT_MOST = 600;
const RESOLUTIONS = { raw: "every frame", vitals: "windows", hourly: "hours" };

// A figure’s id → what is drawn in it; also for tests.
export const plots = new Map();
let [asked, again] = [0, null];

// What the address says.
function wanted() {
  const query = new URLSearchParams(location.search);
  const joints = [...document.querySelectorAll("#joints input:checked")].map((box) => Number(box.value));
  const until = nowUs() / 1e6;
  if (query.has("from")) {
    return { name: "", start: Date.parse(query.get("from")) / 1000, end: Date.parse(query.get("to")) / 1000, joints };
  }
  const name = query.get("range") ?? "24h";
  return { name, start: until - RANGES_S[name], end: until, joints };
}

export async function showCharts(code) {
  const want = wanted();
  const number = ++asked;
  const groups = Map.groupBy(document.querySelectorAll("figure.chart"), (figure) => figure.dataset.group);
  const episodes = fetchJson(address(code, "episodes", want, []));
  await Promise.all([...groups].map(([group, figures]) => showGroup(code, group, figures, want, episodes, number)));
  if (number !== asked) return;
  const found = await episodes;
  if (found) drawTimeline(document.getElementById("timeline"), found, want);
  clearTimeout(again);
  if (AGAIN_S[want.name]) again = setTimeout(() => repeat(code), AGAIN_S[want.name] * 1000);
}

function repeat(code) {
  if (document.hidden) again = setTimeout(() => repeat(code), 2000);
  else showCharts(code);
}

async function showGroup(code, group, figures, want, episodes, number) {
  const isJoint = group === "joint";
  for (const figure of figures) figure.querySelector(".plot").dataset.stale = "yes";
  if (isJoint && !want.joints.length) {
    for (const figure of figures) say(figure, "Choose a joint to see its course.");
    return;
  }
  const signals = figures.flatMap((figure) => figure.dataset.signals.split(" "));
  const list = await fetchJson(address(code, "series", want, signals, isJoint ? want.joints : []));
  const marks = (await episodes) ?? [];
  if (number !== asked) return;
  if (!list) {
    for (const figure of figures) say(figure, "The server does not answer; it is being tried again.");
    return;
  }
  for (const figure of figures) {
    const mine = list.filter((series) => figure.dataset.signals.split(" ").includes(series.signal));
    show(figure, mine, marks, want);
  }
  document.getElementById("resolution").textContent = `${RESOLUTIONS[list[0].resolution]}, a point each ${
    step(list[0].step_us / 1e6)}; drag over a chart to look closer`;
}

function address(code, what, want, signals, joints = []) {
  const query = new URLSearchParams();
  for (const signal of signals) query.append("signal", signal);
  for (const joint of joints) query.append("joint", joint);
  query.set("from", iso(want.start));
  query.set("to", iso(want.end));
  if (signals.length) query.set("points", POINTS_AT_MOST);
  return `/api/v1/robots/${code}/${what}?${query}`;
}

async function fetchJson(url) {
  const answer = await fetch(url).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

function say(figure, words) {
  plots.get(figure.id)?.plot.destroy();
  plots.delete(figure.id);
  delete figure.dataset.drawn;
  const place = figure.querySelector(".plot");
  const line = document.createElement("p");
  line.className = "quiet";
  line.textContent = words;
  place.replaceChildren(line);
  place.setAttribute("aria-label", `${figure.dataset.title}: ${words}`);
  delete place.dataset.stale;
  figure.querySelector(".curves").replaceChildren();
}

function show(figure, list, episodes, want) {
  const chart = picture(list, (series, curve) => (curve.joint ? `joint ${curve.joint}` : words(series.signal, list)));
  const format = formatter(figure.dataset);
  const place = figure.querySelector(".plot");
  plots.get(figure.id)?.plot.destroy();
  const marks = episodes.filter((episode) => isAbout(episode, list, want.joints)).map((episode) => ({
    from: Date.parse(episode.opened) / 1000,
    to: episode.cleared ? Date.parse(episode.cleared) / 1000 : Math.min(nowUs() / 1e6, want.end),
    alarm: episode.status !== "MAINTENANCE_REQUIRED",
  }));
  const drawn = { chart, figure, format };
  drawn.plot = draw(place, chart, { format, percent: figure.dataset.percent, zone: chosenZone(), group: "robot", marks, chosen: zoom,
    pointed: (at) => point(drawn, at) });
  plots.set(figure.id, drawn);
  legend(figure, chart);
  point(drawn, null);
  place.setAttribute("aria-label", sentence(figure.dataset.title, chart, format, clock));
  delete place.dataset.stale;
  fillTable(drawn);
  figure.dataset.drawn = chart.resolution;
}

// Marks of a chart: episodes of its own signals and joints.
function isAbout(episode, list, joints) {
  if (!list.some((series) => series.signal === episode.signal)) return false;
  const joint = episode.component.startsWith("joint/") ? Number(episode.component.slice(6)) : 0;
  return !joint || joints.includes(joint);
}

function words(signal, list) {
  return list.length === 1 ? "value" : signal.replace(/_mm$/, "").replaceAll("_", " ");
}

function formatter({ unit, percent }) {
  if (percent) return (value) => `${Number((100 * value).toPrecision(3))} %`;
  return (value) => `${Number(value.toPrecision(3))} ${unit}`;
}

function legend(figure, chart) {
  const items = chart.curves.map((curve, at) => {
    const { colour, dash } = stroke(at);
    const item = document.createElement("li");
    const line = svg("line", { x1: 0, x2: 24, y1: 4, y2: 4, class: colour, "stroke-width": 2, "stroke-dasharray": dash });
    const swatch = svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" });
    swatch.append(line);
    const value = document.createElement("b");
    item.append(swatch, curve.label, value);
    return item;
  });
  figure.querySelector(".curves").replaceChildren(...items);
}

// The values under the cursor, or the last ones.
function point({ chart, figure, format }, at) {
  chart.curves.forEach((_, number) => {
    const values = chart.data[3 * number + 3];
    const value = at == null ? values.findLast((one) => one != null) : values[at];
    const place = figure.querySelectorAll(".curves b")[number];
    if (place) place.textContent = value == null ? "–" : format(value);
  });
}

function fillTable({ chart, figure, format }) {
  const details = figure.querySelector(".as-table");
  const fill = () => details.open && details.querySelector(".scroll").replaceChildren(table(chart, format));
  details.ontoggle = fill;
  fill();
}

function table(chart, format) {
  const made = document.createElement("table");
  made.className = "dense";
  const head = made.createTHead().insertRow();
  for (const name of ["time", ...chart.curves.map((curve) => curve.label)]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const body = made.createTBody();
  for (const { time, cells } of rows(chart)) {
    const row = body.insertRow();
    row.insertCell().textContent = clock(time);
    for (const cell of cells) {
      row.insertCell().textContent = cell === null ? "no data"
        : cell.low === cell.high ? format(cell.value) : `${format(cell.value)} (${format(cell.low)} to ${format(cell.high)})`;
    }
  }
  return made;
}

export function svg(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const clock = (seconds) => moment(new Date(seconds * 1000));
const iso = (seconds) => new Date(seconds * 1000).toISOString();
const step = (seconds) => (seconds < 120 ? `${Number(seconds.toPrecision(2))} s` : seconds < 7200 ? `${Math.round(seconds / 60)} m` : `${Math.round(seconds / 3600)} h`);

// A stretch was dragged over, or a range or joint chosen: the address says so, and back undoes it.
function go(code, change) {
  const query = new URLSearchParams(location.search);
  change(query);
  history.pushState(null, "", `?${query}${location.hash}`);
  adopt(code);
}

let zoom = () => {};

// The controls say what the address says.
function adopt(code) {
  const query = new URLSearchParams(location.search);
  const joints = query.getAll("joint");
  if (joints.length) {
    for (const box of document.querySelectorAll("#joints input")) box.checked = joints.includes(box.value);
  }
  const want = wanted();
  for (const link of document.querySelectorAll("#ranges a")) {
    link.toggleAttribute("aria-current", link.dataset.range === want.name);
    if (link.dataset.range === want.name) link.setAttribute("aria-current", "true");
  }
  const summary = document.querySelector("#ranges summary");
  summary.toggleAttribute("aria-current", !want.name);
  if (!want.name) summary.setAttribute("aria-current", "true");
  showCharts(code);
}

export function listen(code) {
  zoom = (from, to) => go(code, (query) => {
    query.delete("range");
    query.set("from", iso(from));
    query.set("to", iso(to));
  });
  addEventListener("popstate", () => adopt(code));
  addEventListener("resize", () => { for (const { plot, figure } of plots.values()) plot.setSize({ width: figure.querySelector(".plot").clientWidth, height: plot.height }); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showCharts(code));
  document.addEventListener("zonechange", () => showCharts(code));
  document.addEventListener("click", (event) => clicked(event, code));
  document.getElementById("joints")?.addEventListener("change", () => chooseJoints(code));
  document.getElementById("custom").addEventListener("submit", (event) => chooseSpan(event, code));
  document.addEventListener("keydown", (event) => stepCursor(event));
}

function clicked(event, code) {
  const range = event.target.closest("#ranges a");
  const joint = event.target.closest("[data-joint]");
  if ((!range && !joint) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (range) {
    go(code, (query) => {
      query.delete("from");
      query.delete("to");
      query.set("range", range.dataset.range);
    });
    return;
  }
  go(code, (query) => {
    query.delete("joint");
    query.append("joint", joint.dataset.joint);
  });
  document.getElementById("charts").scrollIntoView();
}

function chooseJoints(code) {
  const chosen = [...document.querySelectorAll("#joints input:checked")].map((box) => box.value);
  go(code, (query) => {
    query.delete("joint");
    for (const joint of chosen) query.append("joint", joint);
  });
}

function chooseSpan(event, code) {
  event.preventDefault();
  const form = new FormData(event.target);
  const [from, to] = ["from", "to"].map((name) => Date.parse(`${form.get(name)}${chosenZone() === "UTC" ? "Z" : ""}`) / 1000);
  if (!(from < to)) {
    event.target.elements.to.setCustomValidity("must be after the beginning");
    event.target.reportValidity();
    event.target.elements.to.setCustomValidity("");
    return;
  }
  event.target.closest("details").open = false;
  zoom(from, to);
}

// Arrow keys on a chart move its cursor from value to value.
function stepCursor(event) {
  const figure = event.target.closest?.("figure.chart");
  const drawn = figure && event.target.classList.contains("plot") ? plots.get(figure.id) : null;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!drawn || !step) return;
  event.preventDefault();
  const { plot, chart } = drawn;
  const last = chart.data[0].length - 1;
  const at = Math.min(last, Math.max(0, (plot.cursor.idx ?? last + (step < 0 ? 1 : 0)) + step));
  plot.setCursor({ left: plot.valToPos(chart.data[0][at], "x"), top: 20 });
}
