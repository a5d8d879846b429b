"""Compile site files to tables: pages, elements, effects, the goal, and the recorded solution.

Pages, elements, effects, values and registers of a template are numbered from 0.
"""

import re
from dataclasses import dataclass, field

import numpy as np

from sandbox.engine import letters
from sandbox.engine.letters import as_bytes
from sandbox.worlds.web.compiler.columns import READ, Element, Kind, Op, Operand, Role, Template, Variable
from sandbox.worlds.web.compiler.vocabulary import FORMS, LONGEST, Vocabulary
from sandbox.worlds.web.layouts import ALL, COMMON, Source, built_in, load
from sandbox.worlds.web.state import SAID, SLOTS, STEMS, WORD, Flag, Params, Verb

# -- plans: the instruction of a template, and its recorded solution, which policies follow

BRACES = re.compile(r"\{([\w-]+)(?:\.(\d+))?\}")
STEP_VERBS = {"click": Verb.CLICK, "type": Verb.TYPE, "select": Verb.SELECT, "scroll": Verb.SCROLL, "read": READ}
AGENTS = ("clerk", "approver")


def texts(site) -> list[str]:
    """The paraphrases of the instruction, with variables by number; notes the values that the first one names."""
    texts = site.need("texts")
    if len(texts) != 3:
        raise site.source.bad("texts", f"{len(texts)} texts, expected 3 paraphrases")
    numbered = [site.with_entity(text, 0) for text in texts]
    named = ["account", "password", *(f"{m[1]}.{m[2] or 0}" for m in BRACES.finditer(texts[0]))]
    for place, name in enumerate(dict.fromkeys(site.variable(name, 0) for name in named)):
        if place >= SAID:
            raise site.source.bad("texts", f"an instruction names {SAID - 2} values at most")
        site.variables[name][Variable.SAID] = place
    return numbered


def step(site, text: str) -> list[int]:
    """One step, ``[agent: ]verb element [value]``, as a line of ``Params.plan``; ``site`` is a ``compile.Site``."""
    role, colon, rest = text.partition(": ")
    agent = site.look({name: k for k, name in enumerate(AGENTS)}, "agent", role, text) if colon else 0
    verb, *rest = (rest if colon else text).split(" ", 2)
    if verb not in STEP_VERBS:
        raise site.source.unknown("verb", verb, STEP_VERBS, "steps")
    if not rest or (verb in ("type", "select") and len(rest) < 2):
        raise site.source.bad(text, f"step '{text}': incomplete")
    code = STEP_VERBS[verb]
    if code == Verb.SCROLL:
        return [agent, code, -1, Operand.CONTENT, int(rest[0] == "up"), -1]
    element = site.element(rest[0], 0, text)
    option = site.element(f"{rest[0]}-{rest[1]}".replace(" ", "-"), 0, text) if code == Verb.SELECT else -1
    kind, argument = site.operand(rest[1], 0, text) if code == Verb.TYPE else (0, 0)
    if code == Verb.TYPE and kind == Operand.CONTENT:
        raise site.source.bad(text, f"step '{text}': only values of the task can be typed")
    named = [site.elements[e][Element.ID_VAR] for e in (element, option) if e >= 0]
    for variable in (*named, argument if kind == Operand.VALUE else -1):
        if variable >= 0 and site.variables[variable][Variable.SAID] < 0:
            raise site.source.bad(text, f"step '{text}': it needs a value that the instruction does not name")
    return [agent, code, element, kind, argument, option]


# -- compile

ROLES = {role.name.lower(): role for role in Role if role}
ELEMENT_KEYS = ("id", "do", "options", "group", "hidden", "disabled")
PAGE_KEYS = ("name", "kind", "lines")
FIELDS = (Role.TEXTBOX, Role.SEARCHBOX, Role.COMBOBOX, Role.CHECKBOX)


@dataclass
class Ids:
    """Ids of all templates: literal ones, and stems that a value completes, such as ``open-{sender}``."""

    whole: dict[str, int] = field(default_factory=dict)
    stems: dict[tuple[str, int, int], int] = field(default_factory=dict)  # (text, category's first concept, words)


class Site:
    """One template, compiled; each list of lists is a table of ``Params``."""

    def __init__(self, name: str, source: Source, read: dict, common: dict, words: Vocabulary, ids: Ids):
        self.name, self.source, self.read, self.words, self.ids = name, source, read, words, ids
        self.values: dict[str, tuple[int, int]] = {}  # name -> first variable, how many
        self.registers: dict[str, int] = {}
        self.element_of: dict[str, int] = {}  # id with its entity -> element
        self.groups: dict[tuple[int, str], int] = {}  # (page, value) -> group of rows
        self.group_count = 0
        self.elements, self.effects, self.pages, self.variables = [], [], [], []
        self.labels: list[str] = []  # of each element, as written
        self._todo: list[tuple[int, list[str], int]] = []  # element, effects as text, entity
        self.agents = self._number("agents", 1)
        for text, synonyms in read.get("synonyms", {}).items():
            self._word([text, *synonyms][:FORMS])
        for key, given in {**common["values"], **read.get("values", {})}.items():
            self._value(key, given)
        self._page_list = [*self.need("page"), *common["page"]]
        self.page_of: dict[str, int] = {}
        for k, page in enumerate(self._page_list):
            self._page_name(k, page)
        for k, page in enumerate(self._page_list):
            self._page(k, page)
        for element, effects, entity in self._todo:
            self._effects(element, effects, entity)
        self.goal = [self._goal(key, value) for key, value in self.need("goal").items()]
        if not any(kind != Operand.CONTENT or value for _, kind, value in self.goal):
            raise source.bad("[goal]", "the goal holds from the start; expected a register that must be set")
        self.texts = texts(self)
        self.plan = [step(self, text) for text in self.need("steps")]
        starts = read.get("start") or self._page_list[0]["name"]
        self.starts = [self.look(self.page_of, "page", p) for p in ([starts] if isinstance(starts, str) else starts)]

    # -- small parts ---------------------------------------------------------------------------------------------------

    def need(self, key: str):
        if not self.read.get(key):
            raise self.source.bad("", f"expected '{key}'")
        return self.read[key]

    def _number(self, key: str, default: int) -> int:
        value = self.read.get(key, default)
        if value not in (1, 2):
            raise self.source.bad(key, f"{key} is {value!r}, expected 1 or 2")
        return value

    def look(self, known: dict, kind: str, name: str, after: str = "") -> int:
        if name not in known:
            raise self.source.unknown(kind, name, known, after)
        return known[name]

    def _word(self, forms: list[str], after: str = "[synonyms]") -> int:
        """The concept of these forms, a new one if they are new."""
        if forms == forms[:1] and forms[0] in self.words.index:
            return self.words.index[forms[0]]
        for form in forms:
            if form in self.words.known:
                raise self.source.bad(form, f"'{form}' is another form of a label, or a label already", after)
            if len(form) > LONGEST:
                raise self.source.bad(form, f"a label has {LONGEST} characters at most, this one {len(form)}", after)
        return self.words.add(forms)

    def _value(self, key: str, given) -> None:
        given = {"kind": given} if isinstance(given, str) else given
        for option in given:
            if option not in ("kind", "count"):
                raise self.source.unknown("key", option, ("kind", "count"), key)
        first, words = self.look(self.words.category, "kind of value", given.get("kind"), "[values]")
        count = given.get("count", 1)
        if not isinstance(count, int) or not 1 <= count <= min(8, words):
            raise self.source.bad(key, f"count is {count!r}, expected 1..{min(8, words)}")
        self.values[key] = (len(self.variables), count)
        self.variables += ([first, words, -1] for _ in range(count))
        if len(self.variables) > SLOTS:
            raise self.source.bad(key, f"more than {SLOTS} values in all")

    def variable(self, name: str, entity: int, after: str = "") -> int:
        """Index of ``name`` or ``name.k``; a list without ``.k`` means the row's own, outside rows the first."""
        name, _, k = name.partition(".")
        first, count = self.look(self.values, "value", name, after)
        k = int(k) if k else min(entity, count - 1)
        if k >= count:
            raise self.source.bad(name, f"value '{name}' has {count} entries, asked for number {k}", after)
        return first + k

    def with_entity(self, text: str, entity: int) -> str:
        return BRACES.sub(lambda m: f"{{{self.variable(f'{m[1]}.{m[2]}' if m[2] else m[1], entity, text)}}}", text)

    def element(self, text: str, entity: int, after: str) -> int:
        """The element of an id such as ``save`` or ``open-{sender}``."""
        return self.look(self.element_of, "id", self.with_entity(text, entity), after)

    def register(self, name: str) -> int:
        return self.registers.setdefault(name, len(self.registers))

    def operand(self, text, entity: int, after: str = "") -> tuple[int, int]:
        """(Operand, argument) of a number, ``{value}``, ``noted``, or a text."""
        if isinstance(text, int) or re.fullmatch(r"-?\d+", text):
            return Operand.CONTENT, self._count(text, after)
        found = BRACES.fullmatch(text)
        if found:
            return Operand.VALUE, self.variable(f"{found[1]}.{found[2]}" if found[2] else found[1], entity, after)
        return (Operand.NOTED, 0) if text == "noted" else (Operand.CONTENT, WORD + self._word([text], after))

    def _count(self, text: str | int, after: str) -> int:
        """A number of a register; from ``WORD`` on they are words."""
        if len(str(text)) > len(str(-WORD)) or not -WORD < int(text) < WORD:
            raise self.source.bad(str(text)[:60], f"{str(text)[:60]}: expected a number below {WORD:,}", after)
        return int(text)

    # -- pages ---------------------------------------------------------------------------------------------------------

    def _page_name(self, k: int, page: dict) -> None:
        for key in page:
            if key not in PAGE_KEYS:
                raise self.source.unknown("key", key, PAGE_KEYS, "[[page]]")
        if not page.get("name") or not page.get("lines"):
            raise self.source.bad("[[page]]", "a page needs 'name' and 'lines'")
        if page["name"] in self.page_of:
            raise self.source.bad(page["name"], f"page '{page['name']}' is there twice")
        self.page_of[page["name"]] = k

    def _page(self, k: int, page: dict) -> None:
        kind = str(page.get("kind", "site")).upper()
        if kind not in Kind.__members__:
            raise self.source.unknown("kind of page", page["kind"], [m.lower() for m in Kind.__members__], page["name"])
        first, line = len(self.elements), 0
        for entry in page["lines"]:
            if isinstance(entry, dict) and "each" in entry:
                _, count = self.look(self.values, "value", entry["each"], page["name"])
                group, self.group_count = self.group_count, self.group_count + 1
                self.groups[k, entry["each"]] = group
                for entity in range(count):
                    for col, cell in enumerate(entry.get("of", [])):
                        named = {"id": f"{page['name']}-{col}-{{{entry['each']}}}", **cell}
                        self._element(k, page, named, line, col, entity, (group, entity, count, 0))
                line += count
                continue
            col = 0
            for cell in entry if isinstance(entry, list) else [entry]:
                col += self._element(k, page, cell, line, col, 0, (-1, 0, 0, 0))
            line += 1
        if len(self.elements) - first > SLOTS:
            raise self.source.bad(page["name"], f"a page holds {SLOTS} elements, this one {len(self.elements) - first}")
        self.pages.append([first, len(self.elements) - first, Kind[kind], line])

    def _element(self, page: int, own: dict, cell: dict, line: int, col: int, entity: int, group: tuple) -> int:
        """Add one element, and the options of a combobox; returns how many columns it takes."""
        role = next((key for key in cell if key in ROLES), None)
        for key in cell:
            if key not in ROLES and key not in ELEMENT_KEYS:
                raise self.source.unknown("role or key", key, (*ROLES, *ELEMENT_KEYS), own["name"])
        if role is None:
            raise self.source.bad(own["name"], f"an element without a role; expected one of {', '.join(ROLES)}")
        row = [-1] * len(Element)
        row[Element.ROLE], row[Element.LINE], row[Element.COL], row[Element.PAGE] = ROLES[role], line, col, page
        row[Element.GROUP], row[Element.ENTITY], row[Element.COUNT], row[Element.ACROSS] = group
        row[Element.FLAGS] = Flag.VISIBLE * (not cell.get("hidden")) + Flag.ENABLED * (not cell.get("disabled"))
        row[Element.PARENT] = self.register(cell["group"]) if "group" in cell else -1
        self._label(row, str(cell[role]), entity, own["name"])
        key = self._id(row, cell.get("id", f"{own['name']}-{line}-{col}"), entity)
        if key in self.element_of:
            raise self.source.bad(cell.get("id", key), f"id '{key}' is there twice", own["name"])
        index = self.element_of[key] = len(self.elements)
        self.elements.append(row)
        self.labels.append(str(cell[role]))
        self._todo.append((index, cell.get("do", []), entity))
        return 1 + self._options(index, cell, key, line, col, page)

    def _options(self, index: int, cell: dict, key: str, line: int, col: int, page: int) -> int:
        given = cell.get("options", [])
        listed = [given] if isinstance(given, str) else given
        found = BRACES.fullmatch(given) if isinstance(given, str) else None
        if found:
            _, count = self.look(self.values, "value", found[1], cell.get("id", ""))
            listed = [f"{{{found[1]}.{k}}}" for k in range(count)]
            group, self.group_count = self.group_count, self.group_count + 1
        for k, text in enumerate(listed):
            row = [-1] * len(Element)
            row[Element.ROLE], row[Element.LINE], row[Element.COL] = Role.OPTION, line, col + 1 + (0 if found else k)
            row[Element.GROUP], row[Element.ENTITY], row[Element.COUNT] = (group if found else -1), k, len(listed)
            row[Element.ACROSS], row[Element.PARENT], row[Element.PAGE] = 1, index, page
            row[Element.FLAGS] = Flag.VISIBLE + Flag.ENABLED
            self._label(row, text, 0, key)
            own = self._id(row, f"{key}-{text}".replace(" ", "-"), 0)
            self.element_of[own] = len(self.elements)
            self.elements.append(row)
            self.labels.append(text)
            self._todo.append((len(self.elements) - 1, [], 0))
        return len(listed)

    def _label(self, row: list[int], text: str, entity: int, after: str) -> None:
        found = BRACES.fullmatch(text)
        if found:
            row[Element.VAR] = self.variable(f"{found[1]}.{found[2]}" if found[2] else found[1], entity, after)
        elif text.startswith("="):
            row[Element.REGISTER] = self.register(text[1:])
        else:
            row[Element.CONCEPT] = self._word([text], after)

    def _id(self, row: list[int], text: str, entity: int) -> str:
        """Set the id's code; returns the id with its entity, by which effects and steps name the element."""
        found = BRACES.search(text)
        if found:
            row[Element.ID_VAR] = self.variable(f"{found[1]}.{found[2]}" if found[2] else found[1], entity, text)
            stem = (text[: found.start()], *self.variables[row[Element.ID_VAR]][: Variable.SAID])
            row[Element.STEM] = self.ids.stems.setdefault(stem, len(self.ids.stems))
        else:
            row[Element.STEM] = self.ids.whole.setdefault(text, len(self.ids.whole))
            if row[Element.STEM] >= STEMS:
                raise self.source.bad(text, f"more than {STEMS} ids in all")
        return self.with_entity(text, entity)

    # -- effects, goal, plan -------------------------------------------------------------------------------------------

    def _effects(self, element: int, listed: list[str], entity: int) -> None:
        row = self.elements[element]
        row[Element.EFFECT], row[Element.EFFECTS] = len(self.effects), 0
        for text in listed:
            verb, *rest = text.split(" ", 2)
            if verb.upper() not in Op.__members__:
                raise self.source.unknown("effect", verb, [op.name.lower() for op in Op], text)
            for effect in self._effect(Op[verb.upper()], rest, entity, text, row[Element.PAGE]):
                self.effects.append([Op[verb.upper()], *effect])
        row[Element.EFFECTS] = len(self.effects) - row[Element.EFFECT]

    def _effect(self, op: Op, rest: list[str], entity: int, text: str, page: int) -> list[list[int]]:
        """Arguments a, b, c of an effect; several if it names several elements."""
        try:
            if op in (Op.GO, Op.OPEN):
                return [[self.look(self.page_of, "page", rest[0], text), 0, 0]]
            if op in (Op.SET, Op.WHERE):
                return [[self.register(rest[0]), *self.operand(rest[1], entity, text)]]
            if op == Op.ADD:
                return [[self.register(rest[0]), 0, self._count(rest[1], text)]]
            if op == Op.SAVE:
                return [[self.register(rest[1]), self.element(rest[0], entity, text), 0]]
            if op == Op.COPY:
                return [[self.register(rest[1]), self.register(rest[0]), 0]]
            if op == Op.IF:
                return [[self.element(rest[0], entity, text), *self.operand(rest[1], entity, text)]]
            if op in (Op.SHOW, Op.HIDE, Op.TOGGLE, Op.ENABLE, Op.CLEAR):
                return [[self.element(name, entity, text), 0, 0] for name in " ".join(rest).split()]
            if op in (Op.FILTER, Op.SORT):
                group = self.look({v: g for (p, v), g in self.groups.items() if p == page}, "rows", rest[0], text)
                column, *by = rest[1].split(" ")
                return [[group, self.variable(f"{column}.0", 0, text), self.element(by[0], entity, text) if by else 0]]
            return [[0, 0, 0]]
        except (IndexError, ValueError):
            raise self.source.bad(text, f"effect '{text}': incomplete") from None

    def _goal(self, key: str, value) -> list[int]:
        if key not in self.registers:
            raise self.source.unknown("register", key, self.registers, "[goal]")
        if not isinstance(value, int | str):
            raise self.source.bad(key, f"goal: {value!r}, expected a number or a text")
        return [self.registers[key], *self.operand(value, 0, "[goal]")]


# -- build: from site files to ``Params``: all templates in tables of integers and bytes

PROSE = 240  # characters of one instruction


def sites(layout: str, agents: int) -> tuple[list[Site], Vocabulary, Ids]:
    """The templates of a layout, compiled; raises UsageError for a bad file."""
    words, ids = Vocabulary(), Ids()
    _, common = built_in(COMMON)
    return [Site(name, source, read, common, words, ids) for name, source, read in load(layout, agents)], words, ids


def _table(rows: list, width: int) -> np.ndarray:
    return np.array(rows, np.int32).reshape(-1, width)


def _template(site: Site, starts: dict[str, int]) -> list[int]:
    row = [0] * len(Template)
    counts = {"ELEMENT": site.elements, "PAGE": site.pages, "VARIABLE": site.variables, "GOAL": site.goal}
    for name, rows in {**counts, "PLAN": site.plan}.items():
        row[Template[name]], row[Template[f"{name}S"]] = starts[name], len(rows)
        starts[name] += len(rows)
    row[Template.START], row[Template.START_OTHER] = site.starts[0], site.starts[-1]
    row[Template.AGENTS], row[Template.REGISTERS] = site.agents, len(site.registers)
    return row


def _names(own: list[Site], ids: Ids) -> tuple[np.ndarray, np.ndarray]:
    """All names as bytes (M, 28) uint8, and the first row of ids, stems, templates, pages, registers, values."""
    lists = [list(ids.whole), [stem for stem, *_ in ids.stems], [site.name for site in own]]
    lists.append([name for site in own for name in site.page_of])
    widest = max(len(site.registers) for site in own)
    lists.append([name for site in own for name in (list(site.registers) + [""] * widest)[:widest]])
    values = [[f"{v}.{k}" if n > 1 else v for v, (_, n) in site.values.items() for k in range(n)] for site in own]
    lists.append([name for names in values for name in names])
    starts = np.cumsum([0, *map(len, lists[:-1])]).astype(np.int32)
    return as_bytes((name for names in lists for name in names), LONGEST), starts


def build(layout: str, agents: int, max_ticks: int, severity: np.ndarray) -> Params:
    """Params of a layout: a template's name, ``all``, a path, or a site file's text."""
    own, words, ids = sites(layout, agents)
    starts = dict.fromkeys(("ELEMENT", "PAGE", "VARIABLE", "GOAL", "PLAN"), 0)
    templates, elements, effects = [], [], []
    for site in own:
        templates.append(_template(site, starts))
        for row in site.elements:
            elements.append([*row[: Element.EFFECT], row[Element.EFFECT] + len(effects), *row[Element.EFFECT + 1 :]])
        effects += site.effects
    name, names = _names(own, ids)
    return Params(
        verbs=len(Verb), noop=int(Verb.WAIT), agents=agents, max_ticks=max_ticks, own=-1 if layout == ALL else 0,
        template=_table(templates, len(Template)), page=_table([p for s in own for p in s.pages], 4),
        element=_table(elements, len(Element)), effect=_table(effects, 4),
        goal=_table([g for s in own for g in s.goal], 3), plan=_table([p for s in own for p in s.plan], 6),
        variable=_table([v for s in own for v in s.variables], len(Variable)),
        stem=_table([[k, *rest] for k, (_, *rest) in enumerate(ids.stems)], 3),
        forms=np.array([len(forms) for forms in words.forms], np.int32), text=words.texts(), name=name, names=names,
        prose=as_bytes((text for s in own for text in s.texts), PROSE), glyph=letters.atlas(), severity=severity,
    )  # fmt: skip
