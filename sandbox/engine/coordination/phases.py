"""The phases of a team's tick, around the decisions; the free names are kernels of a world and a protocol.

``confer`` precedes the decisions: messages arrive, every agent finds open tasks, the protocol shares them, and the
agents speak. ``mask_actions`` precedes the world's step: agents without the turn wait. ``end_tick`` follows it: task
objects are verified from the state, and the termination conditions are evaluated.
"""

from sandbox.core.finish import Finish
from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, OpenTask, TaskState
from sandbox.core.world import InboxColumn
from sandbox.engine.coordination.network import LOST, deliver, open_page, rewire
from sandbox.engine.coordination.stopping import Measure, met
from sandbox.engine.coordination.team import (
    Assignment,
    Message,
    Turn,
    begin,
    code_of,
    may_act,
    may_do,
    messages_of,
    messages_sent,
    tell,
    way,
)
from sandbox.engine.kernel import kernel
from sandbox.engine.play import Talk

look = check = receive = speak = sensed = look_out = progress = choose = None  # filled in by specialise


def coordinate(s, obs, lane, params, memory, assignment, actions):
    """The team communicates, then every agent with a compiled policy decides."""
    confer(s, obs, lane, params, assignment.team)
    choose(s, obs, lane, params, memory, assignment, actions)


def confer(s, obs, lane, params, team):
    """Messages arrive; the protocol shares tasks out; the agents speak."""
    tick, agents = s.tick[lane], len(team.hosted)
    if tick == 0:
        begin(team, lane)
        check_tasks(s, lane, params, team)
    open_page(team.mail, lane, tick)
    if team.net.reach > 0:
        rewire(s.pos, lane, team.net)
    deliver(s.seed[lane], tick, lane, team.net, team.mail, team.messages[lane], team.arrived[lane])
    for agent in range(agents):
        own, job = team.own[lane, agent], team.task[lane, agent]
        own[AgentStatus.FINISHED], busy = 0, job[Assignment.KIND] != 0
        look(obs, lane, agent, params, job, own, team.open_tasks[lane, agent])
        if len(team.kind):
            offer_objects(team, lane, agent)
        if busy and job[Assignment.KIND] == 0 and not own[AgentStatus.FINISHED]:
            job[Assignment.CODE] = 0
    for agent in range(agents):
        if not team.absent[agent]:
            receive(team, lane, agent, tick)
    for agent in range(agents):
        if not team.absent[agent]:
            sensed(s, lane, agent, params, team)
            if not team.hosted[agent]:
                speak(team, lane, agent, tick)
        instruct(team, lane, agent, obs)


def reports(s, lane, agent, params, team):
    """Send an agent's sensor reports to all that can hear it."""
    kind, row, col = look_out(s, lane, agent, params)
    if kind:
        tell(team, lane, agent, s.tick[lane], -1, Act.REPORT, kind, row * team.width + col)


def nothing_sensed(s, lane, agent, params, team):
    """No sensor reports."""


@kernel
def instruct(team, lane, agent, obs):
    """Write an agent's team task, and the sensor reports that it heard, into its observation."""
    for k in range(4):
        obs.task[lane, agent, k] = team.task[lane, agent, k] if team.task[lane, agent, Assignment.KIND] else 0
    inbox, found = obs.inbox[lane, agent], 0
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.REPORT and found < len(inbox):
            inbox[found, InboxColumn.SENDER] = messages[m, Message.FROM] + 1
            inbox[found, InboxColumn.KIND] = messages[m, Message.TASK]
            inbox[found, InboxColumn.FIRST] = messages[m, Message.VALUE] // team.width
            inbox[found, InboxColumn.SECOND] = messages[m, Message.VALUE] % team.width
            found += 1
    for m in range(found, len(inbox)):
        for k in range(4):
            inbox[m, k] = 0


@kernel
def offer_objects(team, lane, agent):
    """With a graph of task objects, an agent's offers are the objects on the board that it may do now."""
    code, found, count = team.task[lane, agent, Assignment.CODE], 0, len(team.kind)
    for k in range(count):
        t = (agent + k) % count
        own = code_of(team, t)
        if team.task[lane, agent, Assignment.KIND] and own == code and team.state[lane, t] >= TaskState.DONE:
            team.task[lane, agent, Assignment.KIND], team.own[lane, agent, AgentStatus.FINISHED] = 0, 1
        if team.state[lane, t] == TaskState.OPEN and may_do(team, agent, t) and found < team.open_tasks.shape[2]:
            offer = team.open_tasks[lane, agent, found]
            offer[OpenTask.CODE], offer[OpenTask.CELL] = own, team.place[lane, t]
            offer[OpenTask.COST] = way(team, team.own[lane, agent, AgentStatus.CELL], team.place[lane, t])
            offer[OpenTask.HOST] = team.owner[t] if team.owner[t] >= 0 else t % len(team.hosted)
            found += 1
    for k in range(found, team.open_tasks.shape[2]):
        team.open_tasks[lane, agent, k, OpenTask.CODE] = 0


def check_tasks(s, lane, params, team):
    """Read the state of every task object; work that was done too early counts once the object opens."""
    for t in range(len(team.kind)):
        state, mark, cell = check(s, lane, params, team.kind[t], team.argument[t], team.mark[lane, t])
        team.mark[lane, t], team.place[lane, t] = mark, cell
        if not ready(team, lane, t):
            state = TaskState.WAITING
        team.state[lane, t] = state
        if state != TaskState.WAITING and team.times[lane, t, 0] < 0:
            team.times[lane, t, 0] = s.tick[lane]
        if state == TaskState.DONE and team.times[lane, t, 1] < 0:
            team.times[lane, t, 1] = s.tick[lane]


@kernel
def ready(team, lane, task):
    """Whether all task objects that one depends on are done."""
    for k in range(len(team.after)):
        if team.after[k, 0] == task and team.state[lane, team.after[k, 1]] != TaskState.DONE:
            return False
    return True


def unmasked(lane, params, actions, assignment):
    """Leave every agent's action as decided."""


def mask_actions(lane, params, actions, assignment):
    """Agents that are absent or do not have the turn do nothing."""
    for agent in range(actions.shape[1]):
        if not may_act(assignment.team, lane, agent):
            actions[lane, agent, 0], actions[lane, agent, 1] = params.noop, 0


def finalise(s, lane, params, assignment, stats):
    """At the end of an episode: the progress of the shared task, and the team's counts."""
    team, talk = assignment.team, stats.talk[lane]
    stats.progress[lane, 0], stats.progress[lane, 1] = progress(s, lane, params)
    if len(team.kind):
        stats.progress[lane, 0], stats.progress[lane, 1] = 0, len(team.kind)
    for t in range(len(team.kind)):
        stats.progress[lane, 0] += team.state[lane, t] == TaskState.DONE
    talk[Talk.MESSAGES], talk[Talk.LOST_MESSAGES] = messages_sent(team, lane), 0
    for agent in range(len(team.hosted)):
        talk[Talk.LOST_MESSAGES] += team.mail.counts[lane, agent, LOST]
    for k in range(team.count.shape[1]):
        talk[Talk.TURNS + k] = team.count[lane, k]


def no_end_tick(s, lane, params, assignment):
    """Do nothing after a tick."""


def end_tick(s, lane, params, assignment):
    """After a tick: verify task objects, note progress, and end the episode if a condition is met."""
    team, tick = assignment.team, s.tick[lane]
    check_tasks(s, lane, params, team)
    still_open, advanced = 0, 0
    for t in range(len(team.kind)):
        still_open += team.state[lane, t] != TaskState.DONE
        advanced += team.state[lane, t] == TaskState.DONE
    done, _ = progress(s, lane, params)
    turn = team.turn[lane]
    if done + advanced > turn[Turn.BEST]:
        turn[Turn.BEST], turn[Turn.PROGRESS] = done + advanced, tick
    judge(s, lane, params, team, still_open)


@kernel
def judge(s, lane, params, team, still_open):
    """With task objects, the episode is completed only when all are done; then the conditions are evaluated."""
    if len(team.kind) and s.done[lane] == Finish.RUNNING and still_open == 0:
        s.done[lane] = Finish.COMPLETED
    elif still_open and s.done[lane] == Finish.COMPLETED:
        s.done[lane] = Finish.RUNNING if s.tick[lane] < params.max_ticks else Finish.TICK_LIMIT
    if s.done[lane] == Finish.RUNNING and len(team.stop):
        measures = team.measures[lane]
        measures[Measure.ALL_TASKS], measures[Measure.TICKS] = len(team.kind) > 0 and not still_open, s.tick[lane]
        measures[Measure.STALL] = s.tick[lane] - team.turn[lane, Turn.PROGRESS]
        measures[Measure.MESSAGES] = messages_sent(team, lane)
        s.done[lane] = met(team.stop, measures)
