"""Looking into an agent and its team: what is shown is what is the case, and the run does not notice."""

import pickle
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import sandbox
from sandbox.engine.play import Talk
from sandbox.engine.search import MARGIN
from sandbox.running.explain import Witness, crashed
from sandbox.scenario.change import changed
from sandbox.studio.backend import charts as series
from sandbox.studio.backend import diagrams
from sandbox.studio.backend import feed as feeds
from sandbox.studio.backend import team as teamwatch
from sandbox.studio.backend.agent import insight
from sandbox.studio.backend.charts import Point, Series
from sandbox.studio.backend.feed import Event, Feed
from sandbox.studio.backend.layers import marks
from sandbox.studio.backend.marks import Line, Message
from sandbox.studio.backend.observation import picture
from sandbox.studio.backend.team import TeamWatch
from sandbox.studio.backend.wording import number, verb_words
from sandbox.studio.views import agent as agents
from sandbox.studio.views import charts, feed, team
from sandbox.studio.views.decision import decision

HOSTILE = "<script>alert(1)</script>" * 200
TINY = {"name": "warehouse", "layout": "tiny"}
RULES = {"world": TINY, "agents": [{"count": 4, "reasoner": "rules"}]}
YARD = "type octile\nheight 16\nwidth 16\nmap\n" + "\n".join(["." * 16] * 16)
ORDERS = [{"name": "one", "kind": "first", "argument": 0}, {"kind": "deliver", "argument": 2, "after": ["one"]}]
MARKET = {
    "world": {"name": "warehouse", "layout": YARD, "requests": 3, "deliveries": 0, "max_ticks": 900},
    "agents": [{"count": 3, "reasoner": "rules"}],
    "team": {"protocol": "market", "tasks": ORDERS, "network": {"loss": 0.2}},
}
SEARCH = {
    "world": {"name": "web", "layout": "all", "max_ticks": 40},
    "perturb": {"hostile_popups": 0.4},
    "agents": [{"reasoner": "search", "world_model": {"horizon": 20, "futures": 4, "candidates": 60}}],
}
POPUP = 8  # a seed with which something pops up after the first tick


def asked(*replies: dict, **group) -> dict:
    """A robot with a scripted language model, and one with rules."""
    llm = {"model": "scripted", "replies": list(replies), "price": {"input": 1e6, "output": 1e6}, "subgoal": 40}
    return {"reasoner": "llm", "fallback": "rules", "llm": llm, **group}


TOLD = [
    {"tool": "memory_insert", "arguments": {"label": "plan", "text": "to the shelf"}},
    {"verb": "left", "reason": HOSTILE[:150], "subgoal": "load", "tokens": 7},
    {"verb": "lift"},
    {"verb": "right", "reason": "a shelf"},
]  # fmt: skip
THINKER = {"world": TINY, "agents": [asked(*TOLD * 9, memory={"kind": "blocks"}), {"count": 2}]}


def played(scenario: dict, seed: int = 3, ticks: int = 10, look=None) -> tuple[sandbox.Sandbox, list[str]]:
    """A model after some ticks, and the digests on the way; ``look`` is called after each tick."""
    model, digests = sandbox.Sandbox(scenario, rng=seed), []
    for _ in range(ticks):
        if look:
            look(model)
        model.step()
        assert model.error is None, model.error
        digests.append(model.latest.digest)
    if look:
        look(model)
    return model, digests


class Watch:
    """All that the thread side of a page keeps of an episode."""

    def __init__(self):
        self.team, self.feed, self.series = TeamWatch(), Feed(), Series()

    def __call__(self, model: sandbox.Sandbox) -> None:
        for each in (self.team, self.feed, self.series):
            each.note(model)


# -- the run does not notice -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rules", "search", "model", "team"])
def test_decisions_and_states_are_the_same_whether_somebody_looks_or_not(name):
    scenario = {"rules": RULES, "search": SEARCH, "model": THINKER, "team": MARKET}[name]
    seed, ticks, watch = (POPUP, 5, Watch()) if name == "search" else (3, 12, Watch())

    def look(model):
        watch(model)
        for agent in range(model.env.agents):
            pickle.dumps(insight(model, agent))
        pickle.dumps(watch.team.view(model))

    alone, looked = played(scenario, seed, ticks), played(scenario, seed, ticks, look)
    assert alone[1] == looked[1] and alone[0].latest.actions.tolist() == looked[0].latest.actions.tolist()
    assert alone[0].usage == looked[0].usage and alone[0].finalise().talk.tolist() == looked[0].finalise().talk.tolist()
    prompts = [[call.prompt for trace in model.latest.traces.values() for call in trace.calls]
               for model in (alone[0], looked[0])]  # fmt: skip
    assert prompts[0] == prompts[1]


# -- decisions ---------------------------------------------------------------------------------------------------------


def test_the_candidate_with_the_best_bound_is_the_action():
    """What is told of a search is what it went by: in each tick, its own rule picks the action that was taken."""
    model, left = sandbox.Sandbox(SEARCH, rng=POPUP), 0
    while model.running:
        model.step()
        own, *others = options = insight(model, 0).decided.options
        (taken,) = (option for option in options if option.taken)
        best = max(others, key=lambda option: option.gain - option.error, default=own)
        better = best is not own and best.gain - best.error > MARGIN + max(0.0, own.gain)
        assert taken == (best if better else own) and own.own and not any(option.own for option in others)
        assert taken.action == insight(model, 0).decided.action
        assert all(option.futures == 4 for option in others)
        left += taken is not own
    assert left > 0, "it has left its base policy's plan, or nothing was tested"
    assert insight(pickle.loads(pickle.dumps(model)), 0).decided.options == (), "what was not made here is not shown"
    assert insight(played(RULES, ticks=1)[0], 0).decided.options == ()


def test_a_language_model_is_shown_with_what_it_was_asked_and_answered():
    model, _ = played(THINKER, ticks=1)
    one = insight(model, 0)
    tool, act = one.decided.exchanges
    assert "You are robot 0" in tool.prompt and "memory_insert" in tool.reply and "to the shelf" in act.prompt
    assert (act.tokens, act.money) == (7, 7.0) and one.decided.subgoal == "load" and one.decided.thought
    assert [block[:1] + block[2:3] for block in one.memory.blocks] == [("plan", "to the shelf"), ("facts", "")]
    assert one.memory.recalled == 1 and "memory_insert" in dict(one.tools.own) and "left" in dict(one.tools.verbs)
    model.step()
    wrong, right = insight(model, 0).decided.exchanges
    assert "unknown action 'lift'" in wrong.problem and not right.problem
    idle = insight(model, 1)
    assert idle.decided.exchanges == () and idle.memory.kind == "none" and idle.reasoner.kind == "rules"


def test_refusals_are_told_with_their_rule_and_fallbacks_with_their_reason():
    guard = [{"verb": "left", "effect": "deny", "why": "no left turns"}]
    model, _ = played({"world": TINY, "agents": [asked({"verb": "left"})], "guard": guard}, ticks=1)
    told = insight(model, 0).decided
    assert (
        told.action == "wait" and "rule 1 (deny * left *), no left turns" in told.refused and "“left”" in told.refused
    )
    model.step()
    assert insight(model, 0).decided.fallback
    script = {"reasoner": "scripted", "script": ["toggle_load", "forward"] * 4}
    model, witness = (
        sandbox.Sandbox({"world": {**TINY, "layout": YARD}, "agents": [script, {"count": 1}]}, rng=3),
        Witness(),
    )
    witness.watch(model)
    model.step()
    told = insight(model, 0, told=witness.transition(model)).decided
    assert told.refused == "refused: there is no parcel to take up" and told.doing.startswith(
        "loads or unloads, in vain"
    )


# -- what an agent perceives and believes ------------------------------------------------------------------------------


def test_what_is_shown_as_perceived_is_what_the_next_decision_is_made_on():
    model, _ = played({**RULES, "perturb": {"sensor_noise": 0.6}}, ticks=0)
    for _ in range(5):
        seen, clear = model.episode.preview(), model.env.observe(model.state)
        model.step()
        assert all(np.array_equal(a, b) for a, b in zip(seen, model.observation, strict=True))
    assert not np.array_equal(seen.window, clear.window), "noise is part of it"
    one = insight(model, 2).senses
    assert len(one.channels) == len(model.env.spec.channels) and "You are robot 2" in one.words
    assert (
        set(one.legal) <= set(map(verb_words, model.env.verbs)) and dict(one.vector)["row"] == model.state.pos[0, 2, 0]
    )


def test_the_picture_is_the_agents_window():
    model = sandbox.Sandbox({"world": {**TINY, "layout": YARD}, "agents": [{"count": 2}]}, rng=1)
    image = np.asarray(Image.open(BytesIO(picture(model, 0))))
    side, (row, col) = model.env.spec.side, model.agents[0].cell
    cell = len(image) // side
    assert image.shape == (side * cell, side * cell, 4)
    whole = model.env.render(model.state, 0, 16 * cell)
    for down in range(-(side // 2), side // 2 + 1):
        for right in range(-(side // 2), side // 2 + 1):
            y, x = row + down, col + right
            part = image[(down + side // 2) * cell :, (right + side // 2) * cell :][:cell, :cell]
            if 0 <= y < 16 and 0 <= x < 16:
                assert np.array_equal(part[..., :3], whole[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell])
            else:
                assert not part.any(), "nothing is outside the map"


def test_beliefs_are_held_against_the_state():
    model, wrong = sandbox.Sandbox(RULES, rng=3), []
    for _ in range(25):
        model.step()
        one = insight(model, 1).world_model
        (now,) = one.forecasts
        assert now.seen.wrong == 0, "what it sees is so"
        assert now.seen.facts + now.unseen.facts == len(model.env.world.ground_truth(model.state, 0, model.env.params))
        wrong.append(now.unseen.share)
    assert 0 < max(wrong) < 0.5 and "shelves" in one.map


# -- the team ----------------------------------------------------------------------------------------------------------


def test_traffic_on_the_edges_is_what_was_sent():
    watch = Watch()
    model, _ = played(MARKET, ticks=30, look=watch)
    view = watch.team.view(model, 1)
    assert (
        sum(map(sum, (tie.total for tie in view.ties))) - sum(map(sum, (tie.now for tie in view.ties))) == view.messages
    )
    assert 0 < view.lost < view.messages and all(sum(tie.recent) <= sum(tie.total) for tie in view.ties)
    assert len(view.ties) == 3 and (view.protocol, view.agents, view.since) == ("market", 3, 0)
    assert all(0 <= member.x <= 1 and 0 <= member.y <= 1 for member in view.members)
    assert view.members == watch.team.view(model).members, "the layout stays"
    late = TeamWatch()
    late.note(model)
    assert late.view(model).since == 29, "it says from when it has counted"
    assert late.view(played(RULES, ticks=1)[0]) is None


def test_tasks_stand_as_they_are_verified_beside_what_is_claimed():
    lies = [{"tool": "done", "arguments": {"name": "one"}}, {"verb": "noop"}]
    liar = asked(*lies)
    told, watch = {**MARKET, "agents": [liar, {"count": 2}]}, Watch()
    model, _ = played(told, ticks=3, look=watch)
    one, two = watch.team.view(model).tasks
    assert one.said_done and one.state in ("open", "claimed") and watch.team.view(model).false_claims == 1
    assert (two.state, two.after, two.level, two.said_done) == ("waiting", (0,), 1, False)
    states = set()
    while model.running:
        model.step()
        watch(model)
        one = watch.team.view(model).tasks[0]
        states.add(one.state)
        if one.state == "claimed":
            assert all(model.talk.team.task[0, owner, 0] for owner in one.owners) and one.owners
    assert {"claimed", "done"} <= states


def test_of_a_large_team_the_neighbourhood_of_the_agent_is_shown(monkeypatch):
    monkeypatch.setattr(teamwatch, "SHOWN", 3)
    ring = {**MARKET, "agents": [{"count": 7}], "team": {"protocol": "market", "network": "ring"}}
    view = TeamWatch().view(played(ring, ticks=2)[0], 5)
    assert [member.agent for member in view.members] == [4, 5, 6] and "3 of 7 agents" in view.note
    monkeypatch.setattr(teamwatch, "EDGES", 1)
    assert "1 ties" in TeamWatch().view(played(ring, ticks=2)[0], 5).note


# -- the feed and the courses ------------------------------------------------------------------------------------------


def test_the_feed_tells_a_shared_task_from_claim_to_end():
    watch = Watch()
    model, _ = played(MARKET, ticks=5, look=watch)
    model.change(changed(model.scenario, {"perturb.action_failure": 0.1}))
    while model.running:
        model.step()
        watch(model)
        watch(model)  # who looks twice sees nothing twice
    told = watch.feed.events
    kinds = {event.kind for event in told}
    assert {"claim", "message", "task", "change", "finish"} <= kinds and told[-1].text == "the episode ends: completed"
    assert len(set(told)) == len(told) and [event.tick for event in told] == sorted(event.tick for event in told)
    assert any(event.text == "one: done (1 of 2)" for event in told)
    assert any("perturb.action_failure: not set -> 0.1" in event.text for event in told)
    assert any(
        event.who == "robot-0" and event.text.startswith("takes on one") for event in told if event.agent == 0
    ) or (any(event.text.startswith("takes on one") for event in told))
    assert {"task", "change", "finish"} <= {jump.kind for jump in watch.feed.jumps} and len(watch.feed.jumps) < len(
        told
    )
    drawn = Feed()
    for _ in range(2):
        drawn.note(model, [{"closed": [[1, 2]]}])
    assert [event.text for event in drawn.events if event.kind == "change"] == ["drawn into the world: closed [[1, 2]]"]


def test_the_feed_tells_of_refusals_fallbacks_and_errors_and_is_bounded(monkeypatch):
    guard = [{"verb": "left", "effect": "deny", "why": HOSTILE}]
    group, watch = asked({"verb": "left"}, {"verb": "lift"}), Watch()
    model, _ = played({"world": TINY, "agents": [group], "guard": guard}, ticks=6, look=watch)
    kinds = [event.kind for event in watch.feed.events]
    assert kinds.count("guard") == 1 and "model" in kinds and 0 < kinds.count("fallback") < 5
    assert all(len(event.text) < 1000 for event in watch.feed.events)
    monkeypatch.setattr(model, "_act", lambda: 1 / 0)
    model.step()
    for _ in range(3):
        watch(model)
    errors = [event.text for event in watch.feed.events if event.kind == "error"]
    assert errors == ["broke off: ZeroDivisionError: division by zero"]
    for tick in range(2 * feeds.LATEST):
        watch.feed.add(Event(tick, -1, "difference", "differs"))
    assert len(watch.feed.events) == len(watch.feed.jumps) == feeds.LATEST


def test_the_feed_tells_what_came_to_nothing_who_crashed_and_what_was_lost():
    """Refused and failed actions with their causes, crashed agents with their return, messages that did not arrive."""
    told = {**MARKET, "perturb": {"agent_crash": 1.0, "message_loss": 0.5}}
    model, witness, watch, crosses, broken = sandbox.Sandbox(told, rng=3), Witness(), Feed(), set(), 0
    watch.note(model)
    while model.running and model.ticks < 60:
        witness.watch(model)
        model.step()
        watch.note(model, told=witness.transition(model))
        drawn = marks(model, {"messages"})
        crosses.add(sum(isinstance(mark, Line) for mark in drawn) == 2 * len(crashed(model)))
        broken += sum(isinstance(mark, Message) and mark.lost for mark in drawn)
    kinds = {kind: [one for one in watch.events if one.kind == kind] for kind in ("failed", "crash", "lost")}
    assert kinds["crash"][0].text == "perturbations of this episode: agent crash 1, message loss 0.5"
    assert {"has crashed for a while", "is back after its crash"} <= {one.text for one in kinds["crash"]}
    assert any("the agent has crashed for a while" in one.text for one in kinds["failed"]) and crosses == {True}
    assert sum(int(one.text.split()[0]) for one in kinds["lost"]) == model.finalise().talk[0, Talk.LOST_MESSAGES] > 0
    assert broken > 0, "a lost message is drawn broken"


def test_courses_are_thinned_out_and_keep_their_end(monkeypatch):
    monkeypatch.setattr(series, "MOST", 16)
    watch = Watch()
    model, _ = played(RULES, ticks=45, look=watch)
    points = watch.series.points()
    assert len(points) <= 16 and points[0].tick == 0 and points[-1].tick == 45 == model.ticks
    assert {b.tick - a.tick for a, b in zip(points[:-1], points[1:-1], strict=False)} == {4}
    own = tuple(chart.value(model.state, 0, model.env.params) for chart in model.env.world.charts)
    assert points[-1] == Point(
        45, model.tasks_done, 10, model.reward, 0, 0, 0, 0.0, model.invalid_actions, model.refused_actions, own
    )
    assert number(float("nan")) is number(float("-inf")) is number(None) is None and number(2) == 2.0


# -- pictures and panels -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shown() -> tuple:
    """An insight, a view of a team, events and points, frozen, of a team with a language model that says bad things."""
    replies = [{"tool": "tell", "arguments": {"text": HOSTILE, "to": "all"}}, {"verb": "left", "reason": HOSTILE[:150]}]
    told = {**MARKET, "agents": [asked(*replies, memory={"kind": "blocks"}), {"count": 2}]}
    told["team"] = {**MARKET["team"], "tasks": [{**ORDERS[0], "name": HOSTILE}], "absent": [2]}
    watch = Watch()
    model, _ = played(told, ticks=1, look=watch)
    return insight(model, 0), watch.team.view(model, 0), watch.feed.events, watch.series.points()


def test_pictures_hold_text_as_text_and_an_arrow_for_each_way_that_was_taken(shown):
    one, view, *_ = shown
    windows = [diagrams.channel(*each, one.senses.high) for each in one.senses.channels]
    drawn = [diagrams.network(view, 0), diagrams.tasks(view), *windows]
    for svg in drawn:
        names = {node.tag.rpartition("}")[2] for node in ElementTree.fromstring(svg).iter()}
        assert names <= {"svg", "g", "title", "text", "rect", "circle", "line", "path", "polygon"}
    arrows = drawn[0].count("<polygon")
    assert arrows == sum(bool(way) for tie in view.ties for way in tie.now)
    assert drawn[0].count("<circle") == len(view.members) + 1, "the picked one has a ring"


def page(what: str, *values):
    """What AppTest runs."""
    from sandbox.studio.views import agent, feed

    {"pick": agent.pick, "jump": feed.jump, "kinds": feed.kinds}[what](*values)


def opened(what: str, *values) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30, args=(what, *values)).run()
    assert not app.exception, app.exception
    return app


def test_panels_without_anything_to_show_say_what_to_do():
    assert "Click an agent" in agents.agent(None) and "press Step" in decision(None)
    assert "each agent works for itself" in team.team(None)
    assert "No events yet" in feed.feed(())["empty"] and "press Play" in charts.START and charts.charts(()) == {}


def test_the_panel_of_an_agent_has_all_its_views(shown):
    one = shown[0]
    decided, parts, seen = (agents.agent(one, view) for view in agents.VIEWS)
    assert [told in decided for told in ("Call 1", "Call 2", "Call 3")] == [True, True, False]
    assert "You are robot 0" in decided and "You are robot 0" in seen and "data:image/png" in seen
    assert all(told in parts for told in ("In view", "Out of view", "Memory", "Reasoner", "Tools"))
    assert all(f"tick {one.tick}" in told for told in (decided, parts, seen))
    assert not any("<script" in told for told in (decided, parts, seen)), "texts of a model stay texts"


def test_the_panels_of_team_feed_and_courses(shown):
    _, view, events, points = shown
    told = team.team(view, 0)
    assert "Market" in told and "messages" in told and f"at tick {view.tick}" in told and "<script" not in told
    rows = feed.feed((*events, Event(2, 0, "harm", HOSTILE, HOSTILE)))["events"]
    assert [tick for tick, _ in rows] == [event.tick for event in events] + [2]
    assert not any("<script" in html for _, html in rows)
    chosen = opened("kinds", (*events, Event(2, 0, "harm", HOSTILE, HOSTILE))).get("button_group")[0]
    assert len(chosen.options) == 1 + len({event.kind for event in events}) > 1
    broken = Point(3, 1, 4, None, 2, 1, 5, None, 0, 0)
    drawn = charts.charts((*points, broken))
    assert {chart["name"] for chart in drawn["charts"]} >= {"Tokens", "Reward"}
    assert drawn["points"]["tick"] == [*(point.tick for point in points), 3] and drawn["points"]["reward"][-1] is None
    assert charts.latest(broken)["tokens"] == 5
    assert opened("pick", ["a", HOSTILE], None, print).selectbox[0].value is None
    assert opened("pick", [str(k) for k in range(500)], 3, print).number_input[0].value == 3
    assert opened("jump", (Event(4, -1, "task", HOSTILE),)).selectbox[0].value is None


def test_searches_are_drawn_even_where_nothing_is_finite():
    from sandbox.studio.backend.decision import Decided, Option

    options = (Option("wait", 0.0, 0.0, 0, True, False), Option("go", 0.3, 0.1, 4, False, True),
               Option("no", float("nan"), float("inf"), 4, False, False))  # fmt: skip
    told = decision(Decided(1, "go", "", "", "", "", "", 0, "", (), options))
    assert "4 imagined futures" in told and told.count('class="bar') == 2 and "nan" not in told
