// What an operator does about alarms: the dialog, the request, and what came of it.
// In: buttons with data-act in something with data-episodes (ids with spaces between) or data-robot and data-component.
// Out: POST /api/v1/actions. Called by alarms.mjs and robot.mjs. Nothing is taken for done: a line says «sent» until
// the transition comes back by the stream.

import { moment, nowUs } from "./time.mjs";
import { on } from "./live.mjs";
import { note } from "./news.mjs";

const AT_ONCE = 500; // as the API takes them
const LATE_MS = 15000;
const NO_DIALOG = new Set(["unshelve", "in_service"]);
const WORDS = {
  acknowledge: ["Acknowledge", "acknowledgement"], shelve: ["Shelve", "shelving"], unshelve: ["Unshelve", "unshelving"],
  comment: ["Comment", "comment"], out_of_service: ["Take out of service", "taking out of service"],
  in_service: ["Put in service", "putting in service"],
};
const waiting = new Map(); // episode → {element, left}

const rowOf = (element) => element.closest("[data-episodes], [data-robot]");
export const episodesOf = (row) => (row.dataset.episodes ?? "").split(" ").filter(Boolean);

// Rows about components, not episodes, are sent one by one.
function requestsOf(rows, wanted) {
  const about = rows.filter((row) => row.dataset.robot).map((row) => ({ ...wanted, robot_id: row.dataset.robot, component: row.dataset.component }));
  const episodes = [...new Set(rows.flatMap(episodesOf))];
  for (let first = 0; first < episodes.length; first += AT_ONCE) {
    about.push({ ...wanted, episodes: episodes.slice(first, first + AT_ONCE) });
  }
  return about;
}

async function post(request) {
  const answer = await fetch("/api/v1/actions", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request),
  });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail ?? `the server answered ${answer.status}`);
  return content;
}

async function send(kind, rows, wanted) {
  try {
    const outcomes = await Promise.all(requestsOf(rows, { kind, ...wanted }).map(post));
    const refused = outcomes.flatMap((outcome) => outcome.refused);
    if (refused.length) note(`${refused.length} refused: ${refused[0].why}`, "CHECK_FUNCTION");
    const sent = outcomes.flatMap((outcome) => outcome.sent);
    if (sent.length) markSent(kind, rows, new Set(refused.map(({ episode_id: id }) => id)));
  } catch (error) {
    note(`Not sent: ${error.message}`, "FAILURE");
  }
}

function markSent(kind, rows, refused) {
  for (const row of rows) {
    const cell = row.querySelector(".state-cell");
    const awaited = episodesOf(row).filter((id) => !refused.has(id));
    if (!cell || !awaited.length) continue;
    cell.querySelector(".sent")?.remove();
    const mark = Object.assign(document.createElement("span"), { className: "sent", textContent: `${WORDS[kind][1]} sent` });
    cell.append(mark);
    const entry = { mark, left: awaited.length, kind };
    for (const id of awaited) waiting.set(id, entry);
    setTimeout(() => tellLate(entry), LATE_MS);
  }
  note(`${WORDS[kind][0]}: sent. The list changes when the pipeline has done it.`);
}

function tellLate(entry) {
  if (entry.left <= 0) return;
  entry.mark.classList.add("late");
  entry.mark.textContent = `${WORDS[entry.kind][1]} sent, no answer yet`;
}

// The transition came back: it is done.
function arrived({ episode_id: id, transition, actor }) {
  const entry = waiting.get(id);
  if (!entry || !actor) return;
  waiting.delete(id);
  entry.left -= 1;
  if (entry.left <= 0) entry.mark.className = "done";
  entry.mark.textContent = entry.left > 0 ? `${entry.left} still to come` : `${transition.replaceAll("_", " ")} by ${actor}`;
}

function setUntil(dialog) {
  const seconds = Number(dialog.querySelector("[name=for_s]").value);
  dialog.querySelector("#act-until").textContent = `until ${moment(new Date(nowUs() / 1000 + seconds * 1000))}`;
}

// Ask what there is to ask, then send. `rows`: elements with data-episodes or data-robot.
export function act(kind, rows) {
  if (!rows.length) return;
  if (NO_DIALOG.has(kind)) return void send(kind, rows, {});
  const dialog = document.getElementById("act");
  const form = dialog.querySelector("form");
  form.reset();
  const count = new Set(rows.flatMap(episodesOf)).size;
  dialog.querySelector("#act-title").textContent = titleOf(kind, count === 1 ? "this alarm" : `${count} alarms`);
  dialog.querySelector("#act-about").textContent = aboutOf(kind, rows, count);
  dialog.querySelector("#act-for").hidden = kind !== "shelve";
  form.elements.note.required = kind === "comment";
  dialog.querySelector("#act-send").textContent = WORDS[kind][0];
  setUntil(dialog);
  dialog.onclose = () => {
    if (dialog.returnValue !== "send") return;
    const wanted = { note: form.elements.note.value };
    if (kind === "shelve") wanted.for_s = Number(form.elements.for_s.value);
    send(kind, rows, wanted);
  };
  dialog.returnValue = "";
  dialog.showModal();
  form.elements.note.focus();
}

function titleOf(kind, alarms) {
  if (kind === "comment") return `Comment on ${alarms}`;
  return kind === "out_of_service" ? `Take the component of ${alarms} out of service` : `${WORDS[kind][0]} ${alarms}`;
}

function aboutOf(kind, rows, count) {
  const text = rows[0].querySelector(".sentence, h1")?.textContent.trim() ?? "";
  const more = rows.length > 1 ? ` and ${count - episodesOf(rows[0]).length} more` : "";
  const effect = kind === "out_of_service" ? " Its component calls nobody until it is put in service again." : "";
  return text + more + effect;
}

// `chosen()`: the rows that are chosen, for buttons that stand apart from them.
export function startActions(chosen = () => []) {
  on("alarm", arrived);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) act(button.dataset.act, rowOf(button) ? [rowOf(button)] : chosen());
    const close = event.target.closest("[data-close]");
    if (close) close.closest("dialog").close("");
  });
  document.getElementById("act")?.querySelector("[name=for_s]").addEventListener("change", () => setUntil(document.getElementById("act")));
}
