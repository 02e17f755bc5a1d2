// Episodes of a robot as bars over the time that its charts show: from when until when, and by whom acknowledged.
// In: the JSON of /api/v1/robots/{code}/episodes and a stretch of time. Out: a list. Called by over-time.mjs.

import { age, moment, nowUs } from "./time.mjs";

const WIDTH = 1000;
const SHOWN_AT_MOST = 60;

export function drawTimeline(section, episodes, { start, end }) {
  const place = (iso) => WIDTH * Math.min(1, Math.max(0, (Date.parse(iso) / 1000 - start) / (end - start)));
  section.querySelector("#timeline-span").textContent = said(episodes.length);
  const body = section.querySelector(".body");
  if (!episodes.length) {
    body.replaceChildren(element("p", "quiet", "Nothing in this stretch of time."));
    return;
  }
  const words = JSON.parse(section.dataset.words);
  const list = element("ol", "bars");
  for (const episode of episodes.slice(-SHOWN_AT_MOST).reverse()) list.append(line(episode, place, words));
  const axis = element("li");
  const ends = element("div", "axis");
  ends.append(element("span", "", clock(start)), element("span", "", clock(end)));
  axis.append(ends);
  list.append(axis);
  body.replaceChildren(list);
}

function said(count) {
  const words = `${count} episode${count === 1 ? "" : "s"}`;
  return count > SHOWN_AT_MOST ? `${words}, the newest ${SHOWN_AT_MOST} are shown` : words;
}

function line(episode, place, words) {
  const item = element("li", `s-${episode.status}`);
  const text = element("div", "bar-text");
  const head = element("p", `status s-${episode.status}`, `${episode.component.replace("/", " ")}: ${words[episode.status]}`);
  text.append(head, element("p", "", episode.text), element("p", "quiet small", when(episode)));
  item.append(text, bar(episode, place));
  return item;
}

function when(episode) {
  const until = episode.cleared ? Date.parse(episode.cleared) * 1000 : nowUs();
  const held = age((until - Date.parse(episode.opened) * 1000) / 1e6);
  const ended = episode.cleared ? `cleared ${clock(Date.parse(episode.cleared) / 1000)}, after ${held}` : `holds for ${held}`;
  const seen = episode.acknowledged ? `acknowledged by ${episode.acknowledged_by} ${clock(Date.parse(episode.acknowledged) / 1000)}`
    : "acknowledged by nobody";
  return `${clock(Date.parse(episode.opened) / 1000)}, ${ended}; ${seen}`;
}

function bar(episode, place) {
  const from = place(episode.opened);
  const to = episode.cleared ? place(episode.cleared) : WIDTH;
  const made = svg("svg", { viewBox: `0 0 ${WIDTH} 16`, preserveAspectRatio: "none", "aria-hidden": "true" });
  made.append(svg("rect", { class: "track", x: 0, y: 6, width: WIDTH, height: 4 }));
  made.append(svg("rect", { class: "held", x: from, y: 3, width: Math.max(3, to - from), height: 10 }));
  if (episode.acknowledged) {
    const at = place(episode.acknowledged);
    made.append(svg("line", { class: "told", x1: at, x2: at, y1: 0, y2: 16 }));
  }
  return made;
}

const clock = (seconds) => moment(new Date(seconds * 1000));

function element(name, kind = "", text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

function svg(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
