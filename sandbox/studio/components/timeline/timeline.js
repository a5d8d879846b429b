// A timeline for seeking: by pointer, by arrow keys, by a click on an event. It shows the tick of the picture.
// Streamlit calls the exported function whenever the data changes; one Line lives as long as its element.

const EVERY = 150; // ms between two requests while the knob is dragged
const PATIENCE = 1500; // ms for which the place that was asked for is marked
const SHORTEST = 40; // ticks that the line spans at least

export default function ({ data, parentElement, setTriggerValue }) {
  const [line, left] = clock.mount(parentElement, () => new Line(parentElement));
  line.ask = (tick) => setTriggerValue("seek", tick);
  line.show(data);
  return left;
}

class Line {
  constructor(root) {
    this.root = root.querySelector(".line");
    [this.track, this.known, this.marks, this.knob, this.aimed] = [".track", ".known", ".marks", ".knob", ".aim"].map(
      (name) => root.querySelector(name)
    );
    this.output = root.querySelector("output");
    this.asked = 0;
    this.tick = 0; // that is shown
    this.to = null; // that was asked for, and is not shown yet
    this.root.addEventListener("pointerdown", (event) => this.grab(event));
    this.root.addEventListener("pointermove", (event) => this.dragging && this.aim(event, false));
    this.root.addEventListener("pointerup", (event) => this.dragging && this.drop(event));
    this.root.addEventListener("pointercancel", () => (this.dragging = false));
    this.root.addEventListener("keydown", (event) => this.press(event));
  }

  show(marks) {
    this.all = marks;
    this.tell(clock.moment);
  }

  // Draw the moment that is shown, and the marks up to the last tick that is known.
  tell(moment) {
    this.root.style.visibility = moment ? "visible" : "hidden";
    if (!moment) return;
    const { tick, head, live } = moment.line;
    this.data = { head, live, span: Math.max(SHORTEST, head) };
    this.known.style.width = this.share(head);
    this.place(tick);
    if (tick === this.to || performance.now() > this.asked + PATIENCE) this.aimAt(null);
    const marks = (this.all || []).filter((mark) => mark.tick <= head), drawn = JSON.stringify([marks, this.data.span]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.marks.replaceChildren(...marks.map((mark) => this.mark(mark)));
  }

  // Where the pointer is: a mark of its own, since the knob shows the tick of the picture.
  aimAt(tick) {
    this.to = this.dragging ? (tick ?? this.to) : tick;
    this.aimed.hidden = this.to === null || this.to === this.tick;
    if (this.to !== null) this.aimed.style.left = this.share(this.to);
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
    this.aimAt(to);
    if (!now && performance.now() - this.asked < EVERY) return;
    this.asked = performance.now();
    this.ask(to);
  }

  press(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    this.seek((this.to ?? this.tick) + steps[event.key], true);
  }
}
