"""The guard: rules that review actions between decision and execution.

Rules are tried in order, and the first match applies; an action without a match is allowed. If a rule denied, modified
or escalated an action, the record contains both the decided and the enforced action.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sandbox.agents.reasoners import parse_script
from sandbox.core.decision import Decision
from sandbox.core.errors import UsageError, unknown
from sandbox.core.people import Action, People, Question
from sandbox.core.world import World


class Rule(BaseModel):
    """One rule: three globs on an action, and the effect on actions that match all of them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    agent: str = "*"
    """Glob on the agent's name, such as "robot-*"."""
    verb: str = "*"
    """Glob on the verb."""
    target: str = "*"
    """Glob on the number of the target."""
    effect: Literal["allow", "deny", "modify", "escalate"]
    """Effect on the action: allow, deny, modify, or escalate to a person."""
    to: str = ""
    """For the effect modify: the action that is done instead, a verb or a verb and its target."""
    why: str = ""
    """Reason of the rule, shown to the person who is asked."""
    timeout: float = Field(30.0, ge=0, le=86_400)
    """For the effect escalate: seconds after which the action is denied."""


class Review(NamedTuple):
    """The effect of a rule on one action."""

    agent: int
    said: Action
    rule: int  # counted from 0
    effect: str
    enforced: Action
    by: str  # rule, human, or timeout (no answer, which denies)


def check_rules(rules: Sequence[Rule], names: Sequence[str], world: World) -> None:
    """Raises UsageError, one line, for a glob that matches nothing, and for an invalid or missing ``to``."""
    for k, rule in enumerate(rules):
        for field, known in (("agent", names), ("verb", world.verbs), ("target", _targets(world))):
            if not _matching(getattr(rule, field), known):
                raise _unmatched(field, getattr(rule, field), known, f"guard[{k}]")
        if (rule.effect == "modify") != bool(rule.to):
            raise UsageError(f"guard[{k}]: effect 'modify' and to, a verb or a verb and its target, belong together")
        if rule.to:
            parse_script([rule.to], world, f"guard[{k}].to")


def _targets(world: World) -> list[str]:
    return [str(target) for target in range(world.targets)]


def _matching(glob: str, names: Sequence[str]) -> list[int]:
    return [k for k, name in enumerate(names) if fnmatchcase(name, glob)]


def _unmatched(field: str, glob: str, known: Sequence[str], where: str) -> UsageError:
    if len(known) > 20:
        known = [*known[:19], known[-1]]
    return unknown(field, glob, known, f"{where}.{field}")


class Guard:
    """The rules of an episode as a table over agents and actions, so that a tick costs one look-up for each agent.

    ``question`` makes a question to ``people`` from an agent's row, the rule's timeout, the action, and the reason.
    """

    def __init__(
        self, rules: Sequence[Rule], names: Sequence[str], world: World, noop: int, people: People,
        question: Callable[[int, float, Action, str], Question],
    ):  # fmt: skip
        self._rules, self._noop, self._targets, self._people, self._ask = rules, noop, world.targets, people, question
        instead = [parse_script([rule.to], world, "to")[0] if rule.to else Decision(None) for rule in rules]
        self._to = [(noop if each.verb is None else each.verb, each.target) for each in instead]
        self._rule = np.full((len(names), len(world.verbs), world.targets), -1, np.int32)  # rule that applies; -1: none
        for k in reversed(range(len(rules))):
            rows, verbs = _matching(rules[k].agent, names), _matching(rules[k].verb, world.verbs)
            self._rule[np.ix_(rows, verbs, _matching(rules[k].target, _targets(world)))] = k

    def review(self, actions: np.ndarray) -> tuple[Review, ...]:
        """Enforce the rules on ``actions`` (N, 2) int32, in place; returns the reviews of the actions concerned."""
        found = [self._review(row, *actions[row].tolist()) for row in self._concerned(actions).tolist()]
        asked = [review for review in found if review.effect == "escalate"]
        questions = [
            self._ask(review.agent, self._rules[review.rule].timeout, review.said, self._rules[review.rule].why)
            for review in asked
        ]
        answers = iter(self._people.ask(questions)) if asked else iter(())
        reviews = tuple(self._answered(each, next(answers)) if each.effect == "escalate" else each for each in found)
        for review in reviews:
            actions[review.agent] = review.enforced
        return reviews

    def rule(self, agent: int, action: Action) -> Rule | None:
        """The rule that denies, changes or escalates an action of an agent, by its row; None if the action passes."""
        actions = np.full((len(self._rule), 2), (self._noop, 0), np.int32)
        actions[agent] = action
        return self._rules[self._rule[agent, *action]] if agent in self._concerned(actions) else None

    def _concerned(self, actions: np.ndarray) -> np.ndarray:
        """Rows whose action a rule denies, changes or asks about; no-ops are never reviewed."""
        verbs, targets = actions[:, 0], actions[:, 1]
        known = (verbs >= 0) & (verbs < self._rule.shape[1]) & (targets >= 0) & (targets < self._targets)
        rows = np.flatnonzero(known)
        rules = self._rule[rows, verbs[rows], targets[rows]]
        idle = verbs[rows] == self._noop
        effects = np.array([rule.effect for rule in self._rules])[rules]
        return rows[(rules >= 0) & (effects != "allow") & ~(idle & (effects != "modify"))]

    def _review(self, row: int, verb: int, target: int) -> Review:
        rule = int(self._rule[row, verb, target])
        return Review(row, (verb, target), rule, self._rules[rule].effect, self._to[rule], "rule")

    def _answered(self, review: Review, answer: Action | None) -> Review:
        if answer is None:
            return review._replace(enforced=(self._noop, 0), by="timeout")
        return review._replace(enforced=answer, by="human")
