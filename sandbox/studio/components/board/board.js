// A still picture of a world at tick 0, on which things are dragged, tiles painted, and cells picked: by pointer, finger
// and keyboard. Streamlit calls the exported function at every change; one Board lives as long as its element.
//
// It is sent {picture, rows, cols, tool: "move" | "paint" | "erase", ink, words: rows of numbers, names}, and tells one
// edit: {kind: "drag", cell, to}, {kind: "paint", cells}, {kind: "pick", cell}, {kind: "undo"}, {kind: "redo"}; a cell is
// [row, column]. `number` counts the edits, so that two equal ones are two.

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const SHARE = 0.62, LEAST = 280, MOST = 720; // of the window's height; CSS pixels
const SURELY = 2000; // ms after which what was refused is no longer shown as done
const boards = new WeakMap(); // by the element

export default function ({ data, parentElement, setTriggerValue }) {
  if (!boards.has(parentElement)) boards.set(parentElement, new Board(parentElement));
  const board = boards.get(parentElement);
  board.tell = (edit) => setTriggerValue("edit", edit);
  board.show(data);
  const call = (board.calls = (board.calls || 0) + 1);
  return () => {
    if (call !== board.calls) return; // a newer call has taken over
    board.stop();
    boards.delete(parentElement);
  };
}

class Board {
  constructor(root) {
    this.stage = root.querySelector(".stage");
    [this.picture, this.over, this.whole, this.said] = [".picture", ".over", ".whole", ".said"].map((name) => root.querySelector(name));
    this.cursor = null; // the cell of the keyboard
    this.held = null; // the cell that is dragged
    this.stroke = null; // the cells that are painted
    this.number = 0;
    const on = (name, act) => this.stage.addEventListener(name, act.bind(this), { capture: true });
    on("pointerdown", this.press); // before the lens, which moves the picture
    on("pointermove", this.drag);
    on("pointerup", this.drop);
    on("pointercancel", this.cancel);
    on("keydown", this.key);
    on("dblclick", (event) => event.stopImmediatePropagation()); // two quick strokes are not meant for the lens
    this.stage.addEventListener("blur", () => this.cancel());
    this.lens = new Lens(this.stage, { turned: () => this.arrange(), clicked: () => {}, chosen: () => {} });
    this.lens.eye = { zoom: 1, x: 0.5, y: 0.5, follow: false }; // its own: the player's stays as it is
    this.whole.onclick = () => this.lens.reset();
    this.picture.onload = () => this.fit();
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.stage.parentElement);
  }

  stop() {
    clearTimeout(this.timer);
    this.observer.disconnect();
  }

  show(data) {
    const other = !this.data || this.data.rows !== data.rows || this.data.cols !== data.cols;
    this.data = data;
    this.stage.classList.toggle("paint", data.tool !== "move");
    this.stage.setAttribute("aria-label", data.rows ? HELP[data.tool] : "The world. Nothing in it can be dragged.");
    [this.held, this.stroke] = [null, null];
    if (other) [this.cursor, this.lens.eye.zoom] = [null, 1];
    if (this.picture.src === data.picture) this.fit();
    else this.picture.src = data.picture;
    this.tellCell(this.cursor);
  }

  fit() {
    const { naturalWidth: wide, naturalHeight: tall } = this.picture, room = this.stage.clientWidth;
    if (!wide || !room) return;
    const high = Math.min(Math.max(window.innerHeight * SHARE, LEAST), MOST), scale = Math.min(room / wide, high / tall);
    this.stage.style.height = `${Math.max(LEAST, tall * scale)}px`;
    this.lens.fit(wide * scale, tall * scale);
    this.arrange();
  }

  arrange() {
    const { left, top, width, height } = this.lens.area;
    Object.assign(this.picture.style, { width: `${width}px`, height: `${height}px`, transform: `translate(${left}px, ${top}px)` });
    this.whole.hidden = this.lens.zoom === 1;
    this.whole.textContent = `${this.lens.zoom.toFixed(1)} ×`;
    this.mark();
  }

  // -- where ----------------------------------------------------------------------------------------------------------

  cellAt(event) {
    const { left, top, width, height } = this.lens.area, { x, y } = this.lens.place(event), { rows, cols } = this.data;
    const [row, col] = [Math.floor(((y - top) / height) * rows), Math.floor(((x - left) / width) * cols)];
    return rows && row >= 0 && col >= 0 && row < rows && col < cols ? [row, col] : null;
  }

  box([row, col]) {
    const { left, top, width, height } = this.lens.area, { rows, cols } = this.data;
    return [left + (col / cols) * width, top + (row / rows) * height, width / cols, height / rows];
  }

  mark() {
    const { clientWidth, clientHeight } = this.stage, ratio = window.devicePixelRatio || 1, pen = this.over.getContext("2d");
    [this.over.width, this.over.height] = [clientWidth * ratio, clientHeight * ratio];
    Object.assign(this.over.style, { width: `${clientWidth}px`, height: `${clientHeight}px` });
    pen.scale(ratio, ratio);
    const ring = (cell, colour) => {
      const [x, y, wide, tall] = this.box(cell);
      for (const [ink, thick] of [["#fff", 5], [colour, 2.5]]) {
        [pen.strokeStyle, pen.lineWidth] = [ink, thick];
        pen.strokeRect(x, y, wide, tall);
      }
    };
    for (const cell of this.stroke || []) {
      pen.fillStyle = this.data.tool === "erase" ? "rgba(255,255,255,.75)" : "rgba(0,114,178,.55)";
      pen.fillRect(...this.box(cell));
    }
    if (this.held) {
      ring(this.held, "#0072b2");
      if (this.to) {
        pen.fillStyle = "rgba(255,255,255,.6)";
        pen.fillRect(...this.box(this.held));
        const [x, y, wide, tall] = this.box(this.held), [u, v] = this.box(this.to), { naturalWidth, naturalHeight } = this.picture;
        const { rows, cols } = this.data, [row, col] = this.held, [w, h] = [naturalWidth / cols, naturalHeight / rows];
        pen.globalAlpha = 0.8; // the content of the cell, at its new place
        pen.drawImage(this.picture, col * w, row * h, w, h, u, v, wide, tall);
        pen.globalAlpha = 1;
        ring(this.to, "#d55e00");
      }
    } else if (this.cursor) ring(this.cursor, "#d55e00");
  }

  tellCell(cell) {
    const { words, names, rows } = this.data;
    if (!cell) return (this.said.textContent = "");
    const what = words?.[cell[0]]?.[cell[1]], from = this.held && rows ? ", dropping here" : "";
    this.said.textContent = `row ${cell[0]}, column ${cell[1]}: ${names?.[what] ?? ""}${from}`;
  }

  edit(kind, more = {}) {
    this.tell({ kind, ...more, number: Date.now() * 1000 + (this.number++ % 1000) });
  }

  // -- pointer --------------------------------------------------------------------------------------------------------

  press(event) {
    if (event.button || event.target.closest("button")) return;
    if (this.pointer !== undefined) return this.give(); // a second finger zooms
    const cell = this.cellAt(event);
    if (!cell) return;
    this.stage.focus({ preventScroll: true });
    event.stopImmediatePropagation();
    event.preventDefault();
    [this.pointer, this.first] = [event.pointerId, event];
    this.stage.setPointerCapture(event.pointerId);
    [this.cursor, this.to] = [cell, null];
    if (this.data.tool === "move") this.held = cell;
    else this.stroke = [cell];
    this.tellCell(cell);
    this.mark();
  }

  drag(event) {
    if (event.pointerId !== this.pointer) return;
    event.stopImmediatePropagation();
    const cell = this.cellAt(event);
    if (this.stroke && cell) this.stroke = [...this.stroke, ...line(this.stroke.at(-1), cell).filter((one) => !has(this.stroke, one))];
    if (this.held) this.to = cell && same(cell, this.held) ? null : cell;
    if (cell) this.tellCell(cell);
    this.mark();
  }

  drop(event) {
    if (event.pointerId !== this.pointer) return;
    event.stopImmediatePropagation();
    this.drag(event);
    this.pointer = undefined;
    this.finish();
  }

  finish() {
    const { held, to, stroke } = this;
    if (held && to) [this.cursor] = [to];
    if (held) this.edit(to ? "drag" : "pick", to ? { cell: held, to } : { cell: held });
    else if (stroke) this.edit("paint", { cells: stroke });
    if (!to && held) this.held = null;
    this.tellCell(this.cursor);
    this.mark();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pointer === undefined && this.cancel(), SURELY);
  }

  // The lens gets the gesture.
  give() {
    this.cancel();
    this.lens.press(this.first);
  }

  cancel() {
    [this.pointer, this.held, this.to, this.stroke] = [undefined, null, null, null];
    this.mark();
  }

  // -- keyboard -------------------------------------------------------------------------------------------------------

  key(event) {
    const { rows, cols, tool } = this.data, control = event.ctrlKey || event.metaKey, key = event.key;
    if (control && ["z", "y", "Z"].includes(key)) {
      this.edit(key === "z" ? "undo" : "redo");
    } else if (key === "Escape") this.cancel();
    else if (rows && (key === "Home" || key === "End")) this.jump(key === "Home", control);
    else if (!rows || control || event.altKey) return;
    else if (key in STEPS) this.step(STEPS[key], event.shiftKey);
    else if (key === "Enter" || key === " ") this.act(tool);
    else if (key === "Delete" || key === "Backspace") this.cursor && this.edit("erase", { cells: [this.cursor] });
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  step([down, right], far) {
    const { rows, cols } = this.data, [row, col] = this.cursor || [0, -right], size = far ? 5 : 1;
    const within = (at, end) => Math.min(Math.max(at, 0), end - 1);
    this.cursor = this.cursor ? [within(row + size * down, rows), within(col + size * right, cols)] : [0, 0];
    if (this.held) this.to = same(this.cursor, this.held) ? null : this.cursor;
    this.tellCell(this.cursor);
    this.mark();
  }

  // To the first or last cell of the row, with Control of all.
  jump(first, all) {
    const { rows, cols } = this.data, row = all ? (first ? 0 : rows - 1) : this.cursor?.[0] ?? 0;
    this.cursor = [row, first ? 0 : cols - 1];
    this.step([0, 0]);
  }

  act(tool) {
    if (!this.cursor) return;
    if (tool !== "move") return this.edit("paint", { cells: [this.cursor] });
    if (this.held) return this.finish();
    [this.held, this.to] = [this.cursor, null];
    this.tellCell(this.cursor);
    this.mark();
  }
}

const HELP = {
  move: "The world at tick 0. Arrows choose a cell, Enter takes what is there and puts it down, Delete removes it.",
  paint: "The world at tick 0. Arrows choose a cell, Enter paints it.",
  erase: "The world at tick 0. Arrows choose a cell, Enter removes what can be removed there.",
};

const same = (one, other) => one[0] === other[0] && one[1] === other[1];
const has = (cells, cell) => cells.some((one) => same(one, cell));

// The cells from one to another, without the first: a fast pointer leaves no gaps.
function line([row, col], [down, right]) {
  const far = Math.max(Math.abs(down - row), Math.abs(right - col));
  return Array.from({ length: far }, (_, k) => [row, col].map((at, n) => Math.round(at + (([down, right][n] - at) * (k + 1)) / far)));
}
