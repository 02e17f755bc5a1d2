// The alarms pages: choosing lines, keys, opening what a line holds.
// In: templates/alarms.html and alarm.html. Called by page.mjs. What is done about a line is in actions.mjs.

import { act, episodesOf, startActions } from "./actions.mjs";
import { startFilters } from "./fleet.mjs";
import { announceAlarms } from "./news.mjs";
import { afterRefresh, fetchPage, refreshOn } from "./refresh.mjs";
import { dress } from "./time.mjs";

const KINDS = { a: "acknowledge", s: "shelve", u: "unshelve", c: "comment", o: "out_of_service", i: "in_service" };

const mayAct = () => document.documentElement.dataset.mayAct === "yes";
const allRows = () => [...document.querySelectorAll("table.alarms tbody tr")];
const boxOf = (row) => row.querySelector(".choose input");
const chosenRows = () => allRows().filter((row) => boxOf(row)?.checked);
const currentRow = () => document.querySelector("tr.current");

function showChosen() {
  const rows = chosenRows();
  for (const row of allRows()) row.classList.toggle("chosen", Boolean(boxOf(row)?.checked));
  const bar = document.getElementById("bar");
  if (!bar) return;
  bar.hidden = !rows.length;
  const count = new Set(rows.flatMap(episodesOf)).size;
  document.getElementById("bar-count").textContent = `${count} ${count === 1 ? "alarm" : "alarms"} chosen`;
  const all = document.getElementById("choose-all");
  const able = allRows().filter(boxOf);
  if (all) all.checked = able.length > 0 && rows.length === able.length;
}

function chooseAll(checked) {
  for (const row of allRows()) if (boxOf(row)) boxOf(row).checked = checked;
  showChosen();
}

function moveTo(row) {
  if (!row) return;
  currentRow()?.classList.remove("current");
  row.classList.add("current");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function moveBy(step) {
  const rows = allRows();
  const at = rows.indexOf(currentRow());
  moveTo(rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]);
}

// Show what a line holds right below it, or take it away again.
async function expand(link) {
  const row = link.closest("tr");
  const opened = link.getAttribute("aria-expanded") === "true";
  for (let next = row.nextElementSibling; next?.dataset.holder === row.dataset.key;) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
  link.setAttribute("aria-expanded", String(!opened));
  if (opened) return;
  const fresh = await fetchPage(link.dataset.expand);
  if (!fresh) return location.assign(link.href);
  const members = [...fresh.querySelectorAll("tbody[data-region=rows] > tr")];
  for (const member of members) {
    delete member.dataset.key;
    member.dataset.holder = row.dataset.key;
    member.classList.add("member");
    dress(member);
  }
  row.after(...members);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("dialog, select, textarea, input:not([type=checkbox])")) return;
  const { key } = event;
  if (key === "j" || key === "k") moveBy(key === "j" ? 1 : -1);
  else if (key === "?") document.getElementById("keys").showModal();
  else if (key === "Escape") chooseAll(false);
  else if (key === "Enter" && event.target === currentRow()) location.assign(currentRow().dataset.open);
  else if (key === "e" && currentRow()?.querySelector("[data-expand]")) expand(currentRow().querySelector("[data-expand]"));
  else if (key === "x" && mayAct() && boxOf(currentRow() ?? document.body)) boxOf(currentRow()).click();
  else if (key in KINDS && mayAct()) actOn(KINDS[key]);
  else return;
  event.preventDefault();
}

// What is chosen; else the line that the keys are on; else the one alarm that the page is about.
function actOn(kind) {
  const rows = chosenRows();
  const single = [currentRow() ?? document.querySelector("[data-single]")].filter(Boolean);
  act(kind, rows.length ? rows : single);
}

export function start() {
  startActions(chosenRows);
  startFilters();
  announceAlarms();
  refreshOn("alarm");
  afterRefresh(showChosen);
  document.addEventListener("keydown", onKey);
  document.addEventListener("change", (event) => {
    if (event.target.id === "choose-all") chooseAll(event.target.checked);
    else if (event.target.closest(".choose")) showChosen();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-expand]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    expand(link);
  });
  document.getElementById("bar-clear")?.addEventListener("click", () => chooseAll(false));
  const help = document.getElementById("show-keys");
  if (help) {
    help.hidden = false;
    help.addEventListener("click", () => document.getElementById("keys").showModal());
  }
}
