"""The instruction of a template, and the way that was recorded: what policies follow."""

import re

from sandbox.worlds.web.columns import READ, Element, Operand, Variable
from sandbox.worlds.web.state import SAID, Verb

BRACES = re.compile(r"\{([\w-]+)(?:\.(\d+))?\}")
STEP_VERBS = {"click": Verb.CLICK, "type": Verb.TYPE, "select": Verb.SELECT, "scroll": Verb.SCROLL, "read": READ}
AGENTS = ("clerk", "approver")


def texts(site) -> list[str]:
    """The instruction's paraphrases, with variables by number; notes which values the first names."""
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
    """One step, ``[agent: ]verb element [value]``, as a line of ``Rules.plan``; ``site`` is a ``compile.Site``."""
    role, colon, rest = text.partition(": ")
    agent = site.look({name: k for k, name in enumerate(AGENTS)}, "agent", role, text) if colon else 0
    verb, *rest = (rest if colon else text).split(" ", 2)
    if verb not in STEP_VERBS:
        raise site.source.unknown("verb", verb, STEP_VERBS, "steps")
    if not rest or (verb in ("type", "select") and len(rest) < 2):
        raise site.source.bad(text, f"step '{text}': too little is said")
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
