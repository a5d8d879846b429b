// A table that sorts and filters in the browser. One Table lives as long as its element; all foreign text is text only.

const AT_ONCE = 100; // rows that are drawn; a button draws more

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const root = parentElement.querySelector(".found");
  root.table ??= new Table(root);
  root.table.open = (id) => setTriggerValue("open", id);
  root.table.tell = (ids) => setStateValue("ticked", ids);
  root.table.show(data);
}

const made = (tag, text = "", about = {}) => Object.assign(document.createElement(tag), { textContent: text, ...about });

class Table {
  constructor(root) {
    [this.input, this.order, this.output, this.head, this.body, this.more] = [
      "input", "select", "output", "thead tr", "tbody", ".more",
    ].map((name) => root.querySelector(name));
    this.ticked = new Set();
    this.input.addEventListener("input", () => this.change({ words: this.input.value }));
    this.order.addEventListener("change", () => {
      const [column, down] = this.order.value.split(",").map(Number);
      this.change({ sort: [column, Boolean(down)] });
    });
    this.more.addEventListener("click", () => this.draw(this.drawn + 10 * AT_ONCE));
  }

  show(data) {
    this.data = data;
    this.texts = data.rows.map((row) => [row.find, ...row.cells.map(([text]) => text)].join(" ").toLowerCase());
    const before = JSON.parse(sessionStorage.getItem(this.place) ?? "{}");
    this.look = { words: "", sort: data.sort, ...before };
    if (!(this.look.sort[0] in data.columns)) this.look.sort = data.sort;
    this.input.value = this.look.words;
    this.input.placeholder = data.example;
    this.input.parentElement.hidden = !data.find;
    const ids = new Set(data.rows.map((row) => row.id));
    this.ticked = new Set([...this.ticked].filter((id) => ids.has(id)));
    this.draw(AT_ONCE);
  }

  get place() {
    return `sandbox.table.${this.data.key}`; // the look of a table, for when one comes back to its page
  }

  change(look) {
    Object.assign(this.look, look);
    sessionStorage.setItem(this.place, JSON.stringify(this.look));
    this.draw(AT_ONCE);
  }

  get rows() {
    const words = this.look.words.toLowerCase().split(/\s+/).filter(Boolean), [column, down] = this.look.sort;
    const found = this.data.rows.filter((_, k) => words.every((word) => this.texts[k].includes(word)));
    const key = (row) => row.cells[column][1];
    const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : `${a}`.localeCompare(`${b}`));
    return found.sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)));
  }

  draw(most) {
    const rows = this.rows, all = this.data.rows.length;
    this.drawn = most;
    this.heads();
    this.body.replaceChildren(...rows.slice(0, most).map((row) => this.row(row)));
    this.more.hidden = rows.length <= most;
    this.more.textContent = `Show more: ${most.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
    const count = rows.length === all ? "" : `${rows.length.toLocaleString("en")} of `;
    this.output.textContent = rows.length ? `${count}${all.toLocaleString("en")} ${this.data.noun}` : `none of ${all} ${this.data.noun} has all these words`;
  }

  heads() {
    const [sorted, down] = this.look.sort, lead = this.data.ticks ? [made("td", "", { className: "tick" })] : [];
    const heads = this.data.columns.map((name, k) => {
      const head = made("th"), button = made("button", name, { type: "button" });
      head.scope = "col";
      if (k === sorted) {
        head.ariaSort = down ? "descending" : "ascending";
        button.append(made("span", down ? " ↓" : " ↑", { ariaHidden: "true" }));
      }
      button.addEventListener("click", () => this.change({ sort: [k, k === sorted ? !down : false] }));
      head.append(button);
      return head;
    });
    const focused = [...this.head.children].findIndex((head) => head.contains(this.head.getRootNode().activeElement));
    this.head.replaceChildren(...lead, ...heads);
    this.head.children[focused]?.querySelector("button")?.focus();
    const options = this.data.columns.flatMap((name, k) => [`${name} ↑`, `${name} ↓`].map((text, d) => made("option", text, { value: `${k},${d}` })));
    this.order.replaceChildren(...options);
    this.order.value = `${sorted},${Number(down)}`;
  }

  row(row) {
    const line = made("tr", "", { className: row.failed ? "failed" : "" });
    if (this.data.ticks) line.append(this.tick(row));
    row.cells.forEach(([text], k) => {
      const cell = made(k ? "td" : "th", k ? text : "");
      cell.dataset.label = this.data.columns[k];
      if (!text) cell.className = "empty";
      if (!k) {
        cell.scope = "row";
        cell.append(made("a", text, { href: row.href }));
      }
      if (typeof row.cells[k][1] === "number") cell.classList.add("number");
      line.append(cell);
    });
    line.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("label")) return;
      if (String(getSelection()) && !event.target.closest("a")) return; // of a text
      event.preventDefault();
      this.open(row.id);
    });
    return line;
  }

  tick(row) {
    const cell = made("td", "", { className: "tick" }), label = made("label");
    const box = made("input", "", { type: "checkbox", checked: this.ticked.has(row.id) });
    box.ariaLabel = `Tick ${row.cells[0][0]}`;
    box.addEventListener("change", () => {
      this.ticked[box.checked ? "add" : "delete"](row.id);
      this.tell([...this.ticked]);
    });
    label.append(box);
    cell.append(label);
    return cell;
  }
}
