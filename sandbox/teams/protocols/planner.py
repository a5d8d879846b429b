"""Planner and executors, with two ledgers (Magentic-One, Fourney and others 2024): the task ledger assigns tasks
to executors; the progress ledger holds the time of the last report on each. A task without reports is planned anew, and
so is the whole plan without progress."""

from sandbox.core.speech import Act
from sandbox.core.teamwork import AgentStatus, Protocol
from sandbox.engine.coordination.assignments import forget, remember, say_done, take
from sandbox.engine.coordination.team import Count, Message, Note, Turn, answer_time, messages_of
from sandbox.engine.kernel import kernel
from sandbox.teams.protocols import manager

REPLAN = 5  # times the patience without progress, after which the plan is dropped


@kernel
def receive(team, lane, agent, tick):
    """Executors take what the planner assigns, even if they work on another task."""
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, agent)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.ASSIGN and messages[m, Message.FROM] == team.lead:
            if team.own[lane, agent, AgentStatus.FREE]:
                take(team, lane, agent, messages[m, Message.TASK], messages[m, Message.VALUE], tick)


@kernel
def strike(team, lane, agent, code, tick):
    """Remove the earlier task of an executor that reports another one."""
    notes = team.notes[lane, team.lead]
    for k in range(len(notes)):
        earlier = notes[k, Note.CODE] != code and tick - notes[k, Note.TICK] > answer_time(team)
        if notes[k, Note.AGENT] == agent and earlier:
            notes[k, Note.CODE] = 0


@kernel
def keep_ledgers(team, lane, tick):
    """Record which executor reports which task; remove tasks without reports for too long (a stall)."""
    notes = team.notes[lane, team.lead]
    messages, (start, stop) = team.messages[lane], messages_of(team, lane, team.lead)
    for m in range(start, stop):
        if messages[m, Message.ACT] == Act.CLAIM:
            strike(team, lane, messages[m, Message.FROM], messages[m, Message.TASK], tick)
            remember(team, lane, team.lead, messages[m, Message.TASK], messages[m, Message.FROM], tick)
        elif messages[m, Message.ACT] == Act.DONE:
            forget(team, lane, team.lead, messages[m, Message.FROM])
    last = max(team.turn[lane, Turn.PROGRESS], team.turn[lane, Turn.SINCE])
    replan = tick - last > REPLAN * team.patience
    if replan:
        team.turn[lane, Turn.SINCE] = tick
        team.count[lane, Count.STALLS] += 1
    for k in range(len(notes)):
        silent = tick - notes[k, Note.TICK] >= team.patience
        if notes[k, Note.CODE] and (replan or silent):
            notes[k, Note.CODE] = 0
            team.count[lane, Count.STALLS] += silent


@kernel
def speak(team, lane, agent, tick):
    """Executors report current and finished tasks; the planner updates its ledgers and assigns."""
    if agent != team.lead:
        say_done(team, lane, agent, tick, team.lead)
        manager.report(team, lane, agent, tick)
    else:
        keep_ledgers(team, lane, tick)
        manager.share_out(team, lane, tick)


PLANNER = Protocol("planner", "a planner with a task and a progress ledger, and executors", receive, speak, True,
                   acts=(Act.ASSIGN, Act.CLAIM, Act.IDLE, Act.OPEN))  # fmt: skip
