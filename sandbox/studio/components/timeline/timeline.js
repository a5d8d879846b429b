// A timeline for seeking: by pointer, by arrow keys, by a click on an event.
// Streamlit calls the exported function whenever the data changes; one Line lives as long as its element.

const EVERY = 150; // ms between two requests while the knob is dragged
const PATIENCE = 1500; // ms that the knob keeps its place until the page has followed
const lines = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let line = lines.get(parentElement);
  if (!line) lines.set(parentElement, (line = new Line(parentElement)));
  line.ask = (tick) => setTriggerValue("seek", tick);
  line.show(data);
}

class Line {
  constructor(root) {
    this.root = root.querySelector(".line");
    [this.track, this.known, this.marks, this.knob] = [".track", ".known", ".marks", ".knob"].map((name) =>
      root.querySelector(name)
    );
    this.output = root.querySelector("output");
    this.held = this.asked = 0;
    this.root.addEventListener("pointerdown", (event) => this.grab(event));
    this.root.addEventListener("pointermove", (event) => this.dragging && this.aim(event, false));
    this.root.addEventListener("pointerup", (event) => this.dragging && this.drop(event));
    this.root.addEventListener("pointercancel", () => (this.dragging = false));
    this.root.addEventListener("keydown", (event) => this.press(event));
  }

  show(data) {
    this.data = data;
    this.known.style.width = this.share(data.head);
    if (!this.dragging && (performance.now() > this.held || data.tick === this.tick)) this.place(data.tick);
    const drawn = JSON.stringify([data.marks, data.span]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.marks.replaceChildren(...data.marks.map((mark) => this.mark(mark)));
  }

  mark({ tick, kind, text }) {
    const element = document.createElement("div");
    element.className = `mark ${kind}`;
    element.style.left = this.share(tick);
    element.title = `${tick}: ${text}`;
    return element;
  }

  share(tick) {
    return `${(100 * Math.min(tick, this.data.span)) / this.data.span}%`;
  }

  place(tick) {
    this.tick = tick;
    this.knob.style.left = this.share(tick);
    const known = this.data.live && tick === this.data.head ? "live" : `of ${this.data.head.toLocaleString("en")}`;
    this.output.textContent = `${tick.toLocaleString("en")} ${known}`;
    this.root.setAttribute("aria-valuenow", tick);
    this.root.setAttribute("aria-valuemax", this.data.head);
    this.root.setAttribute("aria-valuetext", `tick ${this.output.textContent}`);
  }

  grab(event) {
    this.dragging = true;
    this.root.setPointerCapture(event.pointerId);
    this.aim(event, true);
  }

  drop(event) {
    this.aim(event, true);
    this.dragging = false;
  }

  aim(event, now) {
    const { left, width } = this.track.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - left) / width, 0), 1);
    this.seek(Math.round(share * this.data.span), now);
  }

  seek(tick, now) {
    const to = Math.min(Math.max(tick, 0), this.data.head);
    if (to !== this.tick || now) this.place(to);
    this.held = performance.now() + PATIENCE;
    if (!now && performance.now() - this.asked < EVERY) return;
    this.asked = performance.now();
    this.ask(to);
  }

  press(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    this.seek(this.tick + steps[event.key], true);
  }
}
