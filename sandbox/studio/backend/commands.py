"""What a person can do to the watched episode; everything is recorded and can be replayed."""

from collections.abc import Callable
from typing import Any

from sandbox.core.intervention import ANY, Aim
from sandbox.model import Sandbox
from sandbox.record import Event
from sandbox.running import intervene
from sandbox.scenario.schema import SEARCH
from sandbox.studio.backend.available_commands import ASKED, MODEL, PROGRAM
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.runner import Runner

OF_A_MODEL = {"llm", "fallback", "memory", "tools"}  # keys of a group


class Commands:
    """A person at a runner.

    What cannot be done between two ticks is told by the next snapshot's ``notice``; what is wrong now, by UsageError.
    """

    def __init__(self, show: Runner):
        self._show = show

    def place(self, name: str, aim: Aim = ANY) -> None:
        """One of the world's interventions."""
        self._do(lambda model: intervene.intervene(model, name, aim))

    def severity(self, name: str, value: float) -> None:
        """Another severity of a perturbation, 0..1, from the tick that comes."""
        self._do(lambda model: intervene.change(model, {f"perturb.{name}": value}))

    def reseat(self, agent: int, reasoner: str, text: str = "") -> None:
        """Another reasoner for one agent; ``text`` is a program, or the name of a language model."""
        self._do(lambda model: intervene.reseat(model, agent, reasoner, **_needs(model, reasoner, text)))

    def lead(self, agent: int) -> None:
        """Another agent leads the team."""
        self._do(lambda model: intervene.change(model, {"team.lead": agent}))

    def protocol(self, name: str) -> None:
        """The team works together in another way."""
        self._do(lambda model: intervene.change(model, {"team.protocol": name}))

    def cut(self, edge: tuple[int, int]) -> None:
        """Two agents hear each other no longer."""
        self._do(lambda model: intervene.cut(model, edge))

    def mend(self, edge: tuple[int, int]) -> None:
        """They hear each other again."""
        self._do(lambda model: intervene.mend(model, edge))

    def take(self, agent: int) -> None:
        """A person steers the agent from now on."""
        self._show.do(lambda film: _now(film) and intervene.take(film.model, film.people, agent))

    def release(self, agent: int) -> None:
        """It decides for itself again."""
        self._show.do(lambda film: film.people.release(agent))

    def lose(self, agent: int) -> None:
        """It stands still from now on."""
        self._show.do(lambda film: _now(film) and film.people.lose(agent))

    def key(self, agent: int, words: str) -> None:
        """What an agent that is steered does next; where the episode holds still, at once."""
        self._show.people.key(agent, words)
        if not self._show.peek().playing:
            self._show.step()

    def answer(self, agent: int, words: str) -> None:
        """Answer what waits for an answer."""
        self._show.people.answer(agent, words)

    def _do(self, deed: Callable[[Sandbox], list[Event]]) -> None:
        self._show.do(lambda film: film.intervene(deed))


def _needs(model: Sandbox, reasoner: str, text: str) -> dict[str, Any]:
    """What a reasoner must be told besides, where it takes the place of another one."""
    base = {"fallback": "rules" if "rules" in model.env.world.policies else "random"}
    if reasoner == MODEL:
        groups = (group.model_dump(include=OF_A_MODEL) for group in model.scenario.agents if group.llm)
        alike = (group for group in groups if group["llm"]["model"] == text.strip())
        return next(alike, base | {"llm": {"model": text.strip()}})
    told = {SEARCH: {"world_model": {"base": base["fallback"]}}, PROGRAM: base | {"program": text}, ASKED: base}
    return told.get(reasoner, {})


def _now(film: EpisodePlayer) -> bool:
    """Whether it is the present; raises UsageError where it is not."""
    film.intervene(lambda model: [])
    return True
