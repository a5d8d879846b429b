// A place that draws one part of the moment that is shown.
// Streamlit calls the exported function at every change; one Place lives as long as its element.

const SHORTEST = 40; // ticks that a chart spans at least
const EVENTS = 80; // that are shown

export default function ({ data, parentElement }) {
  const [place, left] = clock.mount(parentElement, () => new Place(parentElement.querySelector(".moment")));
  if (place.kind !== data) [place.kind, place.told] = [data, null];
  place.tell(clock.moment);
  return left;
}

class Place {
  constructor(root) {
    this.root = root;
    this.html = "";
  }

  tell(moment) {
    if (moment === this.told) return;
    this.told = moment;
    if (!moment) return this.write("");
    if (this.kind === "charts") this.charts(moment);
    else if (this.kind === "feed") this.write(feed(moment));
    else if (this.kind in moment) this.write(moment[this.kind]);
  }

  write(html) {
    if (html === this.html) return;
    const open = [...this.root.querySelectorAll("details")].map((one) => one.open); // what the user has opened
    this.root.innerHTML = this.html = html;
    if (open.length) this.root.querySelectorAll("details").forEach((one, k) => k in open && (one.open = open[k]));
  }

  charts(moment) {
    const { course, now } = moment;
    if (!course?.charts || !now) return;
    const past = course.points.tick.filter((tick) => tick < now.tick).length;
    const boxes = moment.gantt + course.charts.map((chart) => chartOf(chart, course, past, now)).join("");
    const hint = now.tick ? "" : `<p class="hint">${course.start}</p>`;
    this.write(`${hint}<div class="charts" data-tick="${now.tick}">${boxes}</div>`);
    for (const svg of this.root.querySelectorAll("svg[data-span]")) svg.onpointermove = (event) => read(svg, event);
  }
}

// The events up to the tick that is shown, the latest on top.
function feed(moment) {
  const events = (moment.course?.events || []).filter(([tick]) => tick <= moment.tick);
  if (!events.length) return `<p class="hint">${moment.course?.empty || ""}</p>`;
  const rows = events.slice(-EVENTS).reverse().map(([, html]) => html);
  return `<div class="feed" role="log" tabindex="0">${rows.join("")}</div>`;
}

const DASHES = ["none", "5 3", "2 2", "9 3 2 3"]; // of the lines of a chart, in turn
const WIDE = 300, HIGH = 110, LEFT = 40, LOW = 18;

// One small chart: its lines are steps up to the moment that is shown.
function chartOf({ name, words, lines, top }, { points, hues }, past, now) {
  const span = Math.max(SHORTEST, now.tick), series = lines.map(([label, field]) => {
    const values = points[field].slice(0, past).map((value, k) => [points.tick[k], value]);
    return { label, values: [...values, [now.tick, now[field]]].filter(([, value]) => value !== null) };
  });
  const all = series.flatMap(({ values }) => values.map(([, value]) => value));
  let [low, high] = [Math.min(0, ...all), top || Math.max(0, ...all)];
  if (high === low) high = low + 1;
  const x = (tick) => LEFT + (tick / span) * (WIDE - LEFT - 6), y = (value) => HIGH - LOW - ((value - low) / (high - low)) * (HIGH - LOW - 8);
  const trace = (values) => values.map(([tick, value], k) => (k ? `H${x(tick).toFixed(1)}V${y(value).toFixed(1)}` : `M${x(tick).toFixed(1)},${y(value).toFixed(1)}`)).join("");
  const style = (k) => (lines.length > 1 ? `style="stroke:${hues[k % hues.length]};stroke-dasharray:${DASHES[k % DASHES.length]}"` : "");
  const paths = series.map(({ values }, k) => `<path d="${trace(values)}" ${style(k)}/>`).join("");
  const grid = [low, high].map((value) => `<line x1="${LEFT}" x2="${WIDE - 6}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 5}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`).join("");
  const ticks = [0, span].map((tick, k) => `<text x="${x(tick)}" y="${HIGH - 4}" text-anchor="${k ? "end" : "start"}">${tick.toLocaleString("en")}</text>`).join("");
  const values = lines.map(([label, field]) => {
    const value = now[field] === null ? "-" : full(now[field]);
    return lines.length > 1 ? `${value} ${label}` : field === "done" && now.total ? `${value} of ${full(now.total)}` : value;
  }), told = values.join(", ");
  const key = (k) => (lines.length > 1 ? `<svg class="key" aria-hidden="true" viewBox="0 0 22 8"><path d="M0,4H22" ${style(k)}/></svg>` : "");
  const legend = values.map((value, k) => `<span>${key(k)}${value}</span>`).join(" ");
  const data = JSON.stringify(series).replaceAll('"', "&quot;");
  return `<figure title="${words}"><figcaption><b>${name}</b> ${legend}</figcaption>
    <svg viewBox="0 0 ${WIDE} ${HIGH}" role="img" aria-label="${name} by tick, up to tick ${now.tick}: ${told}"
    data-series="${data}" data-span="${span}"><g class="grid">${grid}${ticks}</g><g class="lines">${paths}</g></svg></figure>`;
}

// Beside the name of a chart: the values at the tick under the pointer.
function read(svg, event) {
  const { left, width } = svg.getBoundingClientRect(), span = +svg.dataset.span;
  const at = Math.round((((event.clientX - left) / width) * WIDE - LEFT) / (WIDE - LEFT - 6) * span);
  const values = JSON.parse(svg.dataset.series).map(({ label, values }) => [label, values.findLast(([tick]) => tick <= at)]);
  const told = values.filter(([, found]) => found).map(([label, found]) => `${full(found[1])} ${values.length > 1 ? label : ""}`);
  const title = svg.querySelector("title") || svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "title"));
  title.textContent = told.length ? `tick ${at}: ${told.join(", ")}` : "";
}

const full = (value) => value.toLocaleString("en", { maximumSignificantDigits: Number.isInteger(value) ? 21 : 4 });
const short = (value) => value.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
