"""What the rooms say to people: what an agent is doing, why an action came to nothing, charts, gauges, and quality."""

from typing import Any

import numpy as np

from sandbox.core.telling import Chart, Gauge, Transition, unplanned
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.rendering.text import FACES, flaw_text, wish_text
from sandbox.worlds.rooms.state import (
    ITEMS,
    Deal,
    Item,
    Params,
    Role,
    State,
    Tally,
    Verb,
    Wish,
)  # fmt: skip

# -- what a plan is worth


def quality(s: State, lane: int, params: Params) -> dict[str, Any]:
    """The measures of a plan: wishes met, items of use, euros, each beside what it is to be, and what is wrong."""
    planned = s.item[lane, :, Item.THING] > 0
    wrong = {
        f"{catalogue().entries[int(s.item[lane, k, Item.THING]) - 1].name} [{k}]": flaw_text(int(s.flaw[lane, k]))
        for k in np.flatnonzero(planned & (s.flaw[lane] != 0)).tolist()
    }
    return {
        "wishes_met": int(s.tally[lane, Tally.MET]), "wishes": params.wishes,
        "usable": int(planned.sum() - s.tally[lane, Tally.FLAWED]), "items": int(planned.sum()),
        "cost": int(s.tally[lane, Tally.COST]), "budget": int(s.deal[lane, Deal.BUDGET]),
        "revisions": int(s.deal[lane, Deal.REVISIONS]), "wrong": wrong,
    }  # fmt: skip


def worth(s: State, lane: int, params: Params) -> list[str]:
    """The same in lines of words."""
    found = quality(s, lane, params)
    return [
        f"plan   {found['wishes_met']} of {found['wishes']} wishes met, {found['usable']} of {found['items']} items of "
        f"use, {found['cost']:,} of {found['budget']:,} euros",
        *(f"wrong  {what}: {why}" for what, why in found["wrong"].items()),
    ]


def info(s: State, agent: int, params: Params) -> dict:
    """The measures of the plans as (L,) arrays, for learners."""
    planned = (s.item[:, :, Item.THING] > 0).sum(axis=1)
    return {
        "wishes_met": s.tally[:, Tally.MET], "usable": planned - s.tally[:, Tally.FLAWED],
        "cost": s.tally[:, Tally.COST], "budget": s.deal[:, Deal.BUDGET],
    }  # fmt: skip


# -- what an agent is doing


def _thing(thing: int) -> str:
    entries = catalogue().entries
    return f"the {entries[thing].name}" if thing < len(entries) else f"thing {thing}, which the catalogue lacks"


def _item(s: State, k: int) -> str:
    thing = int(s.item[0, k, Item.THING]) if k < ITEMS else 0
    return _thing(thing - 1) if thing else f"item {k}, which is not there"


def _wish(told: Transition, k: int) -> str:
    if k >= told.params.wishes:
        return f"wish {k}"
    return f"wish {k} ({wish_text(told.before.wish[0, k])})"


def doing(told: Transition, agent: int) -> str:
    """The action of an agent, in a sentence."""
    return unplanned(told, agent, _acts) or _acts(told, agent)


def _acts(told: Transition, agent: int) -> str:
    if not told.exists(agent):
        return "chose an action that does not exist"
    verb, target = told.action(agent)
    what = _waits(told, agent) if verb == Verb.WAIT else _act(told, verb, target, agent)
    return f"{what}, in vain: {told.because(agent, cause)}" if told.outcome(agent) else what


def _act(told: Transition, verb: int, target: int, agent: int) -> str:
    s = told.before
    row, col = s.pos[0, 0].tolist()
    if verb == Verb.REVISE and (agent != Role.CLIENT or target >= told.params.wishes):
        why = "it is too dear" if agent == Role.ACCOUNTANT else "something in it is of no use"
        return f"sends the plan back: {why}"
    return {
        Verb.ROW: lambda: f"puts the pencil into row {target}",
        Verb.COLUMN: lambda: f"puts the pencil into column {target}",
        Verb.TURN: lambda: f"turns to the {FACES[target % 4]}",
        Verb.PLACE: lambda: f"places {_thing(target)} at row {row}, column {col}",
        Verb.MOVE: lambda: f"moves {_item(s, target)} to row {row}, column {col}",
        Verb.REMOVE: lambda: f"removes {_item(s, target)}", Verb.ASK: lambda: f"asks the client for wish {target}",
        Verb.PROPOSE: lambda: f"proposes the plan, for {s.tally[0, Tally.COST]} euros",
        Verb.TELL: lambda: f"tells {_wish(told, target)}", Verb.APPROVE: lambda: "approves the plan",
        Verb.REVISE: lambda: f"sends the plan back: {_wish(told, target)} is not met",
    }[Verb(verb)]()  # fmt: skip


def _waits(told: Transition, agent: int) -> str:
    deal = told.before.deal[0]
    if agent == Role.DESIGNER:
        return "waits for the client and the accountant" if deal[Deal.PROPOSED] else "waits"
    return "waits, with a proposal on the table" if deal[Deal.PROPOSED] else "waits for a proposal"


# -- why an action came to nothing

_OF = {Role.DESIGNER: range(Verb.ROW, Verb.TELL), Role.CLIENT: (Verb.TELL, Verb.APPROVE, Verb.REVISE),
       Role.ACCOUNTANT: (Verb.APPROVE, Verb.REVISE)}  # fmt: skip


def cause(told: Transition, agent: int) -> str:
    """What made an agent's action impossible."""
    verb, target = told.action(agent)
    if verb == Verb.WAIT:
        return "waiting has no target"
    if told.outcome(agent) == "failed":
        return "the plan was changed or sent back in the same tick"
    if verb not in _OF[Role(agent)]:
        return f"that is not for the {Role(agent).name.lower()} to do"
    return _board(told, verb, target) if verb < Verb.ASK else _table(told, agent, verb, target)


def _board(told: Transition, verb: int, target: int) -> str:
    s, params = told.before, told.params
    if verb in (Verb.ROW, Verb.COLUMN, Verb.TURN):
        most = {Verb.ROW: params.plan.shape[0], Verb.COLUMN: params.plan.shape[1], Verb.TURN: 4}[Verb(verb)]
        return "the pencil is there already" if target < most else "the flat ends before that"
    if verb == Verb.PLACE:
        if target >= len(params.thing):
            return "the catalogue has no such thing"
        if s.price[0, target] < 0:
            return "it is out of stock"
        return "it does not fit there" if (s.item[0, :, Item.THING] == 0).any() else "the plan is full"
    if target >= ITEMS or not s.item[0, target, Item.THING]:
        return "the plan has no such item"
    return "it does not fit there, or is there already"


def _table(told: Transition, agent: int, verb: int, target: int) -> str:
    s, deal = told.before, told.before.deal[0]
    if verb in (Verb.ASK, Verb.TELL):
        if target >= told.params.wishes:
            return "there is no such wish"
        return "it has been told" if s.wish[0, target, Wish.TOLD] else "the client has not answered yet"
    if verb == Verb.PROPOSE:
        if target:
            return "a proposal has no number"
        return "it is proposed already" if deal[Deal.PROPOSED] else "the plan is empty"
    if not deal[Deal.PROPOSED]:
        return "no plan is proposed"
    if deal[Deal.CLIENT if agent == Role.CLIENT else Deal.ACCOUNTANT]:
        return "it has been approved"
    if agent == Role.ACCOUNTANT and s.tally[0, Tally.COST] <= told.params.limit * deal[Deal.BUDGET]:
        return "it costs so little that nobody asks the accountant"
    return "there is no such wish" if agent == Role.CLIENT and verb == Verb.REVISE else "that takes no number"


# -- charts and gauges


CHARTS = (
    Chart("Wishes met", "wishes", lambda s, lane, params: float(s.tally[lane, Tally.MET])),
    Chart("Items of use", "items of the plan that can be used and reached", lambda s, lane, params: float(
        (s.item[lane, :, Item.THING] > 0).sum() - s.tally[lane, Tally.FLAWED])),
    Chart("Cost", "euros", lambda s, lane, params: float(s.tally[lane, Tally.COST])),
)  # fmt: skip


def gauges(s: State, lane: int, agent: int, params: Params) -> tuple[Gauge, ...]:
    """Wishes, clock, money, what is wrong; the pencil of the designer."""
    deal, tally = s.deal[lane], s.tally[lane]
    if agent >= 0:
        row, col = s.pos[lane, agent].tolist()
        return (Gauge("fact", "pencil", text=f"faces {FACES[int(s.turn[lane])]}", at=(row, col)),) if row >= 0 else ()
    table = "on the drawing board"
    if deal[Deal.PROPOSED]:
        given = [who for who, yes in (("client", deal[Deal.CLIENT]), ("accountant", deal[Deal.ACCOUNTANT])) if yes]
        table = f"proposed, approved by {' and '.join(given)}" if given else "proposed"
    return (
        Gauge("score", "wishes met", int(tally[Tally.MET]), params.wishes),
        Gauge("clock", "tick", int(s.tick[lane]), params.max_ticks),
        Gauge("fact", "euros", text=f"{tally[Tally.COST]:,} of {deal[Deal.BUDGET]:,}"),
        Gauge("fact", "items of no use", int(tally[Tally.FLAWED])),
        Gauge("fact", "plan", text=table), Gauge("fact", "sent back", int(deal[Deal.REVISIONS])),
    )  # fmt: skip
