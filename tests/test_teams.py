"""Teams: every protocol gets shared tasks done in several worlds; nobody holds a team up for ever; talk pays."""

import pickle
from functools import cache

import numpy as np
import pytest
import tiny_gguf

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.core.speech import Act
from sandbox.core.teamwork import TaskState
from sandbox.engine.coordination.team import Message, Turn
from sandbox.running.replay import verify
from sandbox.scenario import load
from sandbox.scenario.change import changed
from sandbox.teams.protocols import PROTOCOLS
from sandbox.teams.stopping import messages, predicate, stall

YARD = "type octile\nheight 16\nwidth 16\nmap\n" + "\n".join(["." * 16] * 16)
WORLDS = {  # small shared tasks that three agents get done even where only one may act at a time
    "wildfire": {"name": "wildfire", "height": 32, "width": 32, "wind": 0.0, "save": 0.0, "max_ticks": 900},
    "craft": {"name": "craft", "size": 32, "goal": "wood_tools", "max_ticks": 3000},
    "warehouse": {"name": "warehouse", "layout": YARD, "requests": 3, "deliveries": 0, "max_ticks": 900},
}
ALONE = {  # what one agent does by itself, with its world's own shared task
    "wildfire": {"name": "wildfire", "height": 32, "width": 32, "wind": 0.0, "max_ticks": 300},
    "craft": WORLDS["craft"],
    "warehouse": {"name": "warehouse", "layout": "tiny", "requests": 4, "deliveries": 10, "max_ticks": 2000},
    "kitchen": {"name": "kitchen", "soups": 2},
    "web": {"name": "web"},
}
MANNERS = {
    "silent": "while True:\n    act('noop')\n",
    "hand_off": "while True:\n    for other in range(3):\n        if 'hand_off' in speaks and other != me():\n"
                "            hand_off(f'robot-{other}')\n    act('noop')\n",
    "claim": "while True:\n    done('order 0')\n    if 'claim' in speaks:\n        claim('order 1')\n    act('left')\n",
    "echo": "while True:\n    for each in heard():\n        tell(each['act'] + each['text'])\n    act('right')\n",
}  # fmt: skip


def scenario(world: str = "warehouse", protocol: str = "market", agents=3, **team) -> dict:
    groups = [{"count": agents, "reasoner": "rules"}] if isinstance(agents, int) else agents
    return {"world": dict(WORLDS[world]), "agents": groups, "team": {"protocol": protocol, **team}}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_gets_a_shared_task_done(protocol, world):
    model = sandbox.Sandbox(scenario(world, protocol, tasks="generated"), rng=3)
    while model.running:
        model.step()
    assert model.error is None and model.finish == Finish.COMPLETED
    assert model.tasks_done == model.tasks_total == len(model.env.team.objects) > 0
    assert (model.talk.team.state[0] == TaskState.DONE).all()
    assert (model.talk.messages > 0) == (protocol != "independent")


@cache
def alone(world: str, protocol: str | None) -> tuple[int, int]:
    """Tasks done and ticks taken by one agent, over eight seeds; without a team where there is no protocol."""
    team = {"team": {"protocol": protocol}} if protocol else {}
    done = ticks = 0
    for seed in range(2000, 2008):
        model = sandbox.Sandbox({"world": ALONE[world], "agents": [{"reasoner": "rules"}], **team}, rng=seed)
        while model.running:
            model.step()
        assert model.error is None
        done, ticks = done + model.tasks_done, ticks + model.ticks
    return done, ticks


@pytest.mark.parametrize("world", ALONE)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_agent_is_about_as_quick_in_a_team_as_without(protocol, world):
    (done, ticks), (without, usual) = alone(world, protocol), alone(world, None)
    assert done >= without > 0 and ticks <= 1.2 * usual


@pytest.mark.parametrize("protocol", ["independent", "manager", "market"])
def test_both_tiers_are_one_program(protocol):
    network = {"kind": "ring", "loss": 0.2, "delay": 1} if protocol == "market" else {"loss": 0.2}
    ready = load(scenario(protocol=protocol, network=network, tasks="generated", stop="stall(200) | messages(300)"))
    env = ready.env()
    state, stats = env.play(range(4), "rules")
    model = sandbox.Sandbox(ready, rng=2)
    for tick in range(60):
        model.step()
        if not model.running:  # a record's digest of a tick is from before the end of the episode is noted
            break
        assert model.latest.digest == env.digest(env.play([2], "rules", ticks=tick + 1)[0])
    while model.running:
        model.step()
    assert model.env.digest(model.state) == env.digest(state, 2)
    assert model.finalise().talk[0].tolist() == stats.talk[2].tolist()
    assert model.finalise().progress[0].tolist() == stats.progress[2].tolist()


def test_the_nearest_task_is_the_better_choice_and_a_market_that_hears_less_gains_less():
    """Beside agents without a team, which take the first order of their board."""

    def ticks(protocol: str | None, loss: float = 0.0) -> np.ndarray:
        told = scenario(protocol=protocol or "independent", agents=6, network={"loss": loss})
        if protocol is None:
            del told["team"]
        told["world"] |= {"requests": 12, "deliveries": 40}
        state, _ = load(told).env().play(range(60), "rules")
        assert (state.done == Finish.COMPLETED).all()
        return state.tick.astype(float)

    alone, nearest, *market = ticks(None), ticks("independent"), *(ticks("market", loss) for loss in (0.0, 0.5, 1.0))
    gains = [alone - each for each in (nearest, *market)]
    by_rule, clean, half, deaf = (gain.mean() for gain in gains)
    assert all(gain.mean() > 3 * gain.std() / 60**0.5 for gain in gains[:2])
    assert min(by_rule, clean) > 0.1 * alone.mean()
    assert clean > half > deaf, "it degrades with loss"
    assert half > 0.2 * clean, "smoothly"


# -- who holds a team up -----------------------------------------------------------------------------------------------


def adversaries(manner: str, protocol: str) -> dict:
    acts = {Act.HAND_OFF: "hand_off", Act.CLAIM: "claim"}
    speaks = [acts[act] for act in PROTOCOLS[protocol].acts if act in acts]
    group = {"count": 3, "reasoner": "program", "program": f"speaks = {speaks}\n{MANNERS[manner]}"}
    return scenario(protocol=protocol, agents=[group], tasks="generated", stop="stall(40)")


@pytest.mark.parametrize("manner", MANNERS)
def test_adversaries_end_in_a_stall_and_the_record_says_so(manner, tmp_path):
    for protocol in PROTOCOLS:
        outcome = sandbox.run(adversaries(manner, protocol), seed=1, out=tmp_path / protocol)
        assert outcome.error is None and outcome.finish == "stalled" and outcome.ticks == 40, protocol
        assert not outcome.success and outcome.tasks_done == 0
        if manner == "claim" and protocol not in ("sequential", "hand_off"):
            assert outcome.false_claims == outcome.claims == 3 * outcome.ticks
        if manner == "hand_off" and "hand_off" in protocol:
            assert outcome.turns > 10
        assert verify(tmp_path / protocol).passed


def test_a_holder_that_does_nothing_loses_its_turn():
    sleeper = {"reasoner": "program", "program": MANNERS["silent"]}
    told = scenario(protocol="sequential", agents=[sleeper, {"count": 2}], tasks="generated", patience=20)
    outcome = sandbox.run(told, seed=3)
    assert outcome.success and outcome.stalls > 0


# -- shared tasks ------------------------------------------------------------------------------------------------------


def test_tasks_wait_for_others_and_for_their_owner():
    tasks = [
        {"name": "one", "kind": "first", "argument": 0, "owner": 2},
        {"name": "two", "kind": "first", "argument": 1, "after": ["one"]},
        {"name": "all", "kind": "deliver", "argument": 2, "after": ["one", "two"]},
    ]
    model = sandbox.Sandbox(scenario(protocol="concurrent", tasks=tasks), rng=4)
    seen = []
    while model.running:
        model.step()
        seen.append(tuple(model.talk.team.state[0].tolist()))
        if seen[-1][0] == TaskState.OPEN:
            assert not model.talk.team.task[0, :2, 0].any(), "it is another one's, and the rest waits for it"
    assert model.finish == Finish.COMPLETED and seen[0] == (TaskState.OPEN, TaskState.WAITING, TaskState.WAITING)
    assert all(two == TaskState.WAITING for one, two, _ in seen if one != TaskState.DONE)


ORDERS = {"kind": "first", "argument": 0}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"tasks": [{"name": "a", **ORDERS, "after": ["b"]}, {"name": "b", **ORDERS, "after": ["a"]}]}, "a -> b -> a"),
        ({"tasks": [{**ORDERS, "role": "pilot"}]}, "unknown role 'pilot'"),
        ({"tasks": [{**ORDERS, "owner": 3}]}, "agent 3, expected 0..2"),
        ({"tasks": [{**ORDERS, "after": ["frist 1"]}]}, "unknown task 'frist 1'; did you mean"),
        ({"tasks": [{"kind": "frist"}]}, "unknown kind of task 'frist'; did you mean 'first'"),
        ({"tasks": [{"kind": "first", "argument": 9}]}, "9, expected 0..2"),
        ({"protocol": "manager", "network": "ring", "agents": 5}, "expected the lead to hear and reach everybody"),
        ({"protocol": "markte"}, "unknown protocol 'markte'; did you mean 'market'"),
        ({"lead": 7}, "team.lead: agent 7, expected 0..2"),
        ({"protocol": "planner", "absent": [0]}, "agent 0 leads the team"),
        ({"stop": "stal(3)"}, "did you mean 'stall'"),
        ({"network": "rign"}, "did you mean 'ring'"),
        ({"patients": 3}, "unknown key 'patients'; did you mean 'patience'"),
    ],
)
def test_what_cannot_be_is_one_clear_line(change, words):
    told = scenario(**change)
    with pytest.raises(UsageError) as error:
        load(told).env()
    assert words in str(error.value) and "\n" not in str(error.value)


# -- talk --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["ring", "star", {"kind": "small_world", "neighbours": 2, "loss": 0.3}])
def test_nothing_is_heard_off_the_graph(network):
    told = scenario(agents=7, network=network)
    told["world"] |= {"requests": 7}
    model = sandbox.Sandbox(told, rng=5)
    graph, heard = model.env.team.graph, 0
    for _ in range(60):
        model.step()
        team, places = model.talk.team, model.talk.team.mail.said.shape[3]
        for agent in range(7):
            first = team.net.first[0, agent] * places
            messages = team.messages[0, first : first + team.arrived[0, agent]]
            assert all(graph.has_edge(int(message[Message.FROM]), agent) for message in messages)
            heard += len(messages)
    assert heard > 100


def test_conditions_and_absence_and_a_change_in_the_middle():
    def told(**team) -> dict:
        return scenario(tasks=[{"kind": "deliver", "argument": 500}], **team)

    model = sandbox.Sandbox(told(), rng=1, until=messages(50) | stall(500) & predicate(lambda model: model.ticks > 3))
    while model.running:
        model.step()
    assert model.finish == Finish.BUDGET and 50 <= model.talk.messages < 80
    model = sandbox.Sandbox(told(absent=[1]), rng=1)
    for _ in range(20):
        model.step()
        assert model.latest.actions[1].tolist() == [0, 0]
    assert model.talk.team.mail.counts[0, 1, 0] == 0
    model.change(changed(model.scenario, {"team.protocol": "independent", "team.absent": []}))
    model.step()
    before, acted = model.talk.messages, False  # a message counts when it arrives, a tick after it was said
    for _ in range(20):
        model.step()
        acted |= bool(model.latest.actions[1, 0])
    assert model.talk.messages == before and acted


# -- language models ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_real_model_in_the_team(protocol, weights):
    llm = {"model": f"gguf:{weights}", "reason": 10, "max_tokens": 300, "timeout": 120.0, "tool_calls": 1}
    thinker = {"reasoner": "llm", "fallback": "rules", "llm": llm | {"budget": {"calls": 8}}}
    told = scenario(protocol=protocol, agents=[thinker, {"count": 2}], tasks=[{"kind": "deliver", "argument": 1}])
    outcome = sandbox.run(told, seed=3)
    assert outcome.error is None and outcome.success and outcome.calls > 0 and outcome.invalid_actions == 0


def test_a_model_leads_in_words_and_enums(tmp_path):
    """A scripted model as manager: it is told of its team, and what it assigns is done."""
    replies = [
        {"tool": "assign", "arguments": {"name": "first 0", "to": "robot-1"}},
        {"tool": "assign", "arguments": {"name": "first 1", "to": "robot-9"}},
        {"tool": "tell", "arguments": {"text": "Good luck.", "to": "all"}},
        {"verb": "noop"},
        {"verb": "left"},
    ]
    lead = {"reasoner": "llm", "fallback": "idle", "llm": {"model": "scripted", "replies": replies}}
    orders = [{"kind": "first", "argument": k} for k in range(2)]
    told = scenario(protocol="manager", agents=[lead, {"count": 2}], tasks=orders, stop="ticks(30)")
    model = sandbox.Sandbox(told, rng=2)
    model.step()
    (call, again, *_), said = model.latest.traces[0].calls, model.latest.said
    assert "You are robot-0, in a team of 3." in call.prompt and "first 0 (open)" in call.prompt
    assert "said" in again.prompt and [one.act for _, one in said] == [Act.ASSIGN, Act.TELL]
    model.step()
    assert model.talk.team.task[0, :, 4].tolist() == [0, model.env.team.code("first 0"), 0]
    assert [heard.said.text for heard in model.percept(1).heard if heard.said.act == Act.TELL] == ["Good luck."]
    outcome = sandbox.run(told, seed=2, out=tmp_path / "run")
    assert outcome.finish == "tick limit" and verify(tmp_path / "run").passed
    assert model.talk.holder == model.talk.team.turn[0, Turn.HOLDER]


def test_a_model_with_a_team_can_be_pickled_in_the_middle():
    model = sandbox.Sandbox(scenario(tasks="generated"), rng=6)
    for _ in range(25):
        model.step()
    twin = pickle.loads(pickle.dumps(model))
    for each in (model, twin):
        while each.running:
            each.step()
    assert twin.env.digest(twin.state) == model.env.digest(model.state)
    assert twin.finalise().talk.tolist() == model.finalise().talk.tolist()
