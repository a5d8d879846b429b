// Plays strips of frames without a gap: what arrives is queued, and the pace follows the length of the queue.
// Streamlit calls the exported function at every payload, and its return value when the component goes.

const HEADER = 24; // bytes
const AHEAD = 0.3; // seconds of frames to keep in the queue
const SLOWEST = 0.75, FASTEST = 2; // times the nominal pace
const MOST = 3; // seconds of frames that a hidden page keeps
const MARGIN = 24; // CSS pixels above and below the picture, see canvas.css
const players = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let player = players.get(parentElement);
  if (!player) players.set(parentElement, (player = new Player(parentElement)));
  const call = ++player.calls;
  player.report = (box) => setStateValue("box", box);
  player.feed(data);
  return () => {
    if (call !== player.calls) return; // a newer payload has taken over
    player.stop();
    players.delete(parentElement);
  };
}

class Player {
  constructor(root) {
    this.canvas = root.querySelector("canvas");
    this.stage = this.canvas.parentElement;
    this.pen = this.canvas.getContext("2d");
    this.queue = [];
    this.work = Promise.resolve();
    this.calls = this.shown = this.frame = this.painted = this.payloads = 0;
    this.measure = this.measure.bind(this);
    this.observer = new ResizeObserver(this.measure);
    this.observer.observe(this.stage);
    window.addEventListener("resize", this.measure);
  }

  stop() {
    this.observer.disconnect();
    window.removeEventListener("resize", this.measure);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
  }

  // The room for a picture, in device pixels, so that one of its pixels is one of the screen's.
  measure() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      const share = window.innerWidth < 640 ? 0.55 : 0.7; // of the window's height
      const tall = Math.min(Math.max(window.innerHeight * share, 300), 800) - MARGIN;
      const box = { width: Math.round(this.stage.clientWidth * ratio), height: Math.round(tall * ratio), ratio };
      if (!box.width) return;
      const old = this.box;
      this.box = box;
      this.place();
      if (!old || Math.abs(old.width - box.width) > 2 || Math.abs(old.height - box.height) > 2) this.report(box);
    }, this.box ? 200 : 0);
  }

  // One to one where the picture was painted for this box; scaled where it was not.
  place() {
    const { width, height } = this.canvas;
    const box = this.box || { width: this.stage.clientWidth, height: 600, ratio: 1 };
    const fit = Math.min(box.width / width, box.height / height);
    const scale = (fit < 1 || fit > 1.3 ? fit : 1) / box.ratio;
    this.canvas.style.width = `${width * scale}px`;
    this.canvas.style.height = `${height * scale}px`;
  }

  feed(data) {
    if (!data || data.byteLength <= HEADER) return;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const [episode, first, count, height, width, fps] = [0, 4, 8, 12, 16, 20].map((at) => view.getUint32(at, true));
    if (episode === this.episode && first === this.first) return; // the same strip again
    const fresh = episode !== this.episode;
    [this.episode, this.first, this.payloads] = [episode, first, this.payloads + 1];
    const body = data.slice(HEADER);
    this.work = this.work
      .then(() => unpack(body, count))
      .then((frames) => {
        if (episode !== this.episode) return;
        if (fresh) this.queue = [];
        this.enqueue(frames.map((pixels) => ({ pixels, height, width })), fps);
      })
      .catch((error) => console.error("sandbox canvas:", error));
  }

  enqueue(frames, fps) {
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) frames = frames.slice(-1);
    if (!this.queue.length) this.shown = Math.max(this.shown, performance.now() - 1000 / fps);
    this.fps = fps;
    this.queue = this.queue.concat(frames).slice(-MOST * fps);
    if (!this.painted) this.draw(this.queue.shift());
    if (!this.frame) this.frame = requestAnimationFrame((now) => this.play(now));
  }

  play(now) {
    const pace = Math.min(Math.max(this.queue.length / (AHEAD * this.fps), SLOWEST), FASTEST);
    const step = 1000 / (this.fps * pace);
    if (this.queue.length && now - this.shown >= step - 2) {
      this.draw(this.queue.shift());
      this.shown = Math.max(this.shown + step, now - step);
    }
    this.frame = this.queue.length ? requestAnimationFrame((next) => this.play(next)) : 0;
  }

  draw({ pixels, height, width }) {
    if (this.canvas.width !== width || this.canvas.height !== height || !this.image) {
      [this.canvas.width, this.canvas.height] = [width, height]; // clears it; painted again below, in the same frame
      this.image = this.pen.createImageData(width, height);
      this.canvas.hidden = false;
      this.place();
    }
    const to = this.image.data;
    for (let i = 0, k = 0; k < pixels.length; i += 4, k += 3) {
      to[i] = pixels[k];
      to[i + 1] = pixels[k + 1];
      to[i + 2] = pixels[k + 2];
      to[i + 3] = 255;
    }
    this.pen.putImageData(this.image, 0, 0);
    this.canvas.dataset.painted = ++this.painted; // for tests and measurements
    this.canvas.dataset.payloads = this.payloads;
  }
}

// Inflate the strip and undo the XOR; one array of RGB bytes for each frame.
async function unpack(body, count) {
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = bytes.length / count;
  for (let i = size; i < bytes.length; i++) bytes[i] ^= bytes[i - size];
  return Array.from({ length: count }, (_, k) => bytes.subarray(k * size, (k + 1) * size));
}
