// A curve drawn by hand over evenly spaced places, and the measured curve that is laid over it.
// Streamlit calls the exported function at every change; one Sketch lives as long as its element.

const HIGH = 280, LEFT = 52, RIGHT = 14, TOP = 26, LOW = 44; // pixels: the height, and the margins
const LATER = 400; // ms after the last key until the drawing is sent
const STEPS = 40; // of the range, by an arrow key

export default function ({ data, parentElement, setStateValue }) {
  const [sketch, left] = clock.mount(parentElement, () => new Sketch(parentElement));
  sketch.send = (drawn) => setStateValue("drawn", drawn);
  sketch.show(data);
  return left;
}

class Sketch {
  constructor(root) {
    [this.box, this.hint, this.keys] = [".sketch", ".hint", ".key"].map((name) => root.querySelector(name));
    this.svg = this.box.querySelector("svg");
    this.at = 0; // the place that keys change
    this.observer = new ResizeObserver(() => this.data && this.draw());
    this.observer.observe(this.box);
    this.box.addEventListener("pointerdown", (event) => this.grab(event));
    this.box.addEventListener("pointermove", (event) => this.last !== undefined && this.move(event));
    for (const name of ["pointerup", "pointercancel"]) this.box.addEventListener(name, () => this.drop());
    this.box.addEventListener("keydown", (event) => this.press(event));
  }

  tell() {} // it shows no tick

  stop() {
    this.observer.disconnect();
    clearTimeout(this.timer);
  }

  show(data) {
    const same = this.data && JSON.stringify(this.data.paper) === JSON.stringify(data.paper);
    if (!same || !data.open) [this.drawn, this.at] = [[...data.drawn], Math.min(this.at, data.drawn.length - 1)];
    this.data = data;
    this.box.classList.toggle("closed", !data.open);
    this.draw();
  }

  // -- by pointer

  grab(event) {
    if (!this.data.open) return;
    event.preventDefault();
    this.box.focus({ preventScroll: true });
    this.box.setPointerCapture(event.pointerId);
    this.last = null;
    this.move(event);
  }

  move(event) {
    const { left, top } = this.box.getBoundingClientRect(), { low, high, places } = this.data.paper;
    const share = (event.clientX - left - LEFT) / this.step, k = clamp(Math.round(share), 0, places.length - 1);
    const value = clamp(high - ((event.clientY - top - TOP) / (HIGH - TOP - LOW)) * (high - low), low, high);
    const [from, start] = this.last || [k, value];
    for (let each = from; each !== k; each += Math.sign(k - from)) {
      if (each !== from) this.drawn[each] = start + ((value - start) * (each - from)) / (k - from);
    }
    this.drawn[k] = value;
    [this.last, this.at] = [[k, value], k];
    this.draw();
  }

  drop() {
    if (this.last === undefined) return;
    this.last = undefined;
    this.send([...this.drawn]);
  }

  // -- by keys

  press(event) {
    const { low, high, places } = this.data.paper, end = places.length - 1, up = (high - low) / STEPS;
    const across = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: end }[event.key];
    const by = { ArrowUp: up, ArrowDown: -up, PageUp: 5 * up, PageDown: -5 * up }[event.key];
    if ((across ?? by) === undefined || !this.data.open) return;
    event.preventDefault();
    event.stopPropagation();
    if (across !== undefined) this.at = clamp(across, 0, end);
    const near = this.drawn[this.at] ?? this.drawn[this.at - 1] ?? this.drawn[this.at + 1] ?? (low + high) / 2;
    this.drawn[this.at] = clamp(near + (by || 0), low, high);
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send([...this.drawn]), LATER);
  }

  // -- drawn

  draw() {
    const { paper, open, answer, others } = this.data, wide = Math.max(this.box.clientWidth, 240);
    const count = paper.places.length, seen = answer ? [...answer.low, ...answer.high].filter(Number.isFinite) : [];
    const low = Math.min(paper.low, ...seen), high = Math.max(paper.high, ...seen);
    this.step = (wide - LEFT - RIGHT) / (count - 1);
    const x = (k) => LEFT + k * this.step, y = (value) => TOP + ((high - value) / (high - low)) * (HIGH - TOP - LOW);
    const path = (values) => values.map((value, k) => (value === null ? "" : `${k && values[k - 1] !== null ? "L" : "M"}${x(k).toFixed(1)},${y(value).toFixed(1)}`)).join("");
    const line = (name, values) => `<path class="${name}" d="${path(values)}"/>`;
    const dots = (name, values) => values.map((value, k) => (value === null ? "" : `<circle class="${name}${open && k === this.at && name === "dot" ? " at" : ""}" cx="${x(k)}" cy="${y(value)}" r="4"/>`)).join("");
    const rungs = Array.from({ length: 5 }, (_, k) => low + ((high - low) * k) / 4);
    const every = Math.ceil((count * 34) / (wide - LEFT - RIGHT)); // so that names do not overlap
    const parts = [
      ...rungs.map((value) => `<line class="grid" x1="${LEFT}" x2="${wide - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`),
      ...paper.places.map((name, k) => (k % every ? "" : `<text x="${x(k)}" y="${HIGH - LOW + 18}" text-anchor="middle">${escaped(name)}</text>`)),
      `<text class="title" x="4" y="15">${escaped(paper.up)}</text>`,
      `<text class="title" x="${wide - RIGHT}" y="${HIGH - 8}" text-anchor="end">${escaped(paper.across)}</text>`,
      ...others.map((values) => line("other", values)),
    ];
    if (answer) parts.push(`<path class="band" d="${path(answer.high)}${[...answer.low.keys()].reverse().map((k) => `L${x(k)},${y(answer.low[k])}`).join("")}Z"/>`);
    if (others.length) parts.push(line("median", medians(others)));
    if (answer) parts.push(line("measured", answer.value), dots("seen", answer.value));
    parts.push(line("drawn", this.drawn), dots("dot", this.drawn));
    const there = this.drawn.filter((value) => value !== null).length;
    if (!there && open) parts.push(`<text class="call" x="${(wide + LEFT - RIGHT) / 2}" y="${HIGH / 2}" text-anchor="middle">Draw your curve here</text>`);
    this.svg.setAttribute("height", HIGH);
    this.svg.setAttribute("viewBox", `0 0 ${wide} ${HIGH}`);
    this.svg.innerHTML = parts.join("");
    this.tellOf(there, count);
    this.keyOf(answer, others, there);
  }

  // In words: the place under the keys, and how much is left to draw.
  tellOf(there, count) {
    const { paper, open, answer } = this.data, value = this.drawn[this.at], place = `${paper.across} ${paper.places[this.at]}`;
    const told = `${place}: ${value === null ? "nothing drawn" : full(value)}`;
    this.box.setAttribute("aria-label", `${paper.up} by ${paper.across}${open ? ", your prediction: left and right choose a place, up and down draw" : ""}`);
    for (const [name, number] of [["valuemin", paper.low], ["valuemax", paper.high], ["valuenow", value ?? paper.low]]) this.box.setAttribute(`aria-${name}`, number);
    this.box.setAttribute("aria-valuetext", answer ? `${told}, measured ${full(answer.value[this.at])}` : told);
    this.box.setAttribute("aria-disabled", String(!open));
    const left = there < count ? `Draw with mouse or finger, or with the arrow keys: ${there} of ${count} places.` : `${told}. You can still change it.`;
    this.hint.textContent = open ? left : "";
    this.box.dataset.drawn = there;
  }

  keyOf(answer, others, there) {
    const shown = [
      ["drawn", "Your curve", there && !this.data.open], ["measured", "Measured, with its 95 % interval", answer],
      ["other", `The class: ${others.length}`, others.length], ["median", "Its median", others.length],
    ];
    this.keys.innerHTML = shown.filter(([, , is]) => is).map(([name, words]) => `<li><svg viewBox="0 0 26 10"><path class="${name}" d="M2,5H24"/></svg>${words}</li>`).join("");
  }
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const full = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
const short = (value) => value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

function medians(curves) {
  return curves[0].map((_, k) => {
    const sorted = curves.map((curve) => curve[k]).sort((a, b) => a - b), half = sorted.length / 2;
    return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  });
}
