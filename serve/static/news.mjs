// New alarms, said once: a note in the corner that screen readers read out, and that goes by itself.
// In: the stream's alarm events. Called by the pages' parts. In a flood it says how many, not each.

import { on } from "./live.mjs";

const SHOWN_MS = 8000;
const EVERY_MS = 3000;
let waiting = [];
let quietUntil = 0;

export function note(text, status = "", address = "") {
  const element = document.createElement(address ? "a" : "p");
  if (address) element.href = address;
  if (status) element.className = `s-${status}`;
  element.textContent = text;
  document.getElementById("toasts").append(element);
  setTimeout(() => element.remove(), SHOWN_MS);
}

function tellWaiting() {
  if (!waiting.length) return;
  const [first, ...others] = waiting;
  waiting = [];
  quietUntil = performance.now() + EVERY_MS;
  const more = others.length ? ` (and ${others.length} more)` : "";
  note(`New alarm: ${first.text}${more}`, first.status, others.length ? "/alarms" : `/alarms/${encodeURIComponent(first.episode_id)}`);
}

export function announceAlarms() {
  on("alarm", (alarm) => {
    if (alarm.transition !== "opened" || alarm.parent) return;
    waiting.push(alarm);
    if (waiting.length === 1) setTimeout(tellWaiting, Math.max(200, quietUntil - performance.now()));
  });
}
