// The one script of the page: what every page does, and then the part that its name asks for.
// In: the document. Loaded by templates/base.html; each part exports `start()`.

import { startTime } from "./time.mjs";
import { connect } from "./live.mjs";

const PARTS = {
  fleet: () => import("./fleet.mjs"),
  alarms: () => import("./alarms.mjs"),
  robot: () => import("./robot.mjs"),
  pipeline: () => import("./pipeline.mjs"),
  alerts: () => import("./alerts.mjs"),
  export: () => import("./export.mjs"),
};

async function logOut(event) {
  event.preventDefault();
  await fetch("/logout", { method: "POST" });
  location.assign("/login");
}

async function start() {
  startTime();
  document.getElementById("logout")?.addEventListener("submit", logOut);
  if (document.getElementById("live")) connect();
  const part = PARTS[document.documentElement.dataset.page];
  if (part) (await part()).start();
  document.documentElement.dataset.started = "yes"; // keys and clicks are answered from now on
}

start();
