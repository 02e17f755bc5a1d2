// One change asked of the server, and what it says when it refuses.
// In: an address and what to send. Out: the answer, or null after a note. Called by pipeline.mjs, alerts.mjs and export.mjs.

import { note } from "./news.mjs";

export async function post(address, content, method = "POST") {
  const body = content === undefined ? undefined : JSON.stringify(content);
  const headers = body ? { "Content-Type": "application/json" } : {};
  const answer = await fetch(address, { method, headers, body }).catch(() => null);
  if (answer?.ok) return answer.json();
  const problem = await answer?.json().catch(() => null);
  note(`Not done: ${problem?.detail ?? "the server does not answer"}`, "FAILURE");
  return null;
}
