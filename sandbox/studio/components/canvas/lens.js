// The lens: the visible part of the world. Zooming and dragging act at once on the present frame; when they end, the page
// is notified, and sends frames of that part. Lengths are CSS pixels, places are fractions of the whole picture.
// All pictures of a page show the same part: `clock.eye`. If it follows an agent, that of each picture is in its middle.

const CLOSEST = 40; // times the whole picture
const STILL = 5; // pixels that a finger may shake in a click
const FINGER = 14; // pixels that a click may miss by
const STEP = 1.5; // of a key
const PAN = 0.2; // of the stage, by a key
const PAD = 2; // cells around the visible part, for an agent that moves on meanwhile
const KEYS = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 };
const ARROWS = { ArrowLeft: [-PAN, 0], ArrowRight: [PAN, 0], ArrowUp: [0, -PAN], ArrowDown: [0, PAN] };

class Lens {
  constructor(stage, { turned, clicked, chosen }) {
    Object.assign(this, { stage, turned, clicked, chosen });
    this.eye = clock.eye ??= { zoom: 1, x: 0.5, y: 0.5, follow: false };
    this.base = { width: 1, height: 1 };
    this.target = null; // the place of the followed agent
    this.fingers = new Map();
    const on = (name, act, options) => stage.addEventListener(name, act.bind(this), options);
    on("wheel", this.wheel, { passive: false });
    on("pointerdown", this.press);
    on("pointermove", this.drag);
    on("pointerup", this.release);
    on("pointercancel", this.release);
    on("click", this.click);
    on("dblclick", (event) => ours(event) || this.reset());
    on("keydown", this.key);
  }

  get zoom() {
    return this.eye.zoom;
  }

  get centre() {
    const { x, y } = (this.eye.follow && this.target) || this.eye, { clientWidth, clientHeight } = this.stage;
    const within = (at, share) => (share >= 1 ? 0.5 : Math.min(Math.max(at, share / 2), 1 - share / 2));
    const [wide, tall] = [clientWidth / (this.base.width * this.zoom), clientHeight / (this.base.height * this.zoom)];
    return { x: within(x, wide), y: within(y, tall) };
  }

  // The size of the whole picture without zoom.
  fit(width, height) {
    this.base = { width, height };
  }

  // The position of the whole picture.
  get area() {
    const { clientWidth, clientHeight } = this.stage, { x, y } = this.centre;
    const width = this.base.width * this.zoom, height = this.base.height * this.zoom;
    return { left: clientWidth / 2 - x * width, top: clientHeight / 2 - y * height, width, height };
  }

  // The visible part: top, left, height, width.
  get view() {
    const { left, top, width, height } = this.area, { clientWidth, clientHeight } = this.stage;
    const [x0, x1] = [Math.max(0, -left / width), Math.min(1, (clientWidth - left) / width)];
    const [y0, y1] = [Math.max(0, -top / height), Math.min(1, (clientHeight - top) / height)];
    return [y0, x0, y1 - y0, x1 - x0].map((share) => Math.round(share * 1e4) / 1e4);
  }

  // What the page is to send frames of: while an agent is followed, only its size counts.
  wanted(cells) {
    const [y, x, tall, wide] = this.view, follow = this.eye.follow && this.zoom > 1;
    if (!follow || !cells) return { part: this.view, follow: false };
    const size = [tall + (2 * PAD) / cells[0], wide + (2 * PAD) / cells[1]].map((side) => Math.min(1, side));
    return { part: [y, x, ...size], follow: true };
  }

  look(x, y) {
    Object.assign(this.eye, { x, y, follow: false });
    Object.assign(this.eye, this.centre); // within the picture
    this.turned();
  }

  follow(on, zoom = this.zoom) {
    if (!on) return this.look(this.centre.x, this.centre.y);
    Object.assign(this.eye, { follow: true, zoom: Math.min(Math.max(zoom, 1), CLOSEST) });
    this.turned();
  }

  reset() {
    this.eye.zoom = 1;
    this.look(0.5, 0.5);
  }

  // Zoom around a point of the stage, which stays in its place; around the agent that is followed.
  enlarge(times, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const { left, top, width, height } = this.area;
    const fixed = { x: (x - left) / width, y: (y - top) / height };
    this.eye.zoom = Math.min(Math.max(this.zoom * times, 1), CLOSEST);
    if (this.eye.follow) return this.turned();
    this.look(
      fixed.x - (x - this.stage.clientWidth / 2) / (this.base.width * this.zoom),
      fixed.y - (y - this.stage.clientHeight / 2) / (this.base.height * this.zoom)
    );
  }

  place(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  // The row and column of a point of the stage, as fractions of the whole picture.
  at({ x, y }) {
    const { left, top, width, height } = this.area;
    return { row: (y - top) / height, col: (x - left) / width };
  }

  wheel(event) {
    if (event.deltaY > 0 && this.zoom === 1) return; // nothing to zoom out of: the page scrolls
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1, speed = event.ctrlKey ? 0.01 : 0.002; // a pinch on a pad has ctrl
    const { x, y } = this.place(event);
    this.enlarge(Math.exp(-Math.max(-250, Math.min(250, event.deltaY * lines)) * speed), x, y);
  }

  press(event) {
    if (event.button || ours(event)) return;
    this.fingers.set(event.pointerId, this.place(event));
    if (this.fingers.size === 1) this.travel = 0;
  }

  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = this.place(event), others = [...this.fingers].filter(([id]) => id !== event.pointerId);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    this.travel += Math.abs(dx) + Math.abs(dy);
    this.fingers.set(event.pointerId, now);
    if (others.length) {
      const pivot = others[0][1], reach = (place) => Math.hypot(place.x - pivot.x, place.y - pivot.y);
      if (reach(before) > 1) this.enlarge(reach(now) / reach(before), pivot.x, pivot.y);
    } else if (this.zoom > 1 && this.travel > STILL) {
      this.stage.setPointerCapture(event.pointerId);
      this.stage.classList.add("held");
      this.pan(-dx, -dy);
    }
  }

  // Move the visible part, by pixels; an agent that was followed is let go.
  pan(dx, dy) {
    const { x, y } = this.centre;
    this.look(x + dx / (this.base.width * this.zoom), y + dy / (this.base.height * this.zoom));
  }

  release(event) {
    this.fingers.delete(event.pointerId);
    if (!this.fingers.size) this.stage.classList.remove("held");
  }

  click(event) {
    if (this.travel > STILL || event.detail > 1 || ours(event)) return;
    const { row, col } = this.at(this.place(event));
    if (Math.min(row, col) >= 0 && Math.max(row, col) <= 1) this.clicked({ row, col, reach: FINGER / this.area.height });
  }

  key(event) {
    const { key, shiftKey } = event, arrow = shiftKey && ARROWS[key], choice = key.toLowerCase() === "n";
    const known = key in KEYS || arrow || choice || key.toLowerCase() === "f";
    if (!known || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // these keys are the canvas's own
    if (choice) this.chosen(shiftKey ? -1 : 1);
    else if (arrow) this.pan(arrow[0] * this.stage.clientWidth, arrow[1] * this.stage.clientHeight);
    else if (KEYS[key]) this.enlarge(KEYS[key]);
    else if (key in KEYS) this.reset();
    else this.chosen(0);
  }
}

// Whether an event is one of a button or of the map in the stage.
function ours(event) {
  return event.target.closest("button, .map");
}
