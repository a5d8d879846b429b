"""Commands of a person to the watched episode; they are recorded and replayed."""

from collections.abc import Callable
from typing import Any

from sandbox.core.intervention import ANY, Aim
from sandbox.model import Sandbox
from sandbox.record import Event
from sandbox.running import intervene
from sandbox.scenario.schema import SEARCH
from sandbox.studio.backend.available_commands import ASKED, GENERALIST, MODEL, PROGRAM
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.runner import Runner

OF_A_MODEL = {"llm", "fallback", "memory", "tools"}  # keys of a group


class Commands:
    """The commands of a person to a runner.

    A command that fails between two ticks is explained by the next snapshot's ``notice``; an invalid one raises
    UsageError.
    """

    def __init__(self, show: Runner):
        self._show = show

    def place(self, name: str, aim: Aim = ANY) -> None:
        """Perform one of the world's interventions."""
        self._do(lambda model: intervene.intervene(model, name, aim))

    def severity(self, name: str, value: float) -> None:
        """Set the severity of a perturbation, 0..1, from the next tick on."""
        self._do(lambda model: intervene.change(model, {f"perturb.{name}": value}))

    def option(self, name: str, value: Any) -> None:
        """Set an option of the world that can change while it runs."""
        self._do(lambda model: intervene.change(model, {f"world.{name}": value}))

    def turn(self, key: str, value: float) -> None:
        """Set one of the world's dials."""
        self._do(lambda model: intervene.turn(model, key, value))

    def reseat(self, agent: int, reasoner: str, text: str = "") -> None:
        """Assign another reasoner to one agent; ``text`` is a program, the name of a model, or an instruction."""
        self._do(lambda model: intervene.reseat(model, agent, reasoner, **_needs(model, reasoner, text)))

    def lead(self, agent: int) -> None:
        """Make an agent the leader of its team."""
        self._do(lambda model: intervene.change(model, {"team.lead": agent}))

    def protocol(self, name: str) -> None:
        """Change the team's protocol."""
        self._do(lambda model: intervene.change(model, {"team.protocol": name}))

    def cut(self, edge: tuple[int, int]) -> None:
        """Cut the link between two agents."""
        self._do(lambda model: intervene.cut(model, edge))

    def mend(self, edge: tuple[int, int]) -> None:
        """Restore the link between two agents."""
        self._do(lambda model: intervene.mend(model, edge))

    def take(self, agent: int) -> None:
        """Let a person control the agent from now on."""
        self._show.do(lambda film: _now(film) and intervene.take(film.model, film.people, agent))

    def release(self, agent: int) -> None:
        """Let the agent decide for itself again."""
        self._show.do(lambda film: film.people.release(agent))

    def lose(self, agent: int) -> None:
        """Let the agent do nothing from now on."""
        self._show.do(lambda film: _now(film) and film.people.lose(agent))

    def key(self, agent: int, words: str) -> None:
        """Set the next action of a controlled agent; in a paused episode it is performed at once."""
        self._show.people.key(agent, words)
        if not self._show.peek().playing:
            self._show.step()

    def answer(self, agent: int, words: str) -> None:
        """Answer an open question."""
        self._show.people.answer(agent, words)

    def _do(self, deed: Callable[[Sandbox], list[Event]]) -> None:
        self._show.do(lambda film: film.intervene(deed))


def _needs(model: Sandbox, reasoner: str, text: str) -> dict[str, Any]:
    """Further options of a reasoner that replaces another one."""
    base = {"fallback": "rules" if "rules" in model.env.world.policies else "random"}
    if reasoner == MODEL:
        groups = (group.model_dump(include=OF_A_MODEL) for group in model.scenario.agents if group.llm)
        alike = (group for group in groups if group["llm"]["model"] == text.strip())
        return next(alike, base | {"llm": {"model": text.strip()}})
    told = {SEARCH: {"world_model": {"base": base["fallback"]}}, PROGRAM: base | {"program": text}, ASKED: base}
    told[GENERALIST] = {GENERALIST: {"instruction": text.strip()}}
    return told.get(reasoner, {})


def _now(film: EpisodePlayer) -> bool:
    """Whether the player is at the latest tick; raises UsageError if it is not."""
    film.intervene(lambda model: [])
    return True
