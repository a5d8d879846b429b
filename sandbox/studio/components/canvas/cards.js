// What is told of the agents in a picture, and where they are: a card at the pointer, a small map, words.

// Where an agent is in a frame, in cells: row, column.
function placed({ at, lag }, share) {
  return at.map((cell, k) => cell + lag[k] * (1 - share));
}

function inWords({ name, at, doing, has }, cells) {
  const where = cells ? ` at row ${Math.floor(at[0])}, column ${Math.floor(at[1])}` : "";
  return [`${name}${where}`, doing, ...has.map((gauge) => `${gauge.name} ${amount(gauge)}`)].filter(Boolean).join(", ");
}

function amount({ text, value = 0, most, unit }) {
  return text || `${Math.round(value * 100) / 100}${most ? ` of ${most}` : ""}${unit ? ` ${unit}` : ""}`;
}

// A line of what an agent has: needs as bars, the rest by the icon or the colour of the thing.
function chip(gauge) {
  const { kind, name, icon, colour, value = 0, most } = gauge, element = document.createElement("span");
  element.className = `has ${kind}`;
  element.title = `${name}: ${amount(gauge)}`;
  const sign = element.appendChild(document.createElement(icon ? "b" : "i"));
  if (icon) sign.textContent = icon;
  if (colour) sign.style[icon ? "color" : "background"] = colour;
  const known = kind === "need" && icon;
  element.append(known ? `${Math.round(value * 100) / 100}` : `${name} ${amount(gauge)}`);
  if (most) element.style.setProperty("--share", `${Math.min(100, (100 * value) / most)}%`);
  return element;
}

// Marks from an agent to the places of what it has or is about to do.
function aims({ at, lag, colour, has }, cells) {
  return has.filter((gauge) => gauge.at).flatMap((gauge) => {
    const to = cells ? gauge.at.map((cell) => cell + 0.5) : gauge.at, text = gauge.name + (gauge.text ? ` ${gauge.text}` : "");
    const line = { kind: "line", points: [at, to], colour, lag, alpha: 0.8, dash: true, width: 0.05 };
    const there = cells ? [{ kind: "ring", at: to, colour, radius: 0.46 }] : [];
    return [...(cells ? [line] : []), ...there, { kind: "label", at: to, text, colour }];
  });
}

// A ring that beats around an agent who waits for a person.
function asking({ at, lag }, cells) {
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches, beat = calm ? 0 : Math.abs(Math.sin(performance.now() / 400));
  return { kind: "ring", at, lag, colour: "#d55e00", radius: cells ? 0.8 + 0.35 * beat : 0.2 + 0.05 * beat, width: cells ? 0.14 : 0.01 };
}

// Beside the agent under the pointer.
class HoverCard {
  constructor(stage, lens, now) {
    Object.assign(this, { stage, lens, now, pointer: null, element: stage.querySelector(".card") });
    stage.addEventListener("pointermove", (event) => {
      this.pointer = event.pointerType === "mouse" && !ours(event) ? this.lens.place(event) : null;
      this.draw();
    });
    stage.addEventListener("pointerleave", () => this.hide());
    stage.addEventListener("keydown", (event) => event.key === "Escape" && this.hide());
  }

  hide() {
    this.pointer = null;
    this.draw();
  }

  draw() {
    const card = this.pointer && this.under();
    this.element.hidden = !card;
    if (!card) return;
    const told = JSON.stringify(card), { x, y } = this.pointer, { clientWidth, clientHeight } = this.stage;
    if (told !== this.told) {
      this.told = told;
      this.element.style.setProperty("--hue", card.colour);
      this.element.replaceChildren(...lines(card));
    }
    const { offsetWidth, offsetHeight } = this.element;
    this.element.style.left = `${Math.max(2, Math.min(x + 16, clientWidth - offsetWidth - 2))}px`;
    this.element.style.top = `${y + 16 + offsetHeight > clientHeight ? y - 12 - offsetHeight : y + 16}px`;
  }

  // The card of the agent that is drawn at the pointer.
  under() {
    const { cells, cards, share } = this.now() || {}, { row, col } = this.lens.at(this.pointer);
    if (!cards || Math.min(row, col) < 0 || Math.max(row, col) > 1) return null;
    const within = ({ part: [top, left, high, wide] }) => row >= top && row <= top + high && col >= left && col <= left + wide;
    if (!cells) return cards.find(within);
    const away = (card) => {
      const [down, right] = placed(card, share);
      return Math.hypot(down - row * cells[0], right - col * cells[1]);
    };
    const nearest = cards.reduce((best, card) => (best && away(best) <= away(card) ? best : card), null);
    return nearest && away(nearest) < 0.75 ? nearest : null;
  }
}

function lines({ name, doing, has }) {
  const line = (...parts) => {
    const element = document.createElement("p");
    element.append(...parts);
    return element;
  };
  const bold = document.createElement("b");
  bold.textContent = name;
  return [line(bold), ...(doing ? [line(doing)] : []), ...(has.length ? [line(...has.map(chip))] : [])];
}

// A small map of the whole world beside a part of it: the part, and the agents. A click on it shows another part.
class Overview {
  constructor(canvas, lens) {
    Object.assign(this, { canvas, lens, image: new Image(), pen: canvas.getContext("2d") });
    this.image.onload = () => this.now && this.draw(this.now);
    canvas.onpointerdown = (event) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      lens.look((event.clientX - left) / width, (event.clientY - top) / height);
    };
  }

  show(overview) {
    if (overview) this.image.src = `data:image/png;base64,${overview}`;
  }

  draw(now) {
    this.now = now;
    const { canvas, pen, image, lens } = this, { naturalWidth: wide, naturalHeight: tall } = image;
    canvas.hidden = lens.zoom === 1 || !wide;
    if (canvas.hidden) return;
    if (canvas.width !== wide || canvas.height !== tall) [canvas.width, canvas.height] = [wide, tall];
    pen.drawImage(image, 0, 0);
    for (const card of now.cells ? now.cards : []) {
      const [row, col] = placed(card, now.share);
      pen.beginPath();
      pen.arc((col / now.cells[1]) * wide, (row / now.cells[0]) * tall, 3, 0, 2 * Math.PI);
      [pen.fillStyle, pen.strokeStyle, pen.lineWidth] = [card.colour, "#fff", 1.5];
      pen.stroke();
      pen.fill();
    }
    const [top, left, high, across] = lens.view, part = [left * wide, top * tall, across * wide, high * tall];
    for (const [colour, width] of [["#fff", 3.5], ["#22272d", 1.5]]) {
      [pen.strokeStyle, pen.lineWidth] = [colour, width];
      pen.strokeRect(...part);
    }
  }
}
