// The whole fleet as one canvas, a cell a robot.
// In: /api/v1/grid with the page's filters, and the stream's status events. Called by fleet.mjs.
// Drawing is done in pieces, so that ten thousand cells hold up nothing else.

import { MARKS, blockOf, cellAt, layOut, pictures, placeOf, step } from "./cells.mjs";
import { on } from "./live.mjs";

const CODE = 29;
const CELLS_A_PIECE = 250;
const PIECE_MS = 8; // of a frame's 16
const HEIGHT_SHARE = 0.45; // of the window
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];
const NAMES = {
  FAILURE: "Failure", CHECK_FUNCTION: "Check function", OFF_SPEC: "Out of spec", MAINTENANCE_REQUIRED: "Maintenance",
  UNKNOWN: "Unknown", NORMAL: "Normal",
};

export class Grid {
  constructor(canvas, readout, spoken) {
    Object.assign(this, { canvas, readout, spoken, count: 0, cursor: -1, next: 0, painting: 0, dirty: new Set(), loading: false, missed: [] });
    this.pen = canvas.getContext("2d");
    this.ring = Object.assign(document.createElement("div"), { className: "ring", hidden: true });
    canvas.after(this.ring);
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.move(-1));
    canvas.addEventListener("click", (event) => this.click(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.move(-1));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.lay());
    new ResizeObserver(() => this.lay()).observe(canvas.parentElement);
    on("hello", ({ epoch }) => { if (this.epoch && epoch !== this.epoch) this.load(); });
    on("reset", () => this.load());
    on("status", (changed) => {
      if (this.loading) this.missed.push(changed);
      this.update(changed);
    });
  }

  async load() {
    if (this.loading) return;
    this.loading = true;
    this.missed = [];
    try {
      const answer = await fetch(`/api/v1/grid?${wanted(this.canvas.dataset.groupBy)}`);
      if (answer.ok) this.take(await answer.json());
    } catch {
      setTimeout(() => this.load(), 3000); // the banner says why
    } finally {
      this.loading = false;
    }
  }

  take(grid) {
    this.epoch = grid.epoch;
    this.statuses = grid.statuses;
    this.codes = grid.codes;
    this.groups = grid.groups;
    this.count = grid.status.length;
    this.status = Uint8Array.from(grid.status, Number);
    this.zone = [...grid.zone];
    this.calls = Uint8Array.from(grid.unacknowledged, Number);
    this.cellOf = new Map(grid.index.map((number, cell) => [number, cell]));
    this.lay();
    for (const changed of this.missed) this.update(changed); // what came while it was on its way
  }

  code(cell) {
    return this.codes.slice(cell * CODE, (cell + 1) * CODE);
  }

  // Room for every group, and all of it drawn.
  lay() {
    const width = this.canvas.clientWidth;
    if (!this.groups || !width) return;
    this.layout = layOut(this.groups, width, Math.max(160, innerHeight * HEIGHT_SHARE));
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(this.layout.height * scale);
    this.canvas.style.height = `${this.layout.height}px`;
    this.pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.pictures = pictures(this.statuses, this.layout.pitch, scale);
    this.labels();
    this.draw();
  }

  labels() {
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.pen.textBaseline = "top";
    for (const { key, count, labelTop } of this.layout.blocks) {
      const name = shown(key);
      this.pen.fillStyle = colour("--text");
      this.pen.font = "600 12px system-ui, sans-serif";
      const room = this.layout.beside ? this.layout.left - 12 : this.canvas.clientWidth - 70;
      this.pen.fillText(fitted(this.pen, name, room), 0, labelTop + 2);
      const at = this.layout.beside ? [0, labelTop + 18] : [this.pen.measureText(fitted(this.pen, name, room)).width + 8, labelTop + 2];
      this.pen.fillStyle = colour("--quiet");
      this.pen.font = "400 12px system-ui, sans-serif";
      this.pen.fillText(count.toLocaleString("en").replaceAll(",", "\u202f"), ...at);
    }
  }

  draw() {
    this.next = 0;
    this.dirty.clear();
    this.paintSoon();
  }

  paintSoon() {
    this.painting ||= requestAnimationFrame(() => this.paint());
  }

  // First all cells, in their order, then those that have changed; each frame as many as its time allows.
  paint() {
    this.painting = 0;
    const until = performance.now() + PIECE_MS;
    const more = () => performance.now() < until;
    while (this.next < this.count && more()) {
      const end = Math.min(this.count, this.next + CELLS_A_PIECE);
      while (this.next < end) this.drawCell(this.next++);
      if (this.next === this.count) this.drawn();
    }
    let piece = 0;
    for (const cell of this.dirty) {
      if (this.next < this.count || (piece++ % CELLS_A_PIECE === 0 && !more())) break;
      this.dirty.delete(cell);
      this.drawCell(cell);
    }
    if (this.next < this.count || this.dirty.size) this.paintSoon();
  }

  // Tests and `robovitals bench page` wait for this.
  drawn() {
    if (!this.canvas.dataset.drawn) performance.mark("robovitals:ready");
    this.canvas.dataset.drawn = String(this.count);
  }

  drawCell(cell, block) {
    const [x, y] = placeOf(this.layout, cell, block);
    const { pitch } = this.layout;
    this.pen.clearRect(x, y, pitch, pitch);
    this.pen.drawImage(this.pictures[2 * this.status[cell] + (this.calls[cell] ? 1 : 0)], x, y, pitch, pitch);
  }

  update({ index, status, zone, unacknowledged }) {
    if (!this.groups) return;
    let unknown = false;
    index.forEach((number, i) => {
      const cell = this.cellOf.get(number);
      if (cell === undefined) return void (unknown = true);
      this.status[cell] = Number(status[i]);
      this.zone[cell] = zone[i];
      this.calls[cell] = Math.min(9, unacknowledged[i]);
      this.dirty.add(cell);
      if (cell === this.cursor) this.tell(false);
    });
    this.paintSoon();
    if (unknown && !location.search) this.loadSoon(); // a robot that came after the grid
  }

  loadSoon() {
    this.soon ??= setTimeout(() => { this.soon = null; this.load(); }, 5000);
  }

  point(event) {
    if (this.layout && event.pointerType === "mouse") this.move(cellAt(this.layout, event.offsetX, event.offsetY));
  }

  click(event) {
    if (!this.layout) return;
    const cell = cellAt(this.layout, event.offsetX, event.offsetY);
    if (cell < 0) return;
    if (event.pointerType === "mouse") this.open(cell);
    else this.move(cell); // a tap shows which it is, with a link
  }

  key(event) {
    if (!this.count || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && this.cursor >= 0) return this.open(this.cursor);
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    this.move(this.cursor < 0 ? 0 : step(this.layout, this.cursor, event.key, this.count - 1), true);
  }

  open(cell) {
    location.assign(`/robots/${this.code(cell)}`);
  }

  move(cell, aloud = false) {
    if (cell === this.cursor) return;
    this.cursor = cell;
    this.ring.hidden = cell < 0;
    if (cell < 0) return;
    const [x, y] = placeOf(this.layout, cell);
    Object.assign(this.ring.style, {
      left: `${this.canvas.offsetLeft + x}px`, top: `${this.canvas.offsetTop + y}px`,
      width: `${this.layout.pitch}px`, height: `${this.layout.pitch}px`,
    });
    this.tell(aloud);
  }

  // Which robot the cursor is on.
  tell(aloud) {
    const cell = this.cursor;
    const code = this.code(cell);
    const name = this.statuses[this.status[cell]];
    const link = Object.assign(document.createElement("a"), { href: `/robots/${code}`, className: "mono" });
    link.textContent = `${code.slice(0, 2)}-${code.slice(2, 6)}-${code.slice(6, 12)}-${code.slice(12)}`;
    const status = Object.assign(document.createElement("span"), { className: `status s-${name}` });
    const mark = document.createElement("b");
    mark.textContent = MARKS[name][2] || "N";
    status.append(mark, NAMES[name]);
    const zone = this.zone[cell] === "-" ? "zone unknown" : `zone ${this.zone[cell]}`;
    const calls = this.calls[cell] ? `, ${this.calls[cell]}${this.calls[cell] === 9 ? " or more" : ""} waiting` : "";
    this.readout.replaceChildren(link, " ", status, ` ${zone}${calls}`);
    if (aloud) this.spoken.textContent = `${shown(blockOf(this.layout, cell).key)}, ${link.textContent.slice(-6)}, ${NAMES[name]}, ${zone}${calls}`;
  }
}

// The filters of the page's address, for the API.
function wanted(groupBy) {
  const query = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (value && ["status", "model", "maker", "site", "software", "scenario", "component", "text"].includes(name)) query.append(name, value);
  }
  query.set("group_by", groupBy);
  return query;
}

// A model's or a maker's key is the beginning of codes.
function shown(key) {
  if (/^[A-Z]{2}[0-9A-Z]{10}$/.test(key)) return `${key.slice(0, 2)}-${key.slice(2, 6)}-${key.slice(6)}`;
  if (/^[A-Z]{2}[0-9A-Z]{4}$/.test(key)) return `${key.slice(0, 2)}-${key.slice(2)}`;
  return NAMES[key] ?? (key || "not told");
}

function fitted(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  while (text && pen.measureText(`${text}…`).width > room) text = text.slice(0, -1);
  return `${text}…`;
}
