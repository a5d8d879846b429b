"""Interventions in a running site: a pop-up on an agent's page, or its session expires."""

from collections.abc import Iterator
from random import Random

from sandbox.core.intervention import Aim, Intervention, changed, pick
from sandbox.worlds.web.compiler.columns import Kind, Page, Template
from sandbox.worlds.web.dynamics.visits import MOST_EXPIRED
from sandbox.worlds.web.rendering.text import PAGES, TEMPLATES, name
from sandbox.worlds.web.state import Params

_READING = "an agent on a page of the site, loaded and with nothing on top"


def _pages(params: Params, own: int, kind: Kind) -> Iterator[str]:
    """The names of a template's pages of a kind."""
    first = int(params.template[own, Template.PAGE])
    for page in range(first, first + int(params.template[own, Template.PAGES])):
        if params.page[page, Page.KIND] == kind:
            yield name(params, PAGES, page)


def _template(params: Params, given: dict) -> int:
    return next(k for k in range(len(params.template)) if name(params, TEMPLATES, k) == given["task"])


def _reading(params: Params, given: dict, own: int) -> list[int]:
    site, agents = set(_pages(params, own, Kind.SITE)), given["agents"]
    return [k for k, a in enumerate(agents) if a["page"] in site and a["over"] is None and a["loading"] == 0]


def _pop_up(kind: Kind):
    def patch(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
        own = _template(params, given)
        agent = pick(_reading(params, given, own), aim.agent, dice, _READING)
        over = dice.choice(list(_pages(params, own, kind)))
        return {"agents": changed(given["agents"], agent, over=over, focus=None)}

    return patch


def _expire(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    """As ``visits.arrive``: a log-in page with empty fields, and after it the requested page."""
    own, agents = _template(params, given), given["agents"]
    able = [k for k in _reading(params, given, own) if agents[k]["expired"] < MOST_EXPIRED]
    agent = pick(able, aim.agent, dice, f"{_READING}, whose session has expired less than {MOST_EXPIRED} times")
    login, page = next(_pages(params, own, Kind.LOGIN)), agents[agent]["page"]
    session = {"page": login, "next": page, "focus": None, "scroll": 0, "expired": agents[agent]["expired"] + 1}
    elements = [{**one, "value": 0} if one["page"] == login else one for one in given["elements"]]
    return {"agents": changed(agents, agent, **session), "elements": elements}


INTERVENTIONS = (
    Intervention("pop_up", "a harmless pop-up covers an agent's page", "agent", _pop_up(Kind.BENIGN)),
    Intervention(
        "hostile_pop_up", "a pop-up that does harm if it is obeyed covers the page", "agent", _pop_up(Kind.HOSTILE)
    ),
    Intervention("expire_session", "an agent has to log in again before its page", "agent", _expire),
)
