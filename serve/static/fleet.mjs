// The fleet page: the grid, the list that follows what happens, and the filters' form.
// In: templates/fleet.html. Called by page.mjs.

import { Grid } from "./grid.mjs";
import { refreshOn } from "./refresh.mjs";
import { announceAlarms } from "./news.mjs";

// Empty fields would only make the address longer.
function tidyForm(form) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (!field.value) field.disabled = true;
  });
  addEventListener("pageshow", () => { for (const field of form.elements) field.disabled = false; });
}

export function startFilters() {
  const form = document.querySelector("form[data-filters]");
  if (!form) return;
  tidyForm(form);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    form.closest("details").open = true;
    form.elements.text.focus();
  });
}

export function start() {
  startFilters();
  announceAlarms();
  refreshOn("status", "alarm");
  const canvas = document.getElementById("grid");
  if (!canvas) return;
  new Grid(canvas, document.getElementById("readout"), document.getElementById("spoken")).load();
}
