"""The hosted tier: a Mesa model in which agents with any reasoner meet in a world. One step is one tick."""

import inspect
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import mesa
import numpy as np
from typing_extensions import deprecated

from sandbox.agents.agent import Agent
from sandbox.agents.beliefs import Beliefs
from sandbox.agents.llm.offline import Captured, Recorded
from sandbox.agents.speech import Speech
from sandbox.agents.tools.functions import Functions
from sandbox.core.decision import Decision, Percept, Reasoner, Trace, Usage
from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.finish import Finish
from sandbox.core.people import Action, Nobody, People, Question
from sandbox.core.plain import checked_seed, whole
from sandbox.core.speech import Said, checked_words
from sandbox.core.world import FIXED, Observation
from sandbox.engine.arrays import LANES, whole_array
from sandbox.engine.coordination.stopping import Measure
from sandbox.engine.environment import Environment
from sandbox.engine.episode import Episode
from sandbox.engine.play import EpisodeStats
from sandbox.engine.search import Policy
from sandbox.oversight.guard import Guard, Review
from sandbox.reasoning import Surroundings, check_goes_on, groups_of, reasoner_for, recast, seated, with_faults
from sandbox.scenario import AGENTS, Scenario, load
from sandbox.scenario.capabilities import calls
from sandbox.teams.stopping import Condition
from sandbox.teams.talk import Talk


class Tick(NamedTuple):
    """The results of one tick, for records and pages."""

    tick: int
    actions: np.ndarray  # (N, 2) int32
    reward: np.ndarray  # (N,) float32
    digest: str  # of the state after the tick
    traces: dict[int, Trace]  # traces of decisions, by agent, from reasoners that give one
    reviews: tuple[Review, ...]  # the guard's reviews of actions
    said: tuple[tuple[int, Said], ...] = ()  # messages of agents that choose their own, with the speaker


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """The arrays of a tuple, and of the tuples in it."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays_in(part)


class Counted(NamedTuple):
    """The counts from which an outcome is computed, at a tick of a model."""

    model: "Sandbox"
    arrays: list[np.ndarray]
    usage: Usage
    failures: dict[int, str]
    outages: dict[int, str]
    reached: set[int]
    latest: Tick | None


def _seed_of(scenario: Scenario, seed: int | None, rng: int | np.random.Generator | None) -> int:
    """The seed of a trial, from the given arguments."""
    if seed is not None and rng is not None:
        raise UsageError("Sandbox: seed and rng are both given, expected one of them")
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**32))
    given, name = (rng, "rng") if seed is None else (seed, "seed")
    return scenario.seed if given is None else checked_seed(given, f"Sandbox: {name}")


def _plays_back(recorded: Recorded | Captured | None) -> bool:
    """Whether a record answers for the whole trial, so that no call is made."""
    return isinstance(recorded, Recorded) and recorded.until is None


def _check_parameters(scenario: str | Path | Mapping | Scenario, given: Mapping[str, Any]) -> None:
    """Check that further keywords are keys of a scenario."""
    for name in given:
        if "." not in name and name not in Scenario.model_fields:
            options = load(scenario).env().world.options.model_fields
            named = inspect.signature(Sandbox).parameters.keys() - {"kwargs"}
            raise unknown("parameter", name, named | Scenario.model_fields.keys() | {f"world.{key}" for key in options})


_SET_LATER: Any = None


class Sandbox(mesa.Model):
    """A scenario as a Mesa model: ``step()``, ``agents``, ``datacollector``, ``running``.

    Parameters
    ----------
    scenario : path of a TOML file, mapping, or Scenario.
    seed, rng : the trial's seed, 0..2**64-1, under either name; by default the scenario's own. From a
        ``numpy.random.Generator`` as ``rng`` a seed is drawn.
    recorded : the calls of a recorded trial; they answer instead of the language models.
    until : a further condition that ends the episode of a team (``teams.stopping``).
    reasoners : objects that decide, by the number of their group in ``agents``: see ``agents.python``.
    people : decide for the reasoner ``human`` and for escalated actions, and may take agents over; None: no people.
    kwargs : dotted keys of the scenario with other values: ``**{"world.layout": "small"}``. ``mesa.batch_run`` sweeps
        them, and sliders of ``SolaraViz`` set them.

    Raises UsageError if the scenario cannot run. An error inside a step is not raised: the model stops with ``finish``
    ERROR and the message in ``error``.
    """

    running: bool
    scenario: Scenario = _SET_LATER  # shadows a property of Mesa 3.5, which would write the model into its argument

    def __init__(
        self, scenario: str | Path | Mapping | Scenario, rng: int | np.random.Generator | None = None,
        recorded: Recorded | Captured | None = None, people: People | None = None, until: Condition | None = None,
        seed: int | None = None, reasoners: Mapping[int, Any] | None = None, **kwargs: Any,
    ):  # fmt: skip
        _check_parameters(scenario, kwargs)
        loaded, self._given = seated(load(scenario, kwargs), {} if reasoners is None else reasoners)
        if not _plays_back(recorded):
            loaded.origin.check(calls(loaded))
        self.seed = _seed_of(loaded, seed, rng)
        super().__init__(rng=self.seed)
        self.scenario = loaded
        self.env: Environment = self.scenario.env()
        self._until = until
        self.error: str | None = None
        self.latest: Tick | None = None
        self.people, self._recorded = people or Nobody(), recorded
        if not isinstance(recorded, Recorded | Captured | None):
            raise UsageError(f"recorded: expected the calls of a recorded trial, got {shown(recorded)}")
        self.functions = recorded.functions if recorded else Functions()
        try:
            self._begin()
        except BaseException:
            self.functions.close()
            raise

    def _begin(self) -> None:
        env, team = self.env, self.scenario.roster()
        self.talk = Talk(env.team, self._until) if env.team else None
        self.episode = Episode(env, self.seed, *self._cast())
        self.state, self.memory, self.stats = self.episode.state, self.episode.memory, self.episode.stats
        self.observation, self.actions = self.episode.observation, self.episode.actions
        for row, group in enumerate(team):
            Agent(self, row, group.role or env.world.roles[0], group.reasoner)
        # Mesa 3.3 keeps every model with agents in a class-level table for ever.
        getattr(mesa.Agent, "_ids", {}).pop(self, None)
        self.beliefs = Beliefs(env, self.memory, self.seed)
        self.usage = Usage()
        self._traces: dict[int, Trace] = {}
        self._reviews: tuple[Review, ...] = ()
        self._reached: set[int] = set()  # agents whose language model has replied
        self._outages: dict[int, str] = {}  # why other agents have not got a reply
        self.failures: dict[int, str] = {}  # failures of agents, by row
        self.guard = self._guard()
        elapsed = self._recorded.elapsed if isinstance(self._recorded, Recorded) else 0.0  # of a trial that goes on
        self._around = Surroundings(
            env, self.beliefs, self.earned, self.question, self.people, self.episode.faults.severity, self.seed,
            self._recorded, self.functions, self._speech, self.names, time.perf_counter() - elapsed, self._given,
        )  # fmt: skip
        made = ((rows, reasoner_for(group, rows, self._around)) for rows, group in groups_of(self.scenario.agents))
        self.reasoners = self._seated(made)  # those that are objects, with rows of agents
        self.datacollector = mesa.DataCollector(
            model_reporters={name: name for name in ("tasks_done", "reward", "invalid_actions", "refused_actions")}
        )  # a row for each step and none before, because Mesa 3.3's batch_run takes row ``steps - 1`` for the last one

    def _cast(self) -> tuple[list[Policy], Any]:
        """The compiled policy of each agent, and the arrays of the team, for an episode."""
        return [group.policy for group in self.scenario.roster()], self.talk.team if self.talk else ()

    def _guard(self) -> Guard | None:
        if not self.scenario.guard:
            return None
        known = self.env.world
        return Guard(self.scenario.guard, self.names, known, self.env.params.noop, self.people, self.question)

    def _speech(self, row: int) -> Speech | None:
        return Speech(self.talk, row) if self.talk else None

    def _seated(
        self, made: Iterable[tuple[Sequence[int], Reasoner | None]]
    ) -> tuple[tuple[Sequence[int], Reasoner], ...]:
        named = set(self.scenario.perturb)
        return tuple((rows, with_faults(reasoner, named, self._around)) for rows, reasoner in made if reasoner)

    def close(self) -> None:
        """Release the resources of reasoners: servers of local models and of tools, workers of programs."""
        for _, reasoner in self.reasoners:
            getattr(reasoner, "close", lambda: None)()
        self.functions.close()

    def intervene(self, patch: Mapping[str, Any]) -> None:
        """Change the world before the next tick: keys of its description with other values.

        Raises UsageError, with nothing changed, for an invalid description, and for the seed, the clock or the end.
        """
        for key in {*FIXED}.intersection(patch if isinstance(patch, Mapping) else ()):
            raise UsageError(f"place: {key}: it cannot be changed while the episode runs")
        self.env.place(self.state, 0, patch)

    def change(self, scenario: Scenario) -> list[tuple[Sequence[int], Reasoner]]:
        """Continue with a changed scenario, as far as ``scenario.change`` allows; returns the new reasoners.

        The state, memories and other reasoners stay. A changed reasoner starts afresh, with a new budget. Groups may be
        split. Raises UsageError, with nothing changed, if the scenario cannot run or continue from here.
        """
        check_goes_on(scenario, self.scenario)
        if not _plays_back(self._recorded):
            scenario.origin.check(calls(scenario))
        env = scenario.env()
        if self.talk:
            self.talk.go_on(env.team)
        try:
            kept, anew = recast(scenario, self.scenario, self.reasoners, self._around)
        except UsageError:
            if self.talk:
                self.talk.go_on(self.env.team)
            raise
        self._forget(scenario)
        self.scenario = scenario
        self.env.params, self.env.options, self.env.team = env.params, env.options, env.team
        self.env.task = env.task
        self.episode.faults.severity[:] = env.faults(1).severity
        self.reasoners = self._seated(sorted([*kept, *anew], key=lambda seat: seat[0][0]))
        for agent, group in zip(self.agents, scenario.roster(), strict=True):
            agent.reasoner = group.reasoner
        self.episode.assign(*self._cast())
        self.guard = self._guard()
        new = [rows for rows, _ in anew]
        return [seat for seat in self.reasoners if seat[0] in new]

    def _forget(self, scenario: Scenario) -> None:
        """Clear the failures of agents whose reasoner changes, which are those of the former reasoner."""
        for row, (now, was) in enumerate(zip(scenario.roster(), self.scenario.roster(), strict=True)):
            if not now.reasons_as(was):
                self._outages.pop(row, None)
                self.failures.pop(row, None)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the agents, by row. (Mesa's ``agents[row]`` iterates over all of them.)"""
        return tuple(agent.name for agent in self.agents)

    # -- one tick ------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Observe, decide, act. Does nothing once the episode is over."""
        if not self.running:
            return
        try:
            self.episode.sense()
            self.episode.choose()
            self._decide()
            self.episode.mask_actions()
            self._reviews = self.guard.review(self.actions[0]) if self.guard else ()
            self._act()
        except Exception as error:  # if it escaped, Mesa 3.5 would silently end the model
            self.state.done[0], self.error = Finish.ERROR, f"{type(error).__name__}: {error}"
        self.running = self.finish == Finish.RUNNING
        self.datacollector.collect(self)

    def _decide(self) -> None:
        """Let the reasoners that are objects decide, and people for the agents that they control."""
        self._traces, held = {}, self.people.held(self.ticks + 1)
        may_act = self.talk.may_act if self.talk else lambda row: True
        for rows, reasoner in self.reasoners:
            able = [self.percept(row) for row in rows if row not in held and may_act(row)]
            for percept, decision in zip(able, reasoner.decide(able) if able else (), strict=True):
                self._take(percept.agent, Decision(*decision))
        for row, action in held.items():
            if may_act(row):
                self._steer(row, action or (self.env.params.noop, 0))
        self._traces = dict(sorted(self._traces.items()))

    def _take(self, row: int, decision: Decision) -> None:
        """Make a decision the agent's action; without a verb, action and messages of its fallback stay."""
        if decision.verb is not None:
            self.actions[0, row] = decision.verb, decision.target
        elif self.talk and not decision.said:
            self.talk.speak_by_rule(row, self.ticks)
        if self.talk:
            for said in decision.said:
                self.talk.say(row, said, self.ticks)
        self.usage.add(decision)
        if decision.trace:
            self._traces[row] = decision.trace
            self._note(row, decision.trace)

    def _note(self, row: int, trace: Trace) -> None:
        """Note whether an agent's model was ever reached, and how its program failed."""
        if trace.failure:
            self.failures.setdefault(row, trace.failure)
        for call in trace.calls:
            if not call.outage:
                self._reached.add(row)
            self._outages[row] = call.error

    def _steer(self, row: int, action: Action) -> None:
        """Let a person act for an agent."""
        self.actions[0, row], self._traces[row] = action, Trace(person=action)
        group = self.scenario.roster()[row]
        if group.kind == "human":
            self.usage.own_decisions += 1
        elif group.hosted or not self.reasoners:
            self.usage.taken_over += 1

    @property
    @deprecated("Sandbox.stage is now Sandbox.env")
    def stage(self) -> Environment:
        return self.env

    # -- measures ------------------------------------------------------------------------------------------------------

    @property
    def ticks(self) -> int:
        return int(self.state.tick[0])

    @property
    def finish(self) -> Finish:
        return Finish(int(self.state.done[0]))  # comparing a NumPy scalar with an enumeration may lose Ctrl-C

    def finalise(self) -> EpisodeStats:
        """The statistics of the episode so far."""
        return self.episode.finalise()

    @property
    def tasks_done(self) -> int:
        """Done parts of the shared task, or done task objects if the team has them."""
        return int(self.finalise().progress[0, 0])

    @property
    def tasks_total(self) -> int:
        return int(self.finalise().progress[0, 1])

    @property
    def reward(self) -> float:
        """Sum of rewards over agents and ticks so far."""
        return float(self.stats.reward.sum())

    @property
    def invalid_actions(self) -> int:
        return int(self.stats.invalid.sum())

    @property
    def refused_actions(self) -> int:
        return int(self.stats.refused.sum())

    @property
    def verdict(self) -> Finish:
        """How the trial ended: as its episode did, unless an agent under test failed or the infrastructure did.

        The failure of an agent does not count if the scenario's claim is of the team with its fallbacks.
        """
        if self.finish in (Finish.RUNNING, Finish.STOPPED, Finish.ERROR):
            return self.finish
        if self.outage:
            return Finish.ERROR
        return Finish.AGENT_FAILED if self.failures and self.scenario.claim == AGENTS else self.finish

    @property
    def outage(self) -> str | None:
        """The reason why an agent never got a reply of its language model, if it is the infrastructure."""
        for row, error in self._outages.items():
            if row not in self._reached and (asked := self.scenario.roster()[row].llm):
                return f"{self.names[row]} never got a reply of {asked.model}: {error}"
        return None

    @property
    def autonomy(self) -> float | None:
        """The share of the decisions of agents under test that were their own; None without decisions."""
        own, decided = self.usage.own_decisions, self.usage.decisions
        if not (self.reasoners or own or self.usage.fallbacks):  # compiled policies decide in every tick
            decided = self.ticks * len(self.names)
            own = decided - self.usage.taken_over
        return own / decided if decided else None

    def _act(self) -> None:
        """The world's tick and its results; the episode ends here if a condition of the team is met."""
        self.episode.act()
        digest, said = self.env.digest(self.state), self.talk.taken() if self.talk else ()
        told = self._traces, self._reviews, said
        self.latest = Tick(self.ticks, self.actions[0].copy(), self.state.reward[0].copy(), digest, *told)
        if self.talk:
            self.talk.measure(self)
            if self._played_back:
                self.talk.team.measures[0, Measure.SECONDS] = -np.inf  # another clock applied
        self.episode.end_tick()

    @property
    def _played_back(self) -> bool:
        """Whether the latest tick is a recorded one, in which the record answers."""
        until = getattr(self._recorded, "until", None)
        return isinstance(self._recorded, Recorded) and (until is None or self.ticks <= until)

    @property
    def is_timed(self) -> bool:
        """Whether wall-clock time may end the episode."""
        return self.talk is not None and Measure.SECONDS in self.talk.team.stop[:, 0]

    def time_is_up(self) -> None:
        """End an episode that ``is_timed`` as if its time ran out in the latest tick; UsageError for any other."""
        if self.talk is None or not self.is_timed:
            raise UsageError("time_is_up: the episode does not end by the clock")
        self.talk.team.measures[0, Measure.SECONDS] = np.inf
        self.episode.end_tick()
        self.running = self.finish == Finish.RUNNING

    def counted(self) -> Counted:
        """A copy of the counts of an outcome, for ``take_back``."""
        arrays = [array.copy() for array in self._arrays()]
        outages, reached = dict(self._outages), set(self._reached)
        return Counted(self, arrays, replace(self.usage), dict(self.failures), outages, reached, self.latest)

    def take_back(self, counted: Counted) -> None:
        """Do not count an interrupted tick, unless the episode failed in it. No tick can follow.

        ``counted`` is what ``counted`` returned before that tick; UsageError for anything else.
        """
        if not isinstance(counted, Counted) or counted.model is not self:
            raise UsageError(f"take_back: {shown(counted)}, expected what this model has counted")
        for array, before in zip(self._arrays(), counted.arrays, strict=True):
            array[...] = before
        self.usage, self.failures, self._outages, self._reached, self.latest = counted[2:]
        if self.error:
            self.state.done[0] = Finish.ERROR

    def _arrays(self) -> Iterator[np.ndarray]:
        return arrays_in((self.state, self.stats, self.episode.team))

    def replay_tick(self, actions: np.ndarray, said: Sequence[tuple[int, Said]] = ()) -> None:
        """One tick with the recorded actions (N, 2) instead of decisions, and with the recorded messages."""
        agents = self.env.agents
        actions = whole_array(actions, "replay_tick: actions", (agents, 2), np.int32, -LANES, LANES)
        said = checked_words(said, agents)
        self.episode.sense()
        if self.talk:
            for row, one in said:
                self.talk.say(row, one, self.ticks)
        self.actions[0] = actions
        self._act()
        self.running = self.finish == Finish.RUNNING

    def percept(self, row: int) -> Percept:
        """The present percept of one agent."""
        row = whole(row, "percept: agent", 0, self.env.agents - 1)
        heard = self.talk.heard(row) if self.talk else ()
        return Percept.of(self.observation, row, self.ticks, heard)

    def question(
        self, row: int, patience: float, said: Action | None = None, why: str = "", seen: Observation | None = None
    ) -> Question:
        """The question to a person about an agent now; see ``core.people``.

        ``seen`` is the observation (``env.observe(state)``) between two ticks; within a tick the agents have one.
        """
        world, params, seen = self.env.world, self.env.params, self.observation if seen is None else seen
        row = whole(row, "question: agent", 0, self.env.agents - 1)
        self.env.observations.lanes(seen, "question: seen", 1)
        view, legal = world.render_text(seen, 0, row, params), world.legal(seen.mask[0, row])
        if speech := self._speech(row):
            view += f"\n\n{speech.words(self.percept(row))}"
        told = {tool["name"]: tool.get("description", "") for tool in world.tools(params)}
        effects = tuple(told.get(verb, "") for verb in world.verbs)
        return Question(
            self.ticks + 1, row, self.names[row], patience, view, world.verbs, legal, params.noop, said, why, effects
        )

    def earned(self, row: int) -> dict[str, Any]:
        """The results of the last tick for one agent."""
        row = whole(row, "earned: agent", 0, self.env.agents - 1)
        denied = any(review.agent == row and review.enforced != review.said for review in self._reviews)
        return {"refused": denied or bool(self.state.refused[0, row]), "reward": float(self.state.reward[0, row])}

    def stop(self) -> None:
        """End the episode from outside."""
        if self.finish == Finish.RUNNING:
            self.state.done[0] = Finish.STOPPED
        self.running = False
