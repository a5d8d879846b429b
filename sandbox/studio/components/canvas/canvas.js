// Plays strips of frames without gaps: arriving strips are queued, and each strip is played at its own pace, such that
// some frames are left when the next one arrives.
// Streamlit calls the exported function at every payload, and its return value when the component is removed.

const AHEAD = 0.4; // seconds of frames to be left in the queue when more arrive
const SLOWEST = 0.75, FASTEST = 2; // times the nominal pace
const MOST = 3; // seconds of frames that a hidden page keeps
const MARGIN = 8; // CSS pixels above and below the picture, together
const REST = 150; // ms after which another part of the world is asked for
const MANY = 3000; // cells of a world that is too large to be read as a whole
const READABLE = 24; // CSS pixels of a cell that is large enough
const CLOSER = 2; // times, to follow an agent in a world whose cells are large
const NARROW = 300; // CSS pixels of a stage in which there is no room for words
const LOWEST = 240; // CSS pixels of a picture's height
const FIRST = "[class*=st-key-stage]", LAST = "[class*=st-key-below]"; // what the first screen is to show besides
const SURELY = 10000; // ms after which a frozen picture moves again, if the page has not answered
const HOLDS = ".st-key-play, .st-key-step, .st-key-deeds"; // a button in here concerns what is seen

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const [player, left] = clock.mount(parentElement, () => new Player(parentElement));
  player.report = setStateValue;
  player.trigger = setTriggerValue;
  player.feed(data);
  return left;
}

class Player {
  constructor(root) {
    this.stage = root.querySelector(".stage");
    const [below, picture, marks] = this.stage.querySelectorAll("canvas");
    const [whole, button, said, text, own] = [".whole", ".follow", ".said", "#words", ".own"].map((name) => root.querySelector(name));
    Object.assign(this, { below, picture, marks, whole, button, said, text, own });
    this.pen = picture.getContext("2d");
    this.queue = [];
    this.waiting = new Map(); // of a picture beside the first: its frames, by number
    this.frozen = 0; // when a command was given that the page has not answered yet
    this.turns = this.latest = this.held = 0; // how often the queue was replaced, by the latest strip; the last hold
    this.work = Promise.resolve();
    this.shown = this.frame = this.painted = this.payloads = 0;
    this.lens = new Lens(this.stage, {
      turned: () => clock.places.forEach((place) => place.look?.()),
      clicked: (at) => this.now && this.trigger("click", { ...at, frame: this.now.number, tick: this.now.tick }),
      chosen: (step) => (step ? this.choose(step) : this.follow()),
    });
    this.map = new Overview(this.stage.querySelector(".map"), this.lens);
    this.card = new HoverCard(this.stage, this.lens, () => this.now);
    this.whole.onclick = () => this.lens.reset();
    this.button.onclick = () => this.follow();
    this.measure = this.measure.bind(this);
    this.observer = new ResizeObserver(this.measure);
    this.observer.observe(this.stage);
    window.addEventListener("resize", this.measure);
    this.press = this.press.bind(this);
    document.addEventListener("click", this.press, true);
    document.addEventListener("keydown", this.press, true);
    onePage(1);
  }

  // What is seen when a command is given is what the command concerns: stop at once, before the page has answered.
  press(event) {
    if (this.place || !this.playing || !this.queue.length) return;
    const key = event.type === "keydown" && !event.target.closest?.("input, textarea, [role=slider]");
    const asked = key ? [" ", "s", "S"].includes(event.key) : event.target.closest?.(HOLDS)?.contains(event.target.closest("button"));
    if (asked) this.frozen = performance.now();
  }

  get waits() {
    return this.frozen && performance.now() < this.frozen + SURELY;
  }

  stop() {
    onePage(-1);
    document.removeEventListener("click", this.press, true);
    document.removeEventListener("keydown", this.press, true);
    this.observer.disconnect();
    clearTimeout(this.rest);
    window.removeEventListener("resize", this.measure);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    clearInterval(this.beat);
  }

  // The room for a picture, in device pixels, so that one of its pixels is one of the screen's.
  measure() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      const tall = this.room() - MARGIN;
      const box = { width: Math.round(this.stage.clientWidth * ratio), height: Math.round(tall * ratio), ratio };
      if (!box.width) return;
      const old = this.box;
      this.box = box;
      this.fit();
      if (this.lens.zoom > 1) this.look(); // another part of the world fits in
      const near = old && Math.abs(old.width - box.width) <= 2 && Math.abs(old.height - box.height) <= 2;
      if (!near) this.report("box", { ...box, browser: browserOf() });
    }, this.box ? 200 : 0);
  }

  // CSS pixels of height that are left for the stage on the first screen of the page.
  room() {
    const rect = (element) => element.getBoundingClientRect(), main = this.stage.getRootNode().host?.closest("section");
    const own = rect(this.stage), page = this.stage.getRootNode().host || this.stage;
    const first = page.closest?.(FIRST), last = first?.parentElement.parentElement.querySelector(LAST);
    if (last && last !== this.beneath) {
      this.beneath = last;
      for (const around of [first, last]) this.observer.observe(around); // what is above and below comes and goes
    }
    const asked = document.querySelector(".st-key-asked"), over = asked && getComputedStyle(asked).position === "fixed";
    const high = over ? rect(asked).top : window.innerHeight; // a question may cover the lower part
    const top = own.top + (main?.scrollTop || 0), below = last && !over ? rect(last).bottom - own.bottom : 0;
    return Math.max(high - Math.min(top, window.innerHeight / 3) - below - 8, LOWEST);
  }

  // The size of the whole picture without zoom: as painted, a whole number of pixels for each cell.
  fit() {
    if (!this.now) return;
    const { width, height, view, cells } = this.now, ratio = this.box?.ratio || 1;
    const room = this.box || { width: this.stage.clientWidth, height: 600 };
    const [tall, wide] = cells || [height / view[2], width / view[3]];
    const most = Math.min(room.width / wide, room.height / tall), even = Math.floor(most + 1e-6);
    const scale = (cells && even && most / even < 1.3 ? even : most) / ratio;
    this.stage.style.height = `${Math.max(LOWEST, tall * scale + MARGIN)}px`;
    this.lens.fit(wide * scale, tall * scale);
    this.arrange();
  }

  // Rings around the agents that wait for a person, until they have an answer.
  asks() {
    if (!this.asking.length === !this.asked) return;
    this.asked = this.asking.length > 0;
    clearInterval(this.beat);
    if (this.asked) this.beat = setInterval(() => this.now && this.mark(), 100);
    this.measure();
    if (this.now) this.mark();
  }

  // Another part of the world is to be seen.
  look() {
    this.arrange();
    clearTimeout(this.rest);
    if (!this.place) this.rest = setTimeout(() => this.report("view", this.lens.wanted(this.now?.cells)), REST);
  }

  // Of the agents in the picture: the selected one, or else the first.
  get chosen() {
    const cards = this.now?.cards || [];
    return cards.find(({ agent }) => agent === this.picked) || cards[0];
  }

  // Select the next agent, or the one before, and say which.
  choose(step) {
    const cards = this.now?.cards || [], at = cards.findIndex(({ agent }) => agent === this.picked);
    if (!cards.length) return;
    const next = cards[(at < 0 ? (step > 0 ? 0 : cards.length - 1) : at + step + cards.length) % cards.length];
    this.picked = next.agent;
    this.said.textContent = inWords(next, this.now.cells);
    this.trigger("pick", next.agent);
    this.arrange();
  }

  follow() {
    if (!this.now?.cells) return;
    const near = (READABLE * this.now.cells[1]) / this.lens.base.width;
    this.lens.follow(!this.lens.eye.follow, this.lens.zoom > 1 ? this.lens.zoom : Math.max(near, CLOSER));
  }

  // Draw the frame and its marks at the place given by the lens.
  arrange() {
    if (!this.now) return;
    this.aim();
    const { left, top, width, height } = this.lens.area, ratio = this.box?.ratio || 1;
    const even = (length) => Math.round(length * ratio) / ratio;
    for (const [canvas, view] of [[this.picture, this.now.view], [this.below, this.under]]) {
      if (!view) continue;
      canvas.style.width = `${width * view[3]}px`;
      canvas.style.height = `${height * view[2]}px`;
      canvas.style.transform = `translate(${even(left + view[1] * width)}px, ${even(top + view[0] * height)}px)`;
    }
    this.stage.classList.toggle("near", this.lens.zoom > 1);
    this.whole.hidden = this.lens.zoom === 1;
    this.whole.textContent = `${this.lens.zoom.toFixed(1)} ×`;
    this.button.hidden = !this.now.cells || !this.chosen;
    const concerned = this.lens.eye.follow || this.picked !== null; // without, the button is to cover little
    this.button.textContent = concerned && this.stage.clientWidth > NARROW ? `◎ Follow ${this.chosen?.name}` : "◎";
    this.button.setAttribute("aria-label", `Follow ${this.chosen?.name}`);
    this.button.setAttribute("aria-pressed", this.lens.eye.follow);
    this.mark();
    this.map.draw(this.now);
    this.card.draw();
    this.describe();
  }

  // Over the picture: the agent that is selected or followed, what it is doing, and what it has.
  describe() {
    const shown = this.lens.eye.follow || this.picked !== null ? this.chosen : null, told = JSON.stringify(shown || null);
    this.own.hidden = !shown;
    if (!shown || told === this.toldOwn) return;
    this.toldOwn = told;
    this.own.style.setProperty("--hue", shown.colour);
    this.own.replaceChildren(...lines(shown));
  }

  // Where the lens finds the agent that it follows.
  aim() {
    const { cells, share } = this.now, card = this.chosen;
    if (!cells || !card) return;
    const [row, col] = placed(card, share);
    this.lens.target = { x: col / cells[1], y: row / cells[0] };
  }

  mark() {
    const { share, cells, cards } = this.now, marks = [
      ...cards.flatMap((card) => aims(card, cells)),
      ...this.now.marks,
      ...cards.filter(({ agent }) => this.asking.includes(agent)).map((card) => asking(card, cells)),
    ];
    if (!marks.length && !this.marked) return;
    this.marked = marks.length > 0;
    const { clientWidth, clientHeight } = this.stage, ratio = window.devicePixelRatio || 1, canvas = this.marks;
    const [wide, tall] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (canvas.width !== wide || canvas.height !== tall) {
      [canvas.width, canvas.height] = [wide, tall];
      [canvas.style.width, canvas.style.height] = [`${clientWidth}px`, `${clientHeight}px`];
    }
    const pen = canvas.getContext("2d"), { left, top, width, height } = this.lens.area, [rows, cols] = cells || [1, 1];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, clientWidth, clientHeight);
    const place = (row, col) => [left + (col / cols) * width, top + (row / rows) * height];
    drawMarks(pen, marks, { place, cell: width / cols, share, font: getComputedStyle(this.stage).fontFamily });
    canvas.dataset.marks = marks.length; // for tests
  }

  feed(data) {
    if (data?.byteLength === 1) this.blank();
    if (!data || data.byteLength <= 4) return;
    const size = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + size)));
    [this.place, this.picked, this.asking] = [head.place || 0, head.picked, head.asking || []];
    this.asks();
    const same = head.episode === this.episode && head.first === this.first; // the strip that was here before
    const moments = momentsOf(head);
    if (same) this.retell(moments);
    if (!(this.playing = head.playing) || head.hold || head.still) this.frozen = 0;
    if (head.hold && head.hold !== this.held) this.hold(head.hold);
    if (head.hold) [this.episode, this.first] = [head.episode, head.first]; // frames that nobody is to see
    if (same || head.hold) return;
    if (head.still || head.episode !== this.episode) this.turns++;
    const turn = this.turns, fresh = turn !== this.latest;
    [this.episode, this.first, this.payloads, this.latest] = [head.episode, head.first, this.payloads + 1, turn];
    const body = data.slice(4 + size);
    this.work = this.work
      .then(() => unpack(body, head.count))
      .then((frames) => {
        if (turn !== this.turns) return;
        if (fresh) [this.queue, this.waiting] = [[], new Map()];
        const items = told(head, frames, moments);
        this.map.show(head.overview);
        if (this.place) this.keepWaiting(items);
        else this.enqueue(items, head.fps, fresh);
        if (head.address) address(head.address);
      })
      .catch((error) => console.error("sandbox canvas:", error));
  }

  // Another world comes: the picture of the last one must not stand beside it.
  blank() {
    if (!this.now) return;
    [this.now, this.episode, this.first] = [null, null, null];
    [this.queue, this.waiting, this.turns, this.painted] = [[], new Map(), this.turns + 1, 0];
    for (const canvas of [this.picture, this.below, this.marks]) canvas.hidden = true;
    if (!this.place) clock.show(null, -1);
  }

  // Stop at the moment that is shown, with its last frame, and tell its tick.
  hold(number) {
    this.held = number;
    const rest = this.queue.filter((item) => item.moment === this.now?.moment);
    [this.queue, this.turns] = [[], this.turns + 1];
    if (this.place) return;
    if (rest.length) this.draw(rest.at(-1));
    this.report("held", { hold: number, tick: this.now?.tick ?? 0 });
  }

  // The same moments, told in another way: another view of an agent, other kinds of events.
  retell(moments) {
    const fresh = new Map(moments.map((moment) => [moment.id, moment]));
    for (const item of [this.now, ...this.queue]) if (item) item.moment = fresh.get(item.moment.id) || item.moment;
    if (!this.place && this.now) clock.show(this.now.moment, this.now.number);
  }

  // A picture beside the first shows the frame of the same number.
  keepWaiting(items) {
    for (const item of items) this.waiting.set(item.number, item);
    this.tell(null, clock.number);
  }

  ready(number) {
    return !this.place || this.waiting.has(number) || this.last >= number;
  }

  tell(_, number) {
    if (!this.place || !this.waiting.has(number)) return;
    this.draw(this.waiting.get(number));
    this.last = number;
    for (const old of [...this.waiting.keys()]) if (old <= number) this.waiting.delete(old);
  }

  enqueue(frames, fps, fresh) {
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) frames = frames.slice(-1);
    if (!this.queue.length) this.shown = Math.max(this.shown, performance.now() - 1000 / fps);
    const pace = (this.queue.length + frames.length) / (frames.length + AHEAD * fps);
    this.fps = fps * Math.min(Math.max(pace, SLOWEST), FASTEST);
    this.queue = this.queue.concat(frames).slice(-MOST * fps);
    if ((!this.painted || fresh) && clock.ready(this.queue[0].number)) this.draw(this.queue.shift());
    if (!this.frame) this.frame = requestAnimationFrame((now) => this.play(now));
  }

  play(now) {
    const step = 1000 / this.fps;
    if (this.queue.length && !this.waits && now - this.shown >= step - 2 && clock.ready(this.queue[0].number)) {
      this.draw(this.queue.shift());
      this.shown = Math.max(this.shown + step, now - step);
    }
    this.frame = this.queue.length ? requestAnimationFrame((next) => this.play(next)) : 0;
  }

  draw(item) {
    const { pixels, height, width, view } = item, before = this.now, canvas = this.picture;
    const moved = !before || `${before.view}` !== `${view}`;
    if (before && moved) this.keep(before, view);
    const resized = !before || `${before.cells},${before.view.slice(2)}` !== `${item.cells},${view.slice(2)}`;
    if (canvas.width !== width || canvas.height !== height || !this.image) {
      [canvas.width, canvas.height] = [width, height]; // clears it; painted again below, in the same frame
      this.image = this.pen.createImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    canvas.hidden = this.marks.hidden = false;
    for (let i = 0, k = 0, words = this.words; i < words.length; i++, k += 3) {
      words[i] = 0xff000000 | (pixels[k + 2] << 16) | (pixels[k + 1] << 8) | pixels[k];
    }
    this.pen.putImageData(this.image, 0, 0);
    this.now = item;
    if (resized || before.width !== width) this.turn(before, item);
    else if (moved || this.lens.eye.follow) this.arrange();
    else {
      this.mark();
      this.card.draw();
      this.describe();
    }
    if (before?.tick !== item.tick) this.text.textContent = this.inWords(item);
    canvas.dataset.painted = ++this.painted; // for tests and measurements
    canvas.dataset.payloads = this.payloads;
    canvas.dataset.tick = item.tick;
    canvas.dataset.waiting = this.queue.length; // frames
    if (!this.place) clock.show(item.moment, item.number);
  }

  inWords({ tick, cards, cells }) {
    return `Tick ${tick}. ${cards.map((card) => inWords(card, cells)).join(". ")}`;
  }

  // Another world is shown whole at first, and so is the same one on a reloaded page. If it is too large to
  // be read, an agent is followed instead.
  turn(before, item) {
    this.fit();
    if (this.place || (before && `${before.cells}` === `${item.cells}`)) return;
    const [rows, cols] = item.cells || [1, 1], zoom = (READABLE * cols) / this.lens.base.width;
    if (rows * cols > MANY && zoom > 1 && item.cards.length) this.lens.follow(true, zoom);
    else this.lens.reset();
  }

  // While a part is shown, the last picture of the whole is below it, so that dragging shows something.
  keep(before, view) {
    const shrinks = view[2] * view[3] < before.view[2] * before.view[3];
    if (shrinks && before.view[2] * before.view[3] === 1) {
      [this.below.width, this.below.height] = [this.picture.width, this.picture.height];
      this.below.getContext("2d").drawImage(this.picture, 0, 0);
      this.under = before.view;
    }
    this.below.hidden = view[2] * view[3] === 1;
  }
}

// While a picture is shown, choices on its page are no steps for the browser's Back, which leads to where one came from:
// Streamlit makes a step of each field of the address that it changes.
let pages = 0, pushState = null;

function onePage(more) {
  pages += more;
  if (pages && !pushState) {
    pushState = history.pushState;
    history.pushState = (state, unused, url) => {
      const same = new URL(url, location.href).pathname === location.pathname;
      (same ? history.replaceState : pushState).call(history, state, unused, url);
    };
  } else if (!pages && pushState) {
    delete history.pushState; // the prototype's is back
    pushState = null;
  }
}

// Put what is shown into the page's address, without a step for the browser's Back.
function address(fields) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(fields)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}

// A secret of this browser: a page that is loaded again gets its run back, and nobody else who knows its address.
function browserOf() {
  const [, known] = document.cookie.match(/sandbox_browser=([0-9a-f]+)/) || [];
  if (known) return known;
  const fresh = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  document.cookie = `sandbox_browser=${fresh}; path=/; SameSite=Strict; max-age=31536000`;
  return fresh;
}

// The moments of a strip, each known by the number of its first frame.
function momentsOf({ first, ticks, course }) {
  let id = first;
  return ticks.map((each) => ({ ...each, course, id: (id += each.frames) - each.frames }));
}

// One item for each frame: its pixels, and its moment.
function told({ height, width, cells, first }, frames, moments) {
  const items = [];
  for (const moment of moments) {
    const { tick, frames: count, marks, view, cards } = moment;
    for (let k = 1; k <= count && items.length < frames.length; k++) {
      const number = first + items.length, pixels = frames[items.length];
      items.push({ pixels, height, width, view, cells, number, tick, marks, cards, moment, share: k / count });
    }
  }
  return items;
}

// Inflate the strip and undo the XOR; one array of RGB bytes for each frame.
async function unpack(body, count) {
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer()), size = bytes.length / count;
  if (size % 4 === 0) undo(new Uint32Array(bytes.buffer), size / 4);
  else undo(bytes, size);
  return Array.from({ length: count }, (_, k) => bytes.subarray(k * size, (k + 1) * size));
}

function undo(words, size) {
  for (let i = size; i < words.length; i++) words[i] ^= words[i - size];
}
