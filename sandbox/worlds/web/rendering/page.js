// A site as its tables say (sandbox.worlds.web.rendering.html): one DOM element per element, effects as in effects.py.
const { elements, pages, sessions, registers, visits, goal } = SITE;
const TAGS = { heading: "h2", text: "span", cell: "span", alert: "p", link: "a", button: "button", tab: "button",
  menuitem: "button", checkbox: "input", radio: "input", textbox: "input", searchbox: "input", combobox: "select",
  option: "option" };
const FIELDS = ["textbox", "searchbox", "combobox"];
let viewer = 0, ticks = 0, finished = false;

const session = () => sessions[viewer];
const shown = (s) => (s.over >= 0 ? s.over : s.page);
const word = (content) => (typeof content === "string" ? content : "");
const held = (e) => (e.role === "checkbox" ? Number(e.checked) : e.value);
const pageOf = (kind, number) => pages.map((p, k) => k).filter((k) => pages[k].kind === kind)[number];
const label = (e) => (e.register >= 0 ? word(registers[e.register]) : e.label);
const here = (e) => e.page === shown(session());
const inView = (e) => e.row >= session().scroll && e.row < session().scroll + SITE.fold;

// -- visits ---------------------------------------------------------------------------------------------------------

function go(agent, page) {
  const s = sessions[agent];
  s.next = page; s.over = s.focus = -1; s.loads += 1;
  s.loading = visits[agent][s.loads][0];
  if (s.loading === 0) arrive(agent);
}

function arrive(agent) {
  const s = sessions[agent], old = s.page;
  let page = s.next;
  const [, kind, variant] = visits[agent][s.loads];
  s.scroll = 0; s.focus = s.over = -1;
  if (kind === "timeout" && s.retries < SITE.retries) page = pageOf("timeout", 0);
  else if (kind === "login" && s.expired < SITE.expired) {
    s.expired += 1;
    page = pageOf("login", 0);
    elements.filter((e) => e.page === page).forEach((e) => { e.value = 0; });
  } else if (kind === "benign" || kind === "hostile") s.over = pageOf(kind, variant);
  if (page !== old && pages[page].kind === "site" && pages[old].kind === "site") s.previous = old;
  s.page = page;
}

// -- effects --------------------------------------------------------------------------------------------------------

function show(e, visible) {
  e.visible = visible;
  if (!visible) sessions.forEach((s) => { if (elements[s.focus] === e) s.focus = -1; });
}

function clear(e) { e.value = 0; e.checked = false; }

function sort(group, values) {
  const own = elements.filter((e) => e.group === group);
  const lines = [...new Set(own.map((e) => e.row))].sort((a, b) => a - b);
  const order = [...new Set(own.map((e) => e.entity))].sort((a, b) => values[a] - values[b]);
  own.forEach((e) => { e.row = lines[order.indexOf(e.entity)]; });
}

const EFFECTS = {
  go: (a) => go(viewer, a), retry: () => { session().retries += 1; go(viewer, session().next); },
  login: () => go(viewer, session().next),
  open: (a) => { session().over = a; session().focus = -1; }, close: () => { session().over = session().focus = -1; },
  set: (a, value) => { registers[a] = value; }, add: (a, n) => { registers[a] += n; },
  save: (a, e) => { registers[a] = held(elements[e]); }, copy: (a, b) => { registers[a] = registers[b]; },
  show: (a) => show(elements[a], true), hide: (a) => show(elements[a], false),
  toggle: (a) => show(elements[a], !elements[a].visible), enable: (a) => { elements[a].enabled = true; },
  clear: (a) => clear(elements[a]), wipe: () => elements.forEach(clear), harm: () => { session().harm += 1; },
  filter: (group, words, field) => elements.filter((e) => e.group === group).forEach((e) =>
    show(e, elements[field].value === 0 || words[e.entity] === elements[field].value)),
  sort,
  if: (a, value) => held(elements[a]) === value, where: (a, value) => registers[a] === value,
};

function clicked(e) {
  const s = session();
  s.focus = FIELDS.includes(e.role) ? elements.indexOf(e) : -1;
  if (e.role === "checkbox") e.checked = !e.checked;
  if (e.role === "radio") {
    elements.filter((o) => o.role === "radio" && o.page === e.page && o.parent === e.parent)
      .forEach((o) => { o.checked = false; });
    e.checked = true;
  }
  for (const [op, a, b, c] of e.effects) if (EFFECTS[op](a, b, c) === false) break;
  draw();
}

// -- the document ---------------------------------------------------------------------------------------------------

function node(e) {
  const n = document.createElement(TAGS[e.role]);
  n.id = e.id; n.dataset.element = elements.indexOf(e);
  if (["alert", "cell", "menuitem", "tab"].includes(e.role)) n.setAttribute("role", e.role);
  if (n.tagName === "INPUT") n.type = { checkbox: "checkbox", radio: "radio", searchbox: "search" }[e.role] || "text";
  if (n.tagName === "INPUT" || n.tagName === "SELECT") n.setAttribute("aria-label", label(e));
  else n.textContent = label(e);
  if (e.role === "link") n.href = "#";
  if (e.role === "option") n.value = e.id;
  n.disabled = !e.enabled;
  if (e.role === "checkbox" || e.role === "radio") n.checked = e.checked;
  if (e.role === "textbox" || e.role === "searchbox") {
    n.value = word(e.value);
    n.addEventListener("input", () => { e.value = n.value === "" ? 0 : n.value; });
  }
  if (e.role === "combobox") {
    n.append(new Option("", ""), ...elements.filter((o) => o.role === "option" && elements[o.parent] === e && o.visible)
      .sort((a, b) => a.col - b.col).map(node));
    n.value = ([...n.options].find((o) => o.dataset.element && elements[o.dataset.element].word === e.value) || {}).value || "";
    n.addEventListener("change", () => { e.value = elements[n.selectedOptions[0].dataset.element].word; });
  }
  if (FIELDS.includes(e.role)) n.addEventListener("focus", () => { if (session().focus !== +n.dataset.element) clicked(e); });
  else n.addEventListener("click", (event) => { if (e.role === "link") event.preventDefault(); clicked(e); });
  return n;
}

function section(page) {
  const box = document.createElement("section"), s = session();
  box.setAttribute("role", page === s.over ? "dialog" : "region");
  box.setAttribute("aria-label", pages[page].name);
  if (page === s.over) box.className = "dialog";
  const own = elements.filter((e) => e.page === page && e.visible && e.role !== "option");
  for (let row = s.scroll; row < Math.min(pages[page].lines, s.scroll + SITE.fold); row += 1) {
    const line = document.createElement("div");
    line.className = "line"; line.dataset.row = row;
    line.append(...own.filter((e) => e.row === row).sort((a, b) => a.col - b.col).map(node));
    box.append(line);
  }
  return box;
}

let drawing = false;
function draw() {
  if (drawing) return;
  drawing = true;
  const s = session(), main = document.querySelector("main");
  document.querySelector("#address").textContent = s.loading > 0 ? "Loading ..." : pages[shown(s)].name;
  main.replaceChildren(...(s.loading > 0 ? [] : [section(shown(s))]));
  document.querySelector("#browser-back").disabled = !canGoBack();
  if (s.focus >= 0) main.querySelector(`[data-element="${s.focus}"]`)?.focus();
  drawing = false;
}

const canGoBack = () => session().loading === 0 && session().previous >= 0 && session().over < 0
  && pages[session().page].kind === "site";

document.querySelector("#browser-back").addEventListener("click", () => { go(viewer, session().previous); draw(); });
document.addEventListener("keydown", (event) => {
  const s = session(), most = Math.max(0, pages[shown(s)].lines - SITE.fold);
  if (event.key === "PageDown" && s.scroll < most) s.scroll = Math.min(s.scroll + SITE.scroll, most);
  else if (event.key === "PageUp") s.scroll = Math.max(s.scroll - SITE.scroll, 0);
  else return;
  event.preventDefault();
  draw();
});

function look(agent) { viewer = agent; draw(); }

function tick() {
  sessions.forEach((s, agent) => { if (s.loading > 0 && --s.loading === 0) arrive(agent); });
  ticks += 1;
  finished = goal.every(([r, value]) => registers[r] === value);
  document.body.dataset.verdict = finished ? "completed" : "running";
  draw();
}

document.body.dataset.theme = SITE.theme;
document.querySelector("#task").textContent = SITE.instruction;
draw();
