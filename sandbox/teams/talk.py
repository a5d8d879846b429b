"""A team in the hosted tier: who acts, the messages of hosted reasoners, and what they hear, texts included."""

import time
from typing import Any

from sandbox.core.decision import Heard
from sandbox.core.errors import UsageError
from sandbox.core.speech import Act, Said
from sandbox.core.teamwork import OpenTask, TaskState
from sandbox.engine.coordination.assignments import take
from sandbox.engine.coordination.network import ACT
from sandbox.engine.coordination.stopping import Measure
from sandbox.engine.coordination.team import (
    Assignment,
    Message,
    Turn,
    claim_done,
    may_act,
    messages_of,
    messages_sent,
    tell,
)
from sandbox.teams.graphs import losing_as
from sandbox.teams.plan import TeamPlan
from sandbox.teams.stopping import Condition

LONGEST = 4_000  # characters of a text that are delivered


class Talk:
    """The team of one episode; ``team`` are its arrays, of one lane. ``until``: another condition to end it."""

    def __init__(self, plan: TeamPlan, until: Condition | None = None):
        self._until = until or Condition()  # none
        self.plan, self._stop = plan, plan.stop | self._until
        self._known = plan  # the agents' knowledge: cut edges are not announced
        self.team = plan.arrays(1, self._stop)
        self._texts: list[str] = []  # a TELL carries the number of its text
        self._said: list[tuple[int, Said]] = []  # in this tick
        self._began = time.monotonic()

    def go_on(self, plan: TeamPlan) -> None:
        """Continue with another plan that has the same task objects; messages and progress stay.

        The network stays, except for the losses of its edges; an edge missing in the plan loses everything. Messages
        under way are subject to the new loss. Raises UsageError, with nothing changed, if the plan has a new edge or
        other task objects.
        """
        if plan.objects != self.plan.objects:
            raise UsageError("the team's tasks follow from what changes; expected the tasks that it began with")
        stop = plan.stop | self._until
        anew = plan.arrays(1, stop)
        own = {name: getattr(anew, name) for name in ("lead", "patience", "turns", "hosted", "absent", "stop")}
        self.team = self.team._replace(net=losing_as(self.team.net, anew.net), **own)
        self.plan, self._stop = plan, stop

    def may_act(self, agent: int) -> bool:
        """Whether the team lets an agent act in this tick."""
        return bool(may_act(self.team, 0, agent))

    @property
    def holder(self) -> int:
        """The agent that has the turn, in protocols with turns."""
        return int(self.team.turn[0, Turn.HOLDER])

    def say(self, agent: int, said: Said, tick: int) -> None:
        """Put a message of an agent into the mail, unless its places are full. Claims are counted."""
        value = said.value
        if said.act == Act.TELL:
            value = len(self._texts)
            self._texts.append(said.text[:LONGEST])
        if said.act in (Act.OPEN, Act.AWARD, Act.ASSIGN) and value < 0:
            value = self._place(agent, said.task)
        if said.act == Act.CLAIM:
            take(self.team, 0, agent, said.task, self._place(agent, said.task), tick)
            value = int(self.team.task[0, agent, Assignment.COST])
        if said.act == Act.DONE:
            claim_done(self.team, 0, agent, tick, said.to, said.task)
        else:
            tell(self.team, 0, agent, tick, said.to, int(said.act), said.task, value)
        self._said.append((agent, said._replace(value=value)))

    def speak_by_rule(self, agent: int, tick: int) -> None:
        """Send the messages of an agent's protocol, instead of a reasoner that did not answer."""
        page = self.team.mail.said[0, tick % self.team.mail.said.shape[1], agent]
        before = int((page[:, ACT] > 0).sum())
        self.plan.protocol.speak(self.team, 0, agent, tick)
        for to, act, task, value in page[before:].tolist():
            if act:
                self._said.append((agent, Said(Act(act), to - 1, task, value)))

    def _place(self, agent: int, code: int) -> int:
        """The cell of a task, if an agent knows it; else -1."""
        open_tasks = self.team.open_tasks[0, agent]
        known = [int(offer[OpenTask.CELL]) for offer in open_tasks if offer[OpenTask.CODE] == code]
        start, stop = messages_of(self.team, 0, agent)
        for message in self.team.messages[0, start:stop]:
            if message[Message.TASK] == code and message[Message.ACT] in (Act.OPEN, Act.AWARD, Act.ASSIGN):
                known.append(int(message[Message.VALUE]))
        return next(iter(known), -1)

    # -- information for agents about their team (agents.speech.Circle) ------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        return self.plan.names

    def about(self, agent: int) -> str:
        """How the team works together, in a sentence or two."""
        plan, protocol = self.plan, self.plan.protocol
        led = f" {self.names[plan.table.lead]} leads." if protocol.led else ""
        turn = f" It is the turn of {self.names[self.holder]}." if protocol.turns else ""
        return f"You are {self.names[agent]}, in a team of {plan.agents}. {protocol.summary.capitalize()}.{led}{turn}"

    def hearers(self, agent: int) -> list[int]:
        return self._known.hears(agent)

    def acts(self, agent: int) -> tuple[Act, ...]:
        protocol, lead = self.plan.protocol, self.plan.table.lead
        kept = {Act.ASSIGN, Act.NEXT} if agent != lead else set()  # acts reserved for the lead
        return tuple(act for act in protocol.acts if act not in kept)

    def board(self) -> list[tuple[str, str]]:
        states = self.team.state[0].tolist()
        return [(one.name, TaskState(state).name.lower()) for one, state in zip(self.plan.objects, states, strict=True)]

    def code(self, name: str) -> int:
        return self.plan.code(name)

    def named(self, code: int) -> str:
        return self.plan.named(code)

    def taken(self) -> tuple[tuple[int, Said], ...]:
        """The messages of this tick by agents that choose their own, once."""
        said, self._said = tuple(self._said), []
        return said

    def heard(self, agent: int) -> tuple[Heard, ...]:
        """The messages that have reached an agent in this tick, without sensor reports."""
        found, (start, stop) = [], messages_of(self.team, 0, agent)
        for message in self.team.messages[0, start:stop]:
            act, value = Act(message[Message.ACT]), int(message[Message.VALUE])
            if act != Act.REPORT:
                text = self._texts[value] if act == Act.TELL else ""
                found.append(
                    Heard(int(message[Message.FROM]), Said(act, agent, int(message[Message.TASK]), value, text))
                )
        return tuple(found)

    def measure(self, model: Any) -> None:
        """Set the measures of termination conditions that only this tier has."""
        measures, usage = self.team.measures[0], model.usage
        measures[Measure.TOKENS], measures[Measure.MONEY] = usage.tokens, usage.money
        measures[Measure.SECONDS] = time.monotonic() - self._began
        for k, asked in enumerate(self._stop.asked, Measure.ASKED):
            measures[k] = asked(model) if callable(asked) else any(asked in text for text in self._texts)

    # -- measures ------------------------------------------------------------------------------------------------------

    @property
    def messages(self) -> int:
        """Messages sent so far, counted once for each edge."""
        return int(messages_sent(self.team, 0))
