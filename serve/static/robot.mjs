// The robot's page: what is drawn again while somebody looks, and the charts that the address asks for.
// In: the document of robot.html, the live stream. Out: a page that is up to date. Loaded by page.mjs.

import { startActions } from "./actions.mjs";
import { on } from "./live.mjs";
import { listen, showCharts } from "./over-time.mjs";
import { refreshOn, wantRefresh } from "./refresh.mjs";

export function start() {
  const { code } = document.getElementById("now").dataset;
  refreshOn("pipeline"); // its values change all the time
  on("alarm", (alarm) => { if (alarm.robot_id === code) wantRefresh(); });
  for (const kind of ["back", "reset"]) on(kind, () => showCharts(code));
  startActions();
  listen(code);
  showCharts(code);
}
