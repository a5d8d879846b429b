// The lens: the visible part of the world. Zooming and dragging act at once on the present frame; when they end, the page
// is notified, and sends frames of that part. Lengths are CSS pixels, places are fractions of the whole picture.

const CLOSEST = 40; // times the whole picture
const REST = 150; // milliseconds
const STILL = 5; // pixels that a finger may shake in a click
const FINGER = 14; // pixels that a click may miss by
const STEP = 1.5; // of a key

class Lens {
  constructor(stage, { moved, rested, clicked }) {
    Object.assign(this, { stage, moved, rested, clicked });
    this.base = { width: 1, height: 1 };
    this.zoom = 1;
    this.centre = { x: 0.5, y: 0.5 };
    this.fingers = new Map();
    const on = (name, act, options) => stage.addEventListener(name, act.bind(this), options);
    on("wheel", this.wheel, { passive: false });
    on("pointerdown", this.press);
    on("pointermove", this.drag);
    on("pointerup", this.release);
    on("pointercancel", this.release);
    on("click", this.click);
    on("dblclick", (event) => event.target.closest("button") || this.reset());
    on("keydown", this.key);
  }

  stop() {
    clearTimeout(this.timer);
  }

  // The size of the whole picture without zoom.
  fit(width, height) {
    this.base = { width, height };
    this.clamp();
  }

  // The position of the whole picture.
  get area() {
    const { clientWidth, clientHeight } = this.stage;
    const width = this.base.width * this.zoom, height = this.base.height * this.zoom;
    const left = clientWidth / 2 - this.centre.x * width, top = clientHeight / 2 - this.centre.y * height;
    return { left, top, width, height };
  }

  // The visible part: top, left, height, width.
  get view() {
    const { left, top, width, height } = this.area, { clientWidth, clientHeight } = this.stage;
    const [x0, x1] = [Math.max(0, -left / width), Math.min(1, (clientWidth - left) / width)];
    const [y0, y1] = [Math.max(0, -top / height), Math.min(1, (clientHeight - top) / height)];
    return [y0, x0, y1 - y0, x1 - x0].map((share) => Math.round(share * 1e4) / 1e4);
  }

  clamp() {
    const { clientWidth, clientHeight } = this.stage;
    const within = (at, share) => (share >= 1 ? 0.5 : Math.min(Math.max(at, share / 2), 1 - share / 2));
    this.centre.x = within(this.centre.x, clientWidth / (this.base.width * this.zoom));
    this.centre.y = within(this.centre.y, clientHeight / (this.base.height * this.zoom));
    this.stage.classList.toggle("near", this.zoom > 1);
  }

  turn() {
    this.clamp();
    this.moved();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rested(this.view), REST);
  }

  reset() {
    this.zoom = 1;
    this.turn();
  }

  // Zoom around a point of the stage, which stays in its place.
  enlarge(times, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const { left, top, width, height } = this.area;
    const fixed = { x: (x - left) / width, y: (y - top) / height };
    this.zoom = Math.min(Math.max(this.zoom * times, 1), CLOSEST);
    this.centre.x = fixed.x - (x - this.stage.clientWidth / 2) / (this.base.width * this.zoom);
    this.centre.y = fixed.y - (y - this.stage.clientHeight / 2) / (this.base.height * this.zoom);
    this.turn();
  }

  place(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  wheel(event) {
    if (event.deltaY > 0 && this.zoom === 1) return; // nothing to zoom out of: the page scrolls
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1, speed = event.ctrlKey ? 0.01 : 0.002; // a pinch on a pad has ctrl
    const { x, y } = this.place(event);
    this.enlarge(Math.exp(-Math.max(-250, Math.min(250, event.deltaY * lines)) * speed), x, y);
  }

  press(event) {
    if (event.button || event.target.closest("button")) return;
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
      this.centre.x -= dx / (this.base.width * this.zoom);
      this.centre.y -= dy / (this.base.height * this.zoom);
      this.turn();
    }
  }

  release(event) {
    this.fingers.delete(event.pointerId);
    if (!this.fingers.size) this.stage.classList.remove("held");
  }

  click(event) {
    if (this.travel > STILL || event.detail > 1 || event.target.closest("button")) return;
    const { left, top, width, height } = this.area, { x, y } = this.place(event);
    const [row, col] = [(y - top) / height, (x - left) / width];
    if (Math.min(row, col) >= 0 && Math.max(row, col) <= 1) this.clicked({ row, col, reach: FINGER / height });
  }

  key(event) {
    const times = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 }[event.key];
    if (times === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // these keys are the canvas's own
    if (times) this.enlarge(times);
    else this.reset();
  }
}
