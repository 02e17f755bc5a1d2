// The pipeline's page: figures drawn again every few seconds, and rejects sent again.
// In: templates/pipeline.html. Out: POST /api/v1/rejects/redrive. Loaded by page.mjs.

import { note } from "./news.mjs";
import { post } from "./post.mjs";
import { refreshOn } from "./refresh.mjs";

const boxes = () => [...document.querySelectorAll("#redrive .rejects input:not(:disabled)")];

async function sendAgain(event) {
  event.preventDefault();
  const chosen = boxes().filter((box) => box.checked);
  if (!chosen.length) return note("Choose the records that are to be sent again.");
  const places = chosen.map(({ dataset }) => ({ partition: Number(dataset.partition), record_offset: Number(dataset.offset) }));
  const done = await post("/api/v1/rejects/redrive", { places });
  if (!done) return;
  note(`${done.sent} sent again${done.unknown ? `, ${done.unknown} are no rejects any more` : ""}. What comes of them shows within seconds.`);
  for (const box of chosen) {
    box.checked = false;
    box.closest("li").classList.add("sent");
  }
}

export function start() {
  refreshOn("pipeline");
  document.getElementById("redrive")?.addEventListener("submit", sendAgain);
  document.getElementById("all-rejects")?.addEventListener("change", (event) => {
    for (const box of boxes()) box.checked = event.target.checked;
  });
}
