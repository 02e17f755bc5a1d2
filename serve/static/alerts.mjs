// The alerts' page: tests, sending again, and each attempt of a delivery.
// In: templates/alerts.html. Out: POSTs, and tables of attempts. Loaded by page.mjs.

import { note } from "./news.mjs";
import { post } from "./post.mjs";
import { refreshOn, wantRefresh } from "./refresh.mjs";
import { moment } from "./time.mjs";

async function send(button) {
  button.disabled = true;
  const content = button.dataset.body ? JSON.parse(button.dataset.body) : undefined;
  const done = await post(button.dataset.post, content);
  button.disabled = false;
  if (!done) return;
  if (done.unknown) {
    note("Not done: it went in one message with what you may not see.", "FAILURE");
    return;
  }
  note(button.dataset.told);
  wantRefresh(1500, 0);
}

async function showAttempts(details) {
  const place = details.querySelector("div");
  const answer = await fetch(`/api/v1/deliveries/${details.dataset.attempts}/attempts`).catch(() => null);
  if (answer?.ok) place.replaceChildren(table(await answer.json()));
  else place.textContent = "The server does not answer.";
}

function table(attempts) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  for (const name of ["when", "took", "answer", "what it said"]) {
    head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: name }));
  }
  const body = made.createTBody();
  for (const attempt of attempts) {
    const row = body.insertRow();
    const took = attempt.duration_ms === null ? "under way, or cut off" : `${attempt.duration_ms} ms`;
    for (const text of [moment(new Date(attempt.time)), took, attempt.code ?? "none", attempt.error || attempt.answer]) {
      row.insertCell().textContent = text;
    }
  }
  return made;
}

export function start() {
  refreshOn("pipeline");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-post]");
    if (button) send(button);
  });
  const toggled = ({ target }) => { if (target.open && target.dataset.attempts) showAttempts(target); };
  document.addEventListener("toggle", toggled, true); // it does not bubble
}
