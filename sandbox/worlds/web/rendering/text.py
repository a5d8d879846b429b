"""A site as text: labels, ids and contents, an observation for a language model, the verbs as tool schemas."""

import re
from functools import lru_cache

import numpy as np

from sandbox.core.world import Observation
from sandbox.worlds.web.compiler.columns import Role, Template, Variable
from sandbox.worlds.web.compiler.vocabulary import LONGEST, as_text
from sandbox.worlds.web.state import (
    BASE,
    CHANGED,
    ENTITIES,
    FIRST_OFFER,
    FIRST_SAID,
    SIDE,
    SLOTS,
    STEMS,
    WORD,
    Column,
    Flag,
    Info,
    Params,
    State,
    Verb,
)  # fmt: skip

IDS, STEM, TEMPLATES, PAGES, REGISTERS, VALUES = range(6)  # lists of names, see Params.names
ROLES = ("clerk", "approver")
_MEANING = {
    Verb.WAIT: "Wait one tick.",
    Verb.CLICK: "Click the element with this number: press it, tick it, or put the focus on it.",
    Verb.TYPE: "Replace what the focused field holds by the text with this number.",
    Verb.SELECT: "Choose the option with this number in the focused list.",
    Verb.SCROLL: "Scroll the page: 0 down, 1 up.",
    Verb.BACK: "Go back to the page before.",
}
_ARGUMENT = {Verb.CLICK: "element", Verb.TYPE: "text", Verb.SELECT: "option", Verb.SCROLL: "direction"}


def tools(params: Params) -> list[dict]:
    """The verbs as JSON schemas; ``target`` is the number of an element or of a value to type in ``render_text``."""
    schemas = []
    for verb in Verb:
        target = {"type": "integer", "minimum": 0, "maximum": 1 if verb == Verb.SCROLL else SLOTS - 1}
        properties = (
            {"target": {**target, "description": f"number of the {_ARGUMENT[verb]}"}} if verb in _ARGUMENT else {}
        )
        schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
        schemas.append({"name": verb.name.lower(), "description": _MEANING[verb], "parameters": schema})
    return schemas


# -- codes -------------------------------------------------------------------------------------------------------------


def label_text(params: Params, code: int) -> str:
    """The text of a label's code."""
    return as_text(params.text[code])


@lru_cache(maxsize=8)
def _codes(texts: bytes, width: int) -> dict[str, int]:
    rows = np.frombuffer(texts, np.uint8).reshape(-1, width)
    return {as_text(row): code for code, row in reversed(list(enumerate(rows)))}


def label_code(params: Params, text: str) -> int | None:
    """The label code of a text; None: no label has that text."""
    return _codes(params.text.tobytes(), params.text.shape[1]).get(text)


def name(params: Params, kind: int, number: int) -> str:
    """An entry of one of the lists of names."""
    return as_text(params.name[params.names[kind] + number])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def id_text(params: Params, code: int) -> str:
    """The text of an id's code."""
    if code >= CHANGED:
        return f"gen-{code - CHANGED:03x}"
    if code < STEMS:
        return name(params, IDS, code)
    stem, word = divmod(code - STEMS, ENTITIES)
    return name(params, STEM, stem) + _slug(label_text(params, 4 * (int(params.stem[stem, 1]) + word)))


@lru_cache(maxsize=8)
def _id_codes(names: bytes, stems: bytes, words: bytes) -> dict[str, int]:
    """Codes of all ids of a site by their text; ``names`` begins with ids and stems, ``words`` are the first forms."""
    rows = [as_text(row) for row in np.frombuffer(names, np.uint8).reshape(-1, LONGEST)]
    first = [_slug(as_text(row)) for row in np.frombuffer(words, np.uint8).reshape(-1, LONGEST)]
    table = np.frombuffer(stems, np.int32).reshape(-1, 3)
    ids = len(rows) - len(table)
    found = {text: code for code, text in enumerate(rows[:ids])}
    for stem, (_, concept, count) in enumerate(table.tolist()):
        for word in range(count):
            found[rows[ids + stem] + first[concept + word]] = STEMS + ENTITIES * stem + word
    return found


def id_code(params: Params, text: str) -> int | None:
    """The code of an id's text; None: no element can have that id."""
    if re.fullmatch(r"gen-[0-9a-f]{3}", text):
        return CHANGED + int(text[4:], 16)
    names, words = params.name[: params.names[TEMPLATES]], params.text[::4]
    return _id_codes(names.tobytes(), params.stem.tobytes(), words.tobytes()).get(text)


def content_value(params: Params, content: int) -> int | str:
    """A content as a JSON value: a number, or a word."""
    return label_text(params, 4 * (content - WORD)) if content >= WORD else int(content)


# -- instructions ------------------------------------------------------------------------------------------------------


def _fill(params: Params, template: int, number: int, word) -> str:
    text = as_text(params.prose[3 * template + number])
    return re.sub(r"\{(\d+)\}", lambda match: word(int(match[1])), text)


def instruction(s: State, lane: int, params: Params, number: int = 0) -> str:
    """The lane's own instruction, in one of three paraphrases."""
    values = s.value[lane, 0]
    return _fill(params, int(s.info[lane, Info.TEMPLATE]), number, lambda k: label_text(params, 4 * int(values[k])))


def _told(vector, params: Params) -> str:
    template = int(vector[Column.TEMPLATE])
    first = params.template[template, Template.VARIABLE]

    def word(k: int) -> str:
        return label_text(params, 4 * int(vector[FIRST_SAID + params.variable[first + k, Variable.SAID]]))

    return _fill(params, template, (template + int(vector[FIRST_SAID])) % 3, word)


# -- an observation ----------------------------------------------------------------------------------------------------


def elements(obs: Observation, lane: int, agent: int, params: Params) -> list[dict]:
    """The elements of an observation as JSON values, by slot."""
    window, found = obs.window[lane, agent].astype(int), []
    for slot in range(SLOTS):
        i, j = slot // SIDE, slot % SIDE
        role, high, low, id_high, id_low, bits, row, col, value_high, value_low = window[:, i, j]  # see Channel
        if role:
            entry = {"slot": slot, "role": Role(role).name.lower(), "label": label_text(params, high * BASE + low)}
            entry |= {"id": id_text(params, id_high * BASE + id_low), "row": int(row), "col": int(col)}
            entry |= {flag.name.lower(): bool(bits & flag) for flag in list(Flag)[1:]}
            found.append(entry | {"value": label_text(params, 4 * (value_high * BASE + value_low))})
    return found


def _line(entry: dict) -> str:
    holds = entry["role"] in ("textbox", "searchbox", "combobox")
    states = [f"value '{entry['value']}'"] if holds else []
    states += ["ticked"] if entry["checked"] else []
    states += ["focused"] if entry["focused"] else []
    states += [] if entry["enabled"] else ["disabled"]
    states += [] if entry["in_view"] else ["beyond the fold"]
    note = f" ({', '.join(states)})" if states else ""
    return f"[{entry['slot']}] row {entry['row']}: {entry['role']} '{entry['label']}' #{entry['id']}{note}"


def _can(mask) -> str:
    legal = mask.reshape(len(Verb), SLOTS)
    parts = ["wait"]
    for verb in (Verb.CLICK, Verb.TYPE, Verb.SELECT):
        if legal[verb].any():
            parts.append(f"{verb.name.lower()} {', '.join(map(str, np.flatnonzero(legal[verb])))}")
    parts += [f"scroll {k} ({way})" for k, way in enumerate(("down", "up")) if legal[Verb.SCROLL, k]]
    return "; ".join(parts + (["back"] if legal[Verb.BACK, 0] else []))


def render_text(obs: Observation, lane: int, agent: int, params: Params) -> str:
    """What one agent sees, in sentences. The text says nothing that is not in the arrays."""
    vector = obs.vector[lane, agent]
    page = int(vector[Column.PAGE])
    lines = [f"You are agent {agent}, the {ROLES[agent]}. Your task: {_told(vector, params)}"]
    account, password = (label_text(params, 4 * int(vector[FIRST_SAID + k])) for k in range(2))
    lines.append(f"If you must log in: user name {account}, password {password}.")
    if vector[Column.LOADING]:
        return "\n".join([*lines, "The page is loading.", "You can: wait."])
    lines.append(f"{'On top of the page' if vector[Column.ON_TOP] else 'Page'} '{name(params, PAGES, page)}':")
    lines += map(_line, elements(obs, lane, agent, params))
    words = [label_text(params, 4 * int(code)) for code in vector[FIRST_OFFER:] if code]
    if obs.mask[lane, agent, Verb.TYPE * SLOTS]:
        lines.append("Texts to type: " + ", ".join(f"{k} '{word}'" for k, word in enumerate(words)) + ".")
    return "\n".join([*lines, f"You can: {_can(obs.mask[lane, agent])}."])
