// Times: by the server's clock, in the zone that the reader chose, ages that count on.
// In: <time class="when|ago" datetime="…Z">. Out: their text. Called by page.mjs; `dress` by whoever adds such elements.

const CHOICE = "robovitals-time-zone";
let aheadUs = 0; // how far the server's clock is ahead of this one
let zone = "UTC";
let format = null;

export const nowUs = () => Date.now() * 1000 + aheadUs;
export const setNow = (us) => { aheadUs = us - Date.now() * 1000; };

const UNITS = [["d", 86400, "h", 3600], ["h", 3600, "m", 60], ["m", 60, "s", 1]];

// As serve/words.py says it, in whole seconds.
export function age(seconds) {
  const whole = Math.round(Math.abs(seconds));
  for (const [unit, size, smaller, part] of UNITS) {
    if (whole >= size) return `${Math.floor(whole / size)} ${unit} ${Math.floor((whole % size) / part)} ${smaller}`;
  }
  return `${whole} s`;
}

export function since(us) {
  const seconds = (nowUs() - us) / 1e6;
  return seconds > -2 ? age(Math.max(0, seconds)) : `${age(seconds)} ahead`;
}

// `2026-11-24 12:31:05` in the reader's zone, with the zone's short name.
export function moment(date) {
  const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second} ${part.timeZoneName}`;
}

export const chosenZone = () => zone;

function choose(name) {
  zone = name;
  format = new Intl.DateTimeFormat("en-GB", {
    timeZone: name, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    second: "2-digit", hourCycle: "h23", timeZoneName: "short",
  });
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Write the times of a part of the document anew.
export function dress(root = document) {
  for (const element of root.querySelectorAll("time.when")) {
    setText(element, moment(new Date(element.dateTime)));
  }
  for (const element of root.querySelectorAll("time.ago")) {
    const date = new Date(element.dateTime);
    setText(element, since(date.getTime() * 1000));
    element.title = moment(date);
  }
}

function tick() {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("time.ago")) {
    setText(element, since(Date.parse(element.dateTime) * 1000));
  }
}

function offerZones(select) {
  const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (local !== "UTC") select.add(new Option(`Local (${local})`, local));
  select.value = [...select.options].some((option) => option.value === zone) ? zone : "UTC";
  select.addEventListener("change", () => {
    localStorage.setItem(CHOICE, select.value);
    choose(select.value);
    dress();
    document.dispatchEvent(new CustomEvent("zonechange", { detail: zone }));
  });
}

function remembered() {
  try {
    choose(localStorage.getItem(CHOICE) ?? "UTC");
  } catch {
    choose("UTC"); // a zone that this browser does not know
  }
}

export function startTime() {
  setNow(Number(document.documentElement.dataset.nowUs));
  remembered();
  const select = document.getElementById("time-zone");
  if (select) offerZones(select);
  dress();
  setInterval(tick, 1000);
}
