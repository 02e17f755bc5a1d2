// The stream of what happens: one connection a page, and the banner that says how fresh the page is.
// In: /api/v1/stream (SSE). Out: calls of whoever asked with `on(kind, handler)`. Called by page.mjs and the parts.
// Kinds: hello, status, alarm, pipeline, reset, and `back`: the connection was lost, and is there again.

import { age, nowUs, setNow } from "./time.mjs";

const ADDRESS = "/api/v1/stream";
const KINDS = ["hello", "status", "alarm", "pipeline", "reset"];
const DELAYED_FROM_S = 5;
const SILENT_AFTER_MS = 6000;
const RETRY_FROM_MS = 1000;
const RETRY_AT_MOST_MS = 15000;

const handlers = new Map();
let source = null;
let heardMs = performance.now();
let heardAnything = false;
let wasLost = false;
let lostSinceUs = 0;
let delayS = 0;
let trouble = "";
let lastId = "";
let retryMs = RETRY_FROM_MS;
let retrying = null;
let sessionOver = false;

export function on(kind, handler) {
  handlers.set(kind, [...(handlers.get(kind) ?? []), handler]);
}

function tell(kind, content) {
  for (const handler of handlers.get(kind) ?? []) handler(content);
}

function hear(kind, event) {
  heardMs = performance.now();
  heardAnything = true;
  retryMs = RETRY_FROM_MS;
  const content = event.data ? JSON.parse(event.data) : {};
  if (content.now_us) setNow(content.now_us);
  if (event.lastEventId) lastId = event.lastEventId;
  if (kind === "pipeline") [delayS, trouble] = [content.delay_s, content.trouble];
  if (wasLost) {
    wasLost = false;
    tell("back", {});
  }
  tell(kind, content);
  show();
}

function open() {
  retrying = null;
  source?.close();
  source = new EventSource(lastId ? `${ADDRESS}?since=${encodeURIComponent(lastId)}` : ADDRESS);
  for (const kind of KINDS) source.addEventListener(kind, (event) => hear(kind, event));
  source.addEventListener("error", lost);
}

// The browser connects again by itself, unless the server refused; then we ask why, and try again later.
async function lost() {
  if (source.readyState !== EventSource.CLOSED || retrying) return;
  retrying = setTimeout(open, retryMs);
  retryMs = Math.min(2 * retryMs, RETRY_AT_MOST_MS);
  const answer = await fetch("/api/v1/me").catch(() => null);
  if (answer?.status === 401) {
    clearTimeout(retrying);
    sessionOver = true;
    show();
  }
}

function state() {
  if (performance.now() - heardMs > SILENT_AFTER_MS) return "disconnected";
  if (!heardAnything) return "off";
  return delayS >= DELAYED_FROM_S ? "delayed" : "live";
}

function banner(kind, text) {
  const element = document.getElementById("banner");
  if (element.textContent !== text) element.textContent = text;
  element.dataset.state = kind;
  element.hidden = !text;
}

// What the pill in the head and the banner say. Ages are in the pill only: a banner that counts is read out each second.
function show() {
  const now = state();
  const pill = document.getElementById("live");
  if (now === "disconnected" && !wasLost) {
    wasLost = true;
    lostSinceUs = nowUs() - (performance.now() - heardMs) * 1000;
  }
  const words = {
    off: "connecting",
    live: "live",
    delayed: `delayed ${age(delayS)}`,
    disconnected: `disconnected ${age((nowUs() - lostSinceUs) / 1e6)}`,
  };
  pill.dataset.state = now;
  const text = pill.querySelector("span");
  if (text.textContent !== words[now]) text.textContent = words[now];
  if (sessionOver) {
    banner("disconnected", "Your session is over: log in again to go on.");
  } else if (now === "disconnected") {
    banner(now, "Disconnected: what you see is as it was when the connection was lost. It is being tried again.");
  } else if (now === "delayed") {
    banner(now, `The pipeline is behind: robots may be further than this page shows. ${trouble}`.trim());
  } else if (trouble) {
    banner("delayed", `Not all of the pipeline is well: ${trouble}`);
  } else {
    banner(now, "");
  }
}

export function connect() {
  open();
  setInterval(show, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) show(); });
}
