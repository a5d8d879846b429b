"""From site files to ``Rules``: the templates one after the other, in tables of integers and bytes."""

import numpy as np

from sandbox.worlds.web import glyphs
from sandbox.worlds.web.columns import Element, Template, Variable
from sandbox.worlds.web.compile import Ids, Site
from sandbox.worlds.web.layouts import ALL, COMMON, built_in, load
from sandbox.worlds.web.state import Rules, Verb
from sandbox.worlds.web.vocabulary import LONGEST, Vocabulary, as_bytes

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
    """All names as bytes, and where ids, stems, templates, pages, registers, values begin."""
    lists = [list(ids.whole), [stem for stem, *_ in ids.stems], [site.name for site in own]]
    lists.append([name for site in own for name in site.page_of])
    widest = max(len(site.registers) for site in own)
    lists.append([name for site in own for name in (list(site.registers) + [""] * widest)[:widest]])
    values = [[f"{v}.{k}" if n > 1 else v for v, (_, n) in site.values.items() for k in range(n)] for site in own]
    lists.append([name for names in values for name in names])
    starts = np.cumsum([0, *map(len, lists[:-1])]).astype(np.int32)
    return as_bytes((name for names in lists for name in names), LONGEST), starts


def build(layout: str, agents: int, max_ticks: int, dose: np.ndarray) -> Rules:
    """The rules of a layout: a template's name, ``all``, a path, or a site file's text."""
    own, words, ids = sites(layout, agents)
    starts = dict.fromkeys(("ELEMENT", "PAGE", "VARIABLE", "GOAL", "PLAN"), 0)
    templates, elements, effects = [], [], []
    for site in own:
        templates.append(_template(site, starts))
        for row in site.elements:
            elements.append([*row[: Element.EFFECT], row[Element.EFFECT] + len(effects), *row[Element.EFFECT + 1 :]])
        effects += site.effects
    name, names = _names(own, ids)
    return Rules(
        verbs=len(Verb), noop=int(Verb.WAIT), agents=agents, max_ticks=max_ticks, own=-1 if layout == ALL else 0,
        template=_table(templates, len(Template)), page=_table([p for s in own for p in s.pages], 4),
        element=_table(elements, len(Element)), effect=_table(effects, 4),
        goal=_table([g for s in own for g in s.goal], 3), plan=_table([p for s in own for p in s.plan], 6),
        variable=_table([v for s in own for v in s.variables], len(Variable)),
        stem=_table([[k, *rest] for k, (_, *rest) in enumerate(ids.stems)], 3),
        forms=np.array([len(forms) for forms in words.forms], np.int32), text=words.texts(), name=name, names=names,
        prose=as_bytes((text for s in own for text in s.texts), PROSE), glyph=glyphs.atlas(), dose=dose,
    )  # fmt: skip
