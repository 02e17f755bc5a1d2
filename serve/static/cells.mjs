// How the cells of the grid lie and look: pure of the network and of events.
// In: groups and how much room there is; the colours of the style sheet. Out: a layout; pictures of cells. Called by
// grid.mjs. Colour never alone: each status has a letter in large cells and a pattern in small ones.

const PITCHES = [26, 22, 19, 17, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4];
const LETTERS_FROM = 15;
const LABEL_WIDTH = 150;
const LABEL_HEIGHT = 19;
const BESIDE_FROM = 700; // wide enough for labels beside the cells
const GROUP_GAP = 8;
const LABELS_SHARE = 1.3; // where many labels make it high anyway, cells use the room beside them
export const MARKS = {
  FAILURE: ["--failure", "--on-failure", "F"], CHECK_FUNCTION: ["--check", "--on-check", "C"],
  OFF_SPEC: ["--spec", "--on-spec", "S"], MAINTENANCE_REQUIRED: ["--maintenance", "--on-maintenance", "M"],
  UNKNOWN: ["--unknown", "--on-unknown", "?"], NORMAL: ["--cell-normal", "--cell-normal", ""],
};

// Where each cell lies: the largest cells that fit into the height.
export function layOut(groups, width, height) {
  const beside = width >= BESIDE_FROM;
  const left = beside ? LABEL_WIDTH : 0;
  const tall = (pitch) => {
    const columns = Math.max(1, Math.floor((width - left) / pitch));
    return groups.reduce((sum, { count }) => sum + groupHeight(count, columns, pitch, beside), 0);
  };
  const room = Math.max(height, LABELS_SHARE * tall(PITCHES.at(-1)));
  const pitch = PITCHES.find((one) => tall(one) <= room) ?? PITCHES.at(-1);
  const columns = Math.max(1, Math.floor((width - left) / pitch));
  let top = 0;
  const blocks = groups.map(({ key, first, count }) => {
    const block = { key, first, count, top: top + (beside ? 0 : LABEL_HEIGHT), labelTop: top };
    top += groupHeight(count, columns, pitch, beside);
    return block;
  });
  return { pitch, columns, left, blocks, beside, height: Math.max(top - GROUP_GAP, LABEL_HEIGHT) };
}

function groupHeight(count, columns, pitch, beside) {
  const rows = Math.ceil(count / columns) * pitch;
  return (beside ? Math.max(rows, 2 * LABEL_HEIGHT) : rows + LABEL_HEIGHT) + GROUP_GAP;
}

export function blockOf(layout, cell) {
  return layout.blocks.find(({ first, count }) => cell < first + count);
}

export function placeOf(layout, cell, block = blockOf(layout, cell)) {
  const i = cell - block.first;
  return [layout.left + (i % layout.columns) * layout.pitch, block.top + Math.floor(i / layout.columns) * layout.pitch];
}

export function cellAt(layout, x, y) {
  const block = layout.blocks.findLast(({ top }) => y >= top);
  const column = Math.floor((x - layout.left) / layout.pitch);
  if (!block || column < 0 || column >= layout.columns) return -1;
  const i = Math.floor((y - block.top) / layout.pitch) * layout.columns + column;
  return i < block.count ? block.first + i : -1;
}

// The cell that an arrow key leads to.
export function step(layout, cell, key, last) {
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -layout.columns, ArrowDown: layout.columns };
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (key in moves && !key.endsWith("p") && !key.endsWith("n")) return Math.min(last, Math.max(0, cell + moves[key]));
  const number = layout.blocks.indexOf(blockOf(layout, cell));
  const block = layout.blocks[number];
  const next = layout.blocks[number + (key.endsWith("Down") ? 1 : -1)];
  const to = cell + (moves[key] ?? Infinity);
  if (to >= block.first && to < block.first + block.count) return to;
  if (!next) return cell;
  const column = (cell - block.first) % layout.columns;
  const lastRow = Math.floor((next.count - 1) / layout.columns) * layout.columns;
  const row = key === "ArrowUp" ? lastRow : 0;
  return next.first + Math.min(next.count - 1, row + column);
}

// A picture for each status, without and with an alarm that waits for somebody.
export function pictures(statuses, pitch, scale) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  return statuses.flatMap((status) => {
    const [fill, ink, letter] = MARKS[status];
    const look = { status, letter, fill: colour(fill), ink: colour(ink), ground: colour("--surface"), text: colour("--text") };
    return [false, true].map((calls) => picture(look, pitch, scale, calls));
  });
}

function picture(look, pitch, scale, calls) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(pitch * scale);
  const pen = canvas.getContext("2d");
  pen.scale(canvas.width / pitch, canvas.height / pitch);
  const gap = pitch >= 8 ? 1 : 0.5;
  const side = pitch - 2 * gap;
  pen.fillStyle = look.fill;
  pen.fillRect(gap, gap, side, side);
  pen.fillStyle = pen.strokeStyle = look.ink;
  if (look.letter && pitch >= LETTERS_FROM) {
    pen.font = `700 ${Math.round(pitch * 0.56)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(look.letter, pitch / 2, pitch / 2 + 0.5);
  } else {
    pattern(pen, look, gap, side);
  }
  if (calls) corner(pen, look, gap, side);
  return canvas;
}

// Small cells: a cross, a bar, a slope, a dot, a hole; NORMAL is plain.
function pattern(pen, look, gap, side) {
  const end = gap + side;
  const middle = gap + side / 2;
  pen.lineWidth = Math.max(1, side / 6);
  pen.beginPath();
  if (look.status === "FAILURE") {
    pen.moveTo(gap, gap); pen.lineTo(end, end); pen.moveTo(end, gap); pen.lineTo(gap, end); pen.stroke();
  } else if (look.status === "CHECK_FUNCTION") {
    pen.moveTo(gap, middle); pen.lineTo(end, middle); pen.stroke();
  } else if (look.status === "OFF_SPEC") {
    pen.moveTo(gap, end); pen.lineTo(end, gap); pen.stroke();
  } else if (look.status === "MAINTENANCE_REQUIRED") {
    pen.arc(middle, middle, side / 5, 0, 7); pen.fill();
  } else if (look.status === "UNKNOWN") {
    pen.fillStyle = look.ground;
    pen.fillRect(gap + side / 4, gap + side / 4, side / 2, side / 2);
  }
}

function corner(pen, look, gap, side) {
  const size = Math.max(3, side * 0.42);
  pen.fillStyle = look.text;
  pen.beginPath();
  pen.moveTo(gap + side - size, gap); pen.lineTo(gap + side, gap); pen.lineTo(gap + side, gap + size);
  pen.fill();
}
