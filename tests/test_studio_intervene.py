"""The panel on which a person intervenes: what it offers, and whom it tells."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest
from studio import sought

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim
from sandbox.core.people import Question
from sandbox.engine.registry import find
from sandbox.oversight.approvals import Approvals
from sandbox.running import intervene
from sandbox.running.replay import verify
from sandbox.scenario import load
from sandbox.studio.backend.available_commands import AvailableCommands, Chance, Knob, Link, offer_of
from sandbox.studio.backend.commands import Commands
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.views.commands import shortcuts

HOSTILE = "<script>alert(1)</script> **[x](http://x)** " * 200
VERBS = ("noop", "forward", "left", "right", "toggle_load")
HELD = Question(4, 2, "robot-2", 0.0, "You are robot 2.", VERBS, {verb: [0] for verb in VERBS[:4]}, 0)
ASKED = Question(4, 1, HOSTILE, 9.0, HOSTILE, VERBS, {"noop": [0], "left": [0]}, 0, (2, 0), HOSTILE)
OFFER = AvailableCommands(
    interventions=(Chance("block_aisle", "a cell is blocked", "cell"), Chance("crew_down", HOSTILE, "agent")),
    perturbations=(Chance("action_failure", "actions fail", severity=0.3),),
    agent=2, name="robot-2", reasoner="llm", reasoners=("idle", "rules"),
    links=(Link(0, "robot-0", False), Link(1, HOSTILE, True)), steered=(HELD,), taken=(2,),
    leads=False, protocol="manager", protocols=("manager", "market"),
)  # fmt: skip


class Recorder:
    """Hands that note what they are asked for."""

    def __init__(self, refusal: str = ""):
        self.done, self._refusal = [], refusal

    def __getattr__(self, name):
        def deed(*given):
            self.done.append((name, *given))
            if self._refusal:
                raise UsageError(self._refusal)

        return deed


def script(offer, questions, hands):
    from sandbox.studio.views.commands import intervene, pending

    pending(questions, hands)
    intervene(offer, hands)


def drawn(offer: AvailableCommands = OFFER, hands: Recorder | None = None, asked=(ASKED,)) -> tuple[AppTest, Recorder]:
    given = {"offer": offer, "questions": [(each, 5.5) for each in asked], "hands": hands or Recorder()}
    page, hands = AppTest.from_function(script, kwargs=given, default_timeout=30).run(), given["hands"]
    assert not page.exception
    return page, hands


CLICKS = {
    "place_block_aisle": ("place", "block_aisle", Aim()),
    "place_crew_down": ("place", "crew_down", Aim(agent=2)),
    "release": ("release", 2),
    "lose": ("lose", 2),
    "key_2_1_0": ("key", 2, "forward 0"),
    "allow_1": ("answer", 1, "allow"),
    "deny_1": ("answer", 1, "deny"),
    "answer_1_2_0": ("answer", 1, "left 0"),
}


@pytest.mark.parametrize("key", CLICKS)
def test_a_button_asks_for_one_thing(key):
    page, hands = drawn()
    page.button(key=key).click().run()
    assert not page.exception and hands.done == [CLICKS[key]]


def test_a_cell_is_aimed_at():
    page, hands = drawn(replace(OFFER, cell=(3, 0)))
    assert any("row 3, column 0" in each.value for each in page.caption)
    page.button(key="place_block_aisle").click().run()
    assert hands.done == [("place", "block_aisle", Aim(cell=(3, 0)))]


def test_doses_reasoners_and_links():
    page, hands = drawn()
    page.slider[0].set_value(0.8).run()
    page.selectbox[0].select("rules").run()
    page.selectbox[1].select("market").run()
    page.button(key="lead").click().run()
    assert hands.done == [
        ("severity", "action_failure", 0.8), ("reseat", 2, "rules"), ("protocol", "market"), ("lead", 2),
    ]  # fmt: skip
    hands.done.clear()
    page.button_group[0].set_value([]).run()
    assert hands.done == [("cut", (2, 0))] and not page.exception
    page.button_group[0].set_value([0, 1]).run()
    assert ("mend", (2, 1)) in hands.done


def test_options_and_dials_have_sliders_switches_and_fields():
    knobs = (
        Knob("wind.speed", HOSTILE, 6.0, 0.0, 20.0, True), Knob("soups", "how many", 3, 0, 6),
        Knob("mobs", "some", True), Knob("goal", "what", "diamond"),
    )  # fmt: skip
    page, hands = drawn(replace(OFFER, knobs=knobs))
    page.slider[0].set_value(9.5).run()
    page.slider[1].set_value(5).run()
    page.toggle[0].set_value(False).run()
    page.text_input(key="knob_goal_diamond").set_value("none").run()
    assert not page.exception and hands.done == [
        ("turn", "wind.speed", 9.5), ("option", "soups", 5), ("option", "mobs", False), ("option", "goal", "none"),
    ]  # fmt: skip


@pytest.mark.parametrize("world", ["warehouse", "kitchen", "wildfire", "craft", "web"])
def test_every_option_that_can_change_is_offered_within_its_range(world, tmp_path):
    scenario = load({"world": {"name": world}, "agents": [{"reasoner": "idle"}]})
    film = EpisodePlayer.begin(scenario, 1, tmp_path, Approvals())
    offer = offer_of(film.model, film.people, None)
    known = find(world)
    assert [knob.name for knob in offer.knobs] == [*(dial.key for dial in known.dials), *known.live]
    for knob in offer.knobs:
        assert isinstance(knob.value, bool | str) or knob.least <= knob.value <= knob.most
        own = Commands(Between(film))
        own.turn(knob.name, knob.most) if knob.dial else own.option(knob.name, knob.value)
    film.model.step()
    assert film.model.error is None
    film.close()


def test_who_is_told_something_first_is_seated_by_a_button():
    offer = replace(OFFER, reasoners=("rules", "program", "llm", "generalist"), program="wait()", model="gguf:a")
    page, hands = drawn(replace(offer, instructions=("put it down",)))
    told = ("program", "wait()", "left()"), ("llm", "gguf:a", "gguf:b"), ("generalist", "", "drop it")
    for reasoner, usual, typed in told:
        page.selectbox[0].select(reasoner).run()
        assert not hands.done and not page.exception
        (field,) = page.text_area if reasoner == "program" else page.text_input
        assert field.value == usual
        field.set_value(typed)
        page.button(key="seat_it_2").click().run()
        assert hands.done.pop() == ("reseat", 2, reasoner, typed)


@pytest.mark.parametrize("layout, offered", [("cramped_room", ["policy:kitchen"]), ("coordination_ring", [])])
def test_trained_policies_that_fit_are_offered_and_decide(layout, offered, tmp_path):
    table = {"world": {"name": "kitchen", "layout": layout}, "agents": [{"count": 2}]}
    film = EpisodePlayer.begin(table, 3, tmp_path / "run", Approvals())
    assert [each for each in offer_of(film.model, film.people, 0).reasoners if "policy" in each] == offered
    for reasoner in offered:
        Commands(Between(film)).reseat(1, reasoner)
        for _ in range(5):
            film.model.step()
        assert film.model.error is None and film.model.scenario.roster()[1].weights.sha256
        assert offer_of(film.model, film.people, 1).reasoner == reasoner
    film.close()


class Between:
    """A runner that is always between two ticks."""

    def __init__(self, film: EpisodePlayer):
        self.film = film

    def do(self, deed):
        deed(self.film)


def test_programs_and_models_are_seated_and_replay(tmp_path, monkeypatch):
    monkeypatch.delenv("SANDBOX_MODEL", raising=False)
    replies = [{"verb": verb} for verb in ("left", "right") * 20]
    thinks = {"reasoner": "llm", "fallback": "rules", "llm": {"model": "scripted", "replies": replies}}
    table = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 3}, thinks]}
    film = EpisodePlayer.begin(table, 3, tmp_path / "run", Approvals())
    hands, offer = Commands(Between(film)), offer_of(film.model, film.people, 1)
    assert {"program", "llm", "search", "human"} <= set(offer.reasoners) and offer.model == "scripted"
    sought(film, 3)
    hands.reseat(1, "program", offer.program)
    hands.reseat(2, "llm", f" {offer.model} ")
    sought(film, 13)
    assert (
        film.model.error is None
        and [group.reasoner for group in film.scenario.roster()][1:] == ["program"] + ["llm"] * 2
    )
    turns = [film.actions(tick)[1][0] for tick in range(4, 14)]
    assert len(set(turns)) > 2 and 0 not in turns, "it does in turn whatever has an effect"
    assert [film.actions(tick)[2][0] for tick in (4, 5, 6)] == [2, 3, 2]
    wrong = {
        ("program", "def"): "line 1", ("program", " "): "belong", ("llm", "gpt"): "kind of model",
        ("llm", "gguf:"): "and a name",
    }  # fmt: skip
    for (who, text), words in wrong.items():
        with pytest.raises(UsageError, match=words) as found:
            hands.reseat(0, who, text)
        assert "\n" not in str(found.value) and film.scenario.roster()[0].reasoner == "rules"
    hands.reseat(1, "rules")
    sought(film, 16)
    digest = film.model.latest.digest
    sought(film, 2)
    sought(film, 16)
    assert film.model.latest.digest == digest
    film.close()
    assert verify(tmp_path / "run").passed


def test_what_cannot_be_is_told_in_words():
    page, _ = drawn(hands=Recorder(f"agent 2: {HOSTILE}"))
    page.button(key="release").click().run()
    assert not page.exception and "agent 2" in page.warning[0].value and "<script>" not in page.warning[0].value
    assert not page.run().warning


def test_hostile_words_stay_words():
    page, _ = drawn()
    shown = [each.value for each in (*page.markdown, *page.caption)] + [each.label for each in page.button]
    assert "<script>" not in page.get("html")[0].proto.body and "&lt;script&gt;" in page.get("html")[0].proto.body
    assert not any("<script>" in text or "[x](http" in text for text in shown)


def test_a_question_says_who_asks_for_what_what_follows_and_how_long_there_is():
    asked = ASKED._replace(name="robot-1", said=(4, 0), why="Only with leave.", effects=("", "", "", "", "Lifts it."))
    page, _ = drawn(AvailableCommands(), asked=(asked,))
    told, countdown = (each.proto.body for each in page.get("html"))
    for words in ("robot-1</b> wants to", "toggle load", "If you allow it: Lifts it.", "Only with leave.", "alert"):
        assert words in told
    assert "--left:5.5s" in countdown and "--share:61.1%" in countdown and "denied" in countdown
    assert {"Allow", "Deny"} < {each.label for each in page.button}
    page, _ = drawn(AvailableCommands(), asked=(asked._replace(said=None),))
    assert "asks what to do" in page.get("html")[0].proto.body and "Allow" not in {each.label for each in page.button}


def test_where_nothing_can_be_done_it_says_so():
    page, _ = drawn(AvailableCommands(closed="The episode is over."), asked=())
    assert "over" in page.caption[0].value and not page.button
    page, _ = drawn(AvailableCommands(), asked=())
    assert "Pick an agent" in page.caption[0].value


def test_keys():
    assert shortcuts(list(VERBS)) == {
        "forward": "Up", "left": "Left", "right": "Right", "noop": "1", "toggle_load": "2",
    }  # fmt: skip
    crafted = shortcuts(["noop", "move left", "move up", "do", "place stone"])
    assert (crafted["move left"], crafted["move up"], crafted["do"]) == ("Left", "Up", "2")
    many = shortcuts([f"click {k}" for k in range(30)])
    assert len(many) == 9 and many["click 8"] == "9"


def test_the_offer_is_made_of_the_model():
    table = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4}], "team": {}}
    people, model = Approvals(), sandbox.Sandbox({**table, "perturb": {"action_failure": 0.2}}, rng=1)
    intervene.take(model, people, 1)
    offer = offer_of(model, people, 1)
    assert [each.name for each in offer.interventions] == ["block_aisle", "clear_aisles"]
    assert {each.name: each.severity for each in offer.perturbations}["action_failure"] == 0.2
    assert (offer.taken, offer.reasoner, offer.name) == ((1,), "rules", "robot-1")
    assert [link.other for link in offer.links] == [0, 2, 3] and offer.steered[0].legal and not offer.closed
    intervene.cut(model, (1, 3))
    assert [link.cut for link in offer_of(model, people, 1).links] == [False, False, True]
    assert (offer.protocol, offer.leads) == ("independent", None) and "manager" in offer.protocols
    intervene.change(model, {"team.network.cut": [], "team.protocol": "manager"})
    assert [offer_of(model, people, agent).leads for agent in (0, 1)] == [True, False]
    model.stop()
    assert "over" in offer_of(model, people, None).closed
    assert drawn(replace(offer, closed=""))[0].button(key="release")
