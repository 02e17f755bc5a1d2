// The export page: how many rows it would be, and how far what is under way is.
// In: templates/export.html. Out: GET /api/v1/exports, DELETE of one. Loaded by page.mjs.

import { startFilters } from "./fleet.mjs";
import { post } from "./post.mjs";

const EVERY_MS = 1000;
const WHILE_IDLE_MS = 5000;
const count = (number) => number.toLocaleString("en").replaceAll(",", "\u202f");
const amount = (bytes) => (bytes < 1e6 ? `${count(Math.round(bytes / 1e3))} kB` : `${count(Math.round(bytes / 1e5) / 10)} MB`);
const several = (number, word) => `${count(number)} ${number === 1 ? word : `${word}s`}`;
let timer = null;
let soonUntilMs = 0;

async function showSize(place) {
  const answer = await fetch(place.dataset.size).catch(() => null);
  if (!answer?.ok) return;
  const { rows } = await answer.json();
  place.textContent = rows === null ? ": more rows than can be counted in a moment" : `: ${several(rows, "row")}`;
}

async function look() {
  clearTimeout(timer);
  const answer = await fetch("/api/v1/exports").catch(() => null);
  const lines = answer?.ok ? await answer.json() : [];
  if (answer?.ok) draw(lines);
  const busy = lines.some(({ state }) => state === "running") || performance.now() < soonUntilMs;
  timer = setTimeout(look, busy ? EVERY_MS : WHILE_IDLE_MS);
}

function draw(lines) {
  const list = document.getElementById("exports");
  const states = JSON.parse(list.dataset.states);
  const there = new Map([...list.children].map((line) => [line.dataset.id, line]));
  list.replaceChildren(...lines.map((line) => filled(there.get(line.id) ?? newLine(line), line, states)));
  document.getElementById("none-yet").hidden = lines.length > 0;
}

function newLine({ id, table, format }) {
  const line = document.getElementById("export-line").content.firstElementChild.cloneNode(true);
  line.dataset.id = id;
  line.querySelector(".what").textContent = `${table}.${format}`;
  line.querySelector("progress").setAttribute("aria-label", `How far ${table}.${format} is`);
  line.querySelector("button").addEventListener("click", () => end(id));
  return line;
}

function filled(line, { state, share, done, robots, rows, bytes }, states) {
  line.classList.toggle("broken", !["running", "done"].includes(state));
  line.querySelector("progress").value = share;
  line.querySelector("button").hidden = state !== "running";
  const far = `${Math.floor(100 * share)} %, ${count(done)} of ${several(robots, "robot")}, ${several(rows, "row")}, ${amount(bytes)}`;
  line.querySelector(".how-far").textContent = `${states[state]}: ${far}`;
  return line;
}

async function end(id) {
  await post(`/api/v1/exports/${id}`, undefined, "DELETE");
  look();
}

export function start() {
  startFilters();
  showSize(document.getElementById("rows"));
  document.getElementById("download")?.addEventListener("click", () => {
    soonUntilMs = performance.now() + 10000;
    timer = setTimeout(look, 300);
  });
  look();
}
