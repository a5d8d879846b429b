"""What the web says to people: what an agent is doing, why an action came to nothing, charts and gauges."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sandbox.core.finish import Finish
from sandbox.core.telling import Chart, Gauge, Transition, unplanned
from sandbox.engine.kernel import twin
from sandbox.worlds.web.compiler.columns import READ, Element, Plan, Role, Template
from sandbox.worlds.web.dynamics.effects import content
from sandbox.worlds.web.rendering.picture import LEGEND
from sandbox.worlds.web.rendering.text import PAGES, elements, instruction, label_text, name
from sandbox.worlds.web.state import FIRST_OFFER, SLOTS, Flag, Info, Item, Params, Session, State, Verb

_ROLES = {"textbox": "field", "searchbox": "search field", "combobox": "list", "menuitem": "menu entry", "tab": "tab"}
_FIELDS = ("textbox", "searchbox")
_CLICKABLE = {role.name.lower() for role in Role if Role.LINK <= role <= Role.COMBOBOX}


def _called(entry: dict) -> str:
    return f"the {_ROLES.get(entry['role'], entry['role'])} “{entry['label']}”"


def _at(seen: list[dict], slot: int) -> dict | None:
    return next((entry for entry in seen if entry["slot"] == slot), None)


def _focused(seen: list[dict]) -> dict | None:
    return next((entry for entry in seen if entry["focused"]), None)


def _is_loading(told: Transition, agent: int) -> bool:
    return bool(told.before.session[0, agent, Session.LOADING] > 0)


# -- what an agent is doing


def doing(told: Transition, agent: int) -> str:
    """The action of an agent in words of its page, and for what it waits."""
    policy, verb = told.policy(agent), told.action(agent)[0]
    if policy != "idle" and _is_loading(told, agent):
        return "waits until the page is loaded"
    if words := unplanned(told, agent, _acts):
        return words
    if policy not in ("rules", "semantic", "oracle") or verb != Verb.WAIT:
        return _acts(told, agent)
    return _lacks(told, agent)


def _acts(told: Transition, agent: int) -> str:
    """The action of the tick."""
    verb, target = told.action(agent)
    if not (0 <= verb < told.params.verbs and 0 <= target < SLOTS):
        return "chose an action that does not exist"
    seen = elements(told.obs, 0, agent, told.params)
    entry, field = _at(seen, target), _focused(seen)
    into = f" into {_called(field)}" if field else ""
    act = {
        Verb.WAIT: "waits", Verb.BACK: "goes back to the page before",
        Verb.SCROLL: "scrolls up" if target == 1 else "scrolls down",
        Verb.CLICK: f"clicks {_called(entry)}" if entry else f"clicks element {target}, which is not there",
        Verb.TYPE: f"types “{_offered(told, agent, target)}”{into}",
        Verb.SELECT: f"chooses “{entry['label']}”" if entry else f"chooses option {target}, which is not there",
    }[Verb(verb)]  # fmt: skip
    return f"{act}, in vain: {told.because(agent, cause)}" if told.outcome(agent) else act


def _offered(told: Transition, agent: int, target: int) -> str:
    return label_text(told.params, 4 * int(told.obs.vector[0, agent, FIRST_OFFER + target]))


def _next(told: Transition, agent: int) -> Any:
    """The next step of an agent's plan, a row of ``Params.plan``; None after the last."""
    own = told.params.template[told.before.info[0, Info.TEMPLATE]]
    plan = told.params.plan[own[Template.PLAN] : own[Template.PLAN] + own[Template.PLANS]]
    left = plan[int(told.memory.notes[0, agent, 0]) :]
    mine = left[left[:, Plan.AGENT] == agent]
    return mine[0] if len(mine) else None


def _lacks(told: Transition, agent: int) -> str:
    """Why an agent that follows a plan waits."""
    step, params = _next(told, agent), told.params
    if step is None:
        return "has done all steps of its plan"
    for other in range(params.agents):
        if other != agent and told.memory.notes[0, other, 0] < told.memory.notes[0, agent, 0]:
            if _next(told, other) is not None:
                return f"waits for {told.names[other]}; then it {_step(told, step)}"
    return f"waits, because it does not find what it {_step(told, step)} next"


def _step(told: Transition, step: Any) -> str:
    """A step of a plan, in the words of the recorded page."""
    params, s = told.params, told.before
    first = params.template[s.info[0, Info.TEMPLATE], Template.ELEMENT]
    row = params.element[first + max(0, step[Plan.ELEMENT])]
    concept = s.value[0, 0, row[Element.VAR]] if row[Element.VAR] >= 0 else row[Element.CONCEPT]
    entry = {"role": Role(row[Element.ROLE]).name.lower(), "label": label_text(params, 4 * int(concept))}
    word = {READ: "reads", Verb.CLICK: "clicks", Verb.TYPE: "fills", Verb.SELECT: "chooses in"}
    return f"{word.get(int(step[Plan.VERB]), 'scrolls to')} {_called(entry)}"


# -- why an action came to nothing


def cause(told: Transition, agent: int) -> str:
    """What made an agent's action impossible."""
    verb, target = told.action(agent)
    if told.outcome(agent) == "failed":
        return ""
    if verb == Verb.WAIT:
        return "waiting takes no number"
    if _is_loading(told, agent):
        return "the page is not loaded yet"
    seen = elements(told.obs, 0, agent, told.params)
    if verb == Verb.CLICK:
        return _unclickable(_at(seen, target), target)
    if verb == Verb.TYPE:
        return _untyped(_focused(seen), target)
    if verb == Verb.SELECT:
        field = _focused(seen)
        is_open = field is not None and field["role"] == "combobox"
        return f"the list has no option {target}" if is_open else "no list is open"
    if verb == Verb.SCROLL:
        ends = {0: "the page ends here", 1: "the page begins here"}
        return ends.get(target, "a page scrolls down (0) or up (1) only")
    if target:
        return "going back takes no number"
    on_top = told.before.session[0, agent, Session.OVER] >= 0
    return "something on top of the page must be closed first" if on_top else "there is no page to go back to"


def _unclickable(entry: dict | None, target: int) -> str:
    if entry is None:
        return f"the page has no element {target}"
    if entry["role"] not in _CLICKABLE:
        return f"{_called(entry)} cannot be clicked"
    return f"{_called(entry)} is {'beyond the fold' if entry['enabled'] else 'disabled'}"


def _untyped(field: dict | None, target: int) -> str:
    if field is None:
        return "no field has the focus"
    return f"there is no text {target}" if field["role"] in _FIELDS else f"{_called(field)} takes no text"


# -- charts and gauges


def _met(s: State, lane: int, params: Params) -> tuple[int, int]:
    """(conditions of the goal that hold, all)."""
    own = params.template[s.info[lane, Info.TEMPLATE]]
    goals = params.goal[own[Template.GOAL] : own[Template.GOAL] + own[Template.GOALS]]
    wanted = [twin(content)(s.value[lane], kind, argument) for _, kind, argument in goals]
    return int((s.register[lane, goals[:, 0]] == wanted).sum()), len(goals)


CHARTS = (
    Chart("Conditions met", "conditions of the goal", lambda s, lane, params: float(_met(s, lane, params)[0])),
    Chart("Pages loaded", "by all agents", lambda s, lane, params: float(s.session[lane, :, Session.LOADS].sum())),
    Chart(
        "Harm done",
        "harmful things, by all agents",
        lambda s, lane, params: float(s.session[lane, :, Session.HARM].sum()),
    ),
)


def gauges(s: State, lane: int, agent: int, params: Params) -> tuple[Gauge, ...]:
    """Conditions, clock, instruction; the page of an agent."""
    if agent >= 0:
        return tuple(_of_agent(s, lane, agent, params))
    met, total = _met(s, lane, params)
    order = Gauge("order", "instruction", text=instruction(s, lane, params))
    return (
        Gauge("score", "conditions met", met, total),
        Gauge("clock", "tick", int(s.tick[lane]), params.max_ticks),
        order,
    )


def _of_agent(s: State, lane: int, agent: int, params: Params) -> Iterator[Gauge]:
    session, first = s.session[lane, agent], int(params.template[s.info[lane, Info.TEMPLATE], Template.PAGE])
    for kind, page in (("page", int(session[Session.PAGE])), ("on top", int(session[Session.OVER]))):
        if page >= 0:
            yield Gauge("fact", kind, text=name(params, PAGES, first + page))
    if session[Session.LOADING]:
        yield Gauge("fact", "loading", int(session[Session.LOADING]), unit="ticks")
    if session[Session.HARM]:
        yield Gauge("fact", "harm done", int(session[Session.HARM]))


def shown(s: State, lane: int, params: Params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    theme = f", theme {s.info[lane, Info.THEME] + 1}" if s.info[lane, Info.THEME] else ""
    found = {name for k, (name, _) in enumerate(LEGEND[: params.agents])}
    return found | {f"button or link{theme}", "browser's bar"} | _signs(s, lane, params)


def _signs(s: State, lane: int, params: Params) -> set[str]:
    own = params.template[s.info[lane, Info.TEMPLATE]]
    rows = params.element[own[Template.ELEMENT] : own[Template.ELEMENT] + own[Template.ELEMENTS]]
    pages = {int(page) for page in s.session[lane, :, [Session.PAGE, Session.OVER]].ravel()}
    there = np.isin(rows[:, Element.PAGE], [*pages]) & (s.item[lane, : len(rows), Item.FLAGS] & Flag.VISIBLE > 0)
    alert = (rows[there, Element.ROLE] == Role.ALERT).any() or (s.session[lane, :, Session.HARM] > 0).any()
    found = {"harm or alert"} if alert else set()
    return found | ({"done"} if s.done[lane] == Finish.COMPLETED else set())
