"""A team that is set up for a world: its protocol, its network, its task objects, and the arrays of the kernels."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.perturb import Fault, generic_doses
from sandbox.core.teamwork import AgentStatus, Protocol, TaskObject
from sandbox.core.world import Task
from sandbox.engine.coordination.network import Network, mail_for
from sandbox.engine.coordination.stopping import MEASURES
from sandbox.engine.coordination.team import Assignment, Count, Message, Note, Team, Turn
from sandbox.engine.environment import Environment
from sandbox.engine.faults import ticks_late
from sandbox.teams.graphs import check_lead, graph_of, network_of
from sandbox.teams.options import TeamTable
from sandbox.teams.protocols import PROTOCOLS
from sandbox.teams.stopping import Condition, parse
from sandbox.teams.tasks import code_in, depths, named, objects_of

TOGETHER = "Get all of this done together:"
NOTES = 64  # tasks that an agent can remember, at most


class TeamPlan:
    """The plan of a scenario's ``[team]``; ``names``, ``roles`` and ``hosted`` are of each agent.

    ``hosted``: agents that choose their own messages. Raises UsageError, one line, if the team is impossible.
    """

    def __init__(self, table: TeamTable, names: Sequence[str], roles: Sequence[str], hosted: Sequence[bool],
                 seed: int, env: Environment):  # fmt: skip
        if table.protocol not in PROTOCOLS:
            raise unknown("protocol", table.protocol, PROTOCOLS, "team")
        if env.world.teamwork is None:
            raise UsageError(f"team: world '{env.world.name}' has no tasks that a team can share")
        self.table, self.names, self.agents = table, tuple(names), env.agents
        self._env = env
        self.maker = partial(TeamPlan, table, names, roles, hosted, seed)  # makes the same plan for an environment
        self._world, self._params, self._hosted = env.world, env.params, np.array(hosted, bool)
        self._roles = np.array([env.world.roles.index(role) for role in roles], np.int32)
        self.stop = parse(table.stop)
        self._check_agents()
        self.objects = self._objects()
        self.graph = graph_of(table.network, self.agents, table.lead, seed, names)
        if self.protocol.led:
            check_lead(self.graph, table.lead, names)
        severity = generic_doses(env.options.perturb)
        self._loss, self._late = severity[Fault.MESSAGE_LOSS], ticks_late(severity[Fault.MESSAGE_DELAY])

    def __reduce__(self):
        return _team_of, (self._env,)

    @property
    def protocol(self) -> Protocol:
        return PROTOCOLS[self.table.protocol]

    def _check_agents(self) -> None:
        for key, given in (("lead", [self.table.lead]), ("absent", self.table.absent)):
            if wrong := [agent for agent in given if not 0 <= agent < self.agents]:
                raise UsageError(f"team.{key}: agent {wrong[0]}, expected 0..{self.agents - 1}")
        if self.protocol.led and self.table.lead in self.table.absent:
            raise UsageError(f"team.absent: agent {self.table.lead} leads the team; expected another one")

    def _objects(self) -> list[TaskObject]:
        work = self._world.teamwork
        if self.table.tasks == "generated":
            return work.generate(self._params)
        return objects_of(self.table.tasks, work, self._params, self._world.roles, self.agents)

    @property
    def task(self) -> Task | None:
        """The shared task in plain language, with as many paraphrases as all kinds have; None for the world's task."""
        if not self.objects:
            return None
        kinds = self._world.teamwork.kinds
        told = [[self._told(one, text) for text in kinds[one.kind].texts] for one in self.objects]
        return Task("shared", tuple("\n".join([TOGETHER, *lines]) for lines in zip(*told, strict=False)))

    def _told(self, one: TaskObject, text: str) -> str:
        what = self._world.teamwork.arguments(self._params, one.kind)[one.argument]
        after = f" (after: {', '.join(one.after)})" if one.after else ""
        who = f" (for {self.names[one.owner]})" if one.owner >= 0 else f" (for a {one.role})" if one.role else ""
        return f"- {one.name}: {text.format(what=what)}{after}{who}"

    def named(self, code: int) -> str:
        """The name of a task, by its code."""
        return named(code, self.objects, self._world.teamwork, self._params)

    def code(self, name: str) -> int:
        """The code of a task by its name, or by its kind and argument ("order 17"); raises UsageError."""
        return code_in(name, self.objects, self._world.teamwork, self._params)

    def hears(self, agent: int) -> list[int]:
        """The agents that can hear an agent; all, if that depends on positions."""
        if self.graph.graph["reach"]:
            return [other for other in range(self.agents) if other != agent]
        return sorted(self.graph.successors(agent))

    # -- arrays --------------------------------------------------------------------------------------------------------

    def arrays(self, lanes: int, stop: Condition | None = None) -> Team:
        """The team of ``lanes`` episodes, before they begin; ``stop`` ends them, else the plan's own condition."""
        net, table, objects, agents = self._network(lanes), self.table, self.objects, self.agents
        mail, open_tasks = mail_for(net, lanes, table.words), self._world.teamwork.open_tasks
        absent = np.zeros(agents, bool)
        absent[table.absent] = True

        def blank(*shape: int, kind=np.int32) -> np.ndarray:
            return np.zeros((lanes, *shape), kind)

        return Team(
            net=net, lead=table.lead, patience=table.patience, width=self._world.teamwork.width(self._params),
            turns=self.protocol.turns, hosted=self._hosted, absent=absent, roles=self._roles,
            **self._graph_arrays(), stop=(stop or self.stop).program, mail=mail,
            messages=blank(net.sender.shape[1] * table.words, len(Message)), arrived=blank(agents),
            task=blank(agents, len(Assignment)), own=blank(agents, len(AgentStatus)),
            open_tasks=blank(agents, open_tasks, 4),
            notes=blank(agents, min(NOTES, max(8, 2 * agents)), len(Note)), turn=blank(len(Turn)),
            count=blank(len(Count), kind=np.int64), state=blank(len(objects), kind=np.int8), mark=blank(len(objects)),
            place=blank(len(objects)), times=blank(len(objects), 2),
            measures=blank(MEASURES, kind=np.float64),
        )  # fmt: skip

    def _network(self, lanes: int) -> Network:
        return network_of(self.graph, lanes, self._loss, self._late)

    def _graph_arrays(self) -> dict[str, np.ndarray]:
        objects, place = self.objects, {one.name: t for t, one in enumerate(self.objects)}
        after = [(place[one.name], place[other]) for one in objects for other in one.after]
        roles = self._world.roles

        def column(values) -> np.ndarray:
            return np.array(list(values), np.int32)

        return {
            "kind": column(one.kind for one in objects), "argument": column(one.argument for one in objects),
            "role": column(roles.index(one.role) if one.role else -1 for one in objects),
            "owner": column(one.owner for one in objects), "after": np.array(after, np.int32).reshape(-1, 2),
            "depth": depths(objects),
        }  # fmt: skip


def _team_of(env: Environment) -> TeamPlan:
    return env.team
