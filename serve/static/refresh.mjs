// What the server drew, drawn again: the page is fetched anew and its regions are replaced.
// In: elements with data-region; rows with data-key in a region with data-keyed. Called by the pages' parts.
// One place writes HTML, the server's templates. Rows under the pointer, or with the focus in them, stay where they
// are: they are brought up to date in place, and a button says that the order has changed. A region with data-always
// is replaced there too: who has just acted in it waits for what comes of it.

import { dress } from "./time.mjs";
import { on } from "./live.mjs";

const AT_LEAST_MS = 4000;
const SOON_MS = 700; // what the stream tells has landed by then
const OPENED = "[aria-expanded=true], details[open]";
const ANYWAY_MS = 30000; // and if it had not, or came while the page was on its way: then
let wantedAt = Infinity;
let lastMs = performance.now();
let running = false;
let timer = null;
let pending = null;
const afterwards = [];

// Call `handler` whenever regions have been replaced.
export const afterRefresh = (handler) => afterwards.push(handler);

// Fetch again before long; `soonMs` is at least how long from now.
export function wantRefresh(soonMs = SOON_MS, atLeastMs = AT_LEAST_MS) {
  const at = Math.max(performance.now() + soonMs, lastMs + atLeastMs);
  if (at >= wantedAt) return;
  wantedAt = at;
  clearTimeout(timer);
  timer = setTimeout(run, at - performance.now());
}

async function run() {
  wantedAt = Infinity;
  if (document.hidden) return; // visibilitychange asks again
  if (running) return wantRefresh();
  running = true;
  try {
    const fresh = await fetchPage(location.href);
    if (fresh) replaceRegions(fresh);
  } finally {
    running = false;
    lastMs = performance.now();
  }
}

// A page of ours as a document; null when it cannot be had, which the banner says.
export async function fetchPage(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function replaceRegions(fresh) {
  const known = new Set([...document.querySelectorAll("[data-region]")].map(({ dataset }) => dataset.region));
  const isNew = [...fresh.querySelectorAll("[data-region]")].some(({ dataset }) => !known.has(dataset.region));
  if (isNew && !document.querySelector("dialog[open]")) return location.reload(); // the page has another shape now
  for (const region of document.querySelectorAll("[data-region]")) {
    const wanted = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
    if (!wanted) continue;
    if ("keyed" in region.dataset) replaceRows(region, wanted);
    else if ("always" in region.dataset ? !region.querySelector(".sent") : !isBusy(region)) replaceContent(region, wanted);
  }
  for (const handler of afterwards) handler();
}

// Where the focus was on a button, it is on that button's successor.
function replaceContent(region, wanted) {
  const hadFocus = region.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  region.replaceChildren(...wanted.childNodes);
  dress(region);
  if (hadFocus) (region.querySelector(`[data-act="${hadFocus}"]`) ?? region.querySelector("[data-act]"))?.focus({ preventScroll: true });
}

const isBusy = (region) => region.matches(":hover") || region.contains(document.activeElement) || region.querySelector(`${OPENED}, :checked, .sent`);
const rowsOf = (region) => [...region.querySelectorAll(":scope > [data-key]")];

function replaceRows(region, wanted) {
  const old = new Map(rowsOf(region).map((row) => [row.dataset.key, row]));
  const rows = rowsOf(wanted);
  for (const row of rows) {
    const before = old.get(row.dataset.key);
    if (before && before.dataset.state !== row.dataset.state) row.classList.add("changed");
  }
  const same = rows.length === old.size && rows.every((row, i) => row.dataset.key === [...old.keys()][i]);
  if (!isBusy(region)) {
    pending = null;
    replaceContent(region, wanted);
  } else {
    pending = same ? null : region;
    const fresh = new Map(rows.map((row) => [row.dataset.key, row]));
    for (const [key, row] of old) fresh.has(key) ? patchRow(row, fresh.get(key)) : row.classList.add("gone");
  }
  showPending();
}

// What somebody is working in (a box that is ticked, an open part) stays; the rest becomes new. A button that has the
// focus may be another one now: then its row has it.
function patchRow(row, fresh) {
  row.dataset.state = fresh.dataset.state ?? "";
  row.classList.remove("gone");
  [...row.children].forEach((cell, i) => {
    const wanted = fresh.children[i];
    if (!wanted || cell.querySelector(`${OPENED}, input`)) return;
    const hadFocus = cell.contains(document.activeElement);
    cell.className = wanted.className;
    cell.replaceChildren(...wanted.childNodes);
    if (hadFocus) row.focus({ preventScroll: true });
  });
  dress(row);
}

function showPending() {
  const button = document.getElementById("catch-up");
  if (!button) return;
  button.hidden = !pending;
  button.textContent = "The order has changed: show it";
}

// Fetch again on these events of the stream, when the connection is back, and when the page is looked at again.
export function refreshOn(...kinds) {
  for (const kind of [...kinds, "back", "reset"]) on(kind, () => wantRefresh());
  setInterval(() => wantRefresh(), ANYWAY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wantRefresh(0); });
  document.getElementById("catch-up")?.addEventListener("click", () => location.reload());
}
