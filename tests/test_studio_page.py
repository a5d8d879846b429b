"""The studio's page: its logic in AppTest, the canvas in a real Chromium."""

import re
import subprocess
import sys

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest
from studio import COMPILE, moment, settled, standing, until

from sandbox.engine.registry import find
from sandbox.studio.backend import beside
from sandbox.studio.backend.runner import Runner
from sandbox.studio.pages.watch import PANELS
from sandbox.studio.session import prepare


def ready(page: AppTest) -> Runner:
    """Rerun the page until its runner has prepared."""

    def look():
        page.run()
        assert not page.exception
        return page.session_state["runner.watch"].peek().phase != "preparing"

    until(look, COMPILE)
    settled(page.session_state["runner.watch"])
    page.run()
    return page.session_state["runner.watch"]


@pytest.fixture
def page(root):
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    yield app
    if "runner.watch" in app.session_state:
        app.session_state["runner.watch"].close()


def at(page: AppTest) -> int:
    """The tick that the page shows."""
    return int(re.search(r"Tick ([\d,]+)", standing(page))[1].replace(",", ""))


def said(page: AppTest) -> str:
    """The first error, without what keeps it from being read as Markdown."""
    return page.error[0].value.replace("\\", "")


def buttons(page: AppTest) -> set[str]:
    """Those beside the sidebar."""
    return {each.label for each in page.main.button if not each.disabled}


def test_the_page_says_what_to_do(page):
    ready(page)
    assert "press Play" in standing(page) and "delivered 0 of 10" in standing(page) and at(page) == 0
    assert buttons(page) == {"Play", "Step", "Reset"}
    world = find("warehouse")
    controls = {each.key: each for each in (*page.get("button_group"), *page.selectbox)}
    assert {*world.policies, "search", "human", "llm", "generalist"} == set(controls["policy"].options)
    assert list(controls["layout"].options) == list(world.layouts)
    assert {f"severity.{each.name}" for each in world.perturbations} <= {each.key for each in page.slider}


def test_the_buttons(page):
    show = ready(page)
    page.button(key="step").click().run()
    assert settled(show) == 1
    assert at(page.run()) == 1
    page.button(key="play").click().run()
    assert buttons(page) == {"Pause", "Step", "Reset"}
    until(lambda: show.poll().counters.tick > 3)
    page.button(key="play").click().run()
    held = settled(show)
    assert at(page.run()) == held and "Play" in buttons(page)
    page.button(key="reset").click().run()
    ready(page)
    assert at(page) == 0


def test_the_end_is_told_and_play_waits_for_a_reset(page):
    show = ready(page)
    show.set_speed(100_000)
    show.play()
    until(lambda: show.poll().counters.over, 60)
    settled(show)
    page.run()
    assert "Completed" in standing(page) and buttons(page) == {"Reset"}


def test_another_choice_is_another_model(page):
    show = ready(page)
    for choose in (
        lambda: page.slider(key="team").set_value(7),
        lambda: page.button_group(key="layout").set_value("small"),
        lambda: page.button_group(key="policy").set_value("random"),
        lambda: page.slider(key="severity.sensor_noise").set_value(0.5),
        lambda: page.text_input(key="seed").set_value(str(2**64 - 1)),
    ):
        page.button(key="step").click().run()
        settled(show)
        before = show._showing.films[0].model
        choose().run()
        ready(page)
        assert show._showing.films[0].model is not before and at(page) == 0
    model = show._showing.films[0].model
    assert (len(model.agents), model.seed, model.scenario.perturb) == (7, 2**64 - 1, {"sensor_noise": 0.5})
    assert (model.scenario.world.layout, model.scenario.agents[0].reasoner) == ("small", "random")


def test_another_world_has_choices_of_its_own(page):
    ready(page.run())
    page.slider(key="team").set_value(7)
    page.button_group(key="layout").set_value("small").run()
    page.selectbox(key="world").set_value("kitchen").run()
    show, kitchen = ready(page), find("kitchen")
    assert not page.error and list(page.selectbox(key="layout").options) == list(kitchen.layouts)
    assert (page.selectbox(key="layout").value, page.slider(key="team").value) == ("cramped_room", 2)
    assert show._showing.films[0].model.env.world is kitchen
    page.selectbox(key="world").set_value("web").run()
    assert page.selectbox(key="layout").value == "all" and not page.error


def test_a_trained_policy_is_offered_where_it_fits(page):
    page.query_params["world"] = "kitchen"
    page.query_params["policy"] = "policy:kitchen"
    show = ready(page)
    assert "policy:kitchen" in page.button_group(key="policy").options
    assert not page.warning and show._showing.films[0].model.scenario.agents[0].reasoner == "policy:kitchen"
    page.selectbox(key="layout").set_value("coordination_ring").run()  # with more pots, which the net never saw
    ready(page)
    assert "policy:kitchen" not in page.button_group(key="policy").options
    assert page.button_group(key="policy").value == "rules" and not page.error and not page.warning
    page.button_group(key="policy").set_value("oracle").run()
    page.selectbox(key="layout").set_value("cramped_room").run()
    ready(page)
    assert page.button_group(key="policy").value == "oracle", "what fits every layout stays"


def test_bad_values_are_told_in_words(page):
    ready(page)
    page.text_input(key="seed").set_value("twelve").run()
    assert not page.exception and said(page) == "seed: 'twelve' is not a whole number in 0..2**64-1"
    assert buttons(page) == set()
    page.text_input(key="seed").set_value("12").run()
    ready(page)
    assert not page.error and "Play" in buttons(page)


def test_every_panel_opens_beside_a_composed_team(page):
    page.query_params["protocol"] = "market"
    show = ready(page)
    show.step()
    settled(show)
    for name in PANELS:
        page.button_group(key="panel").set_value(name).run()
        settled(show)
        page.run()
        assert not page.exception, name
        assert name != beside.TEAM or "contract net" in moment(page)["panel"]


def test_what_a_page_has_drawn_is_sent_also_if_a_click_comes_before_it_is():
    prepare()
    queue = ForwardMsgQueue()
    for text in ("drawn with the page", "drawn again"):
        message = ForwardMsg()
        message.delta.fragment_id, message.delta.new_element.text.body = "part", text
        message.metadata.delta_path[:] = [0, 0]
        ended = ForwardMsg(script_finished=ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY)
        for each in (message, ended):
            queue.enqueue(each)
        # as at the start of the part's next run
        queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["part"])
    sent = [each.delta.new_element.text.body or each.script_finished for each in queue.flush()]
    done = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
    assert sent == ["drawn with the page", done, "drawn again", done]


def test_a_press_is_taken_also_if_another_run_is_asked_for_before_it_is():
    prepare()
    looked = []

    def give_way():
        raise RerunException(RerunData())

    class Values(SessionState):
        def on_script_will_rerun(self, fresh_widget_states, **options):  # in which Streamlit calls the callbacks
            looked.append("key" in state)

    state = SafeSessionState(Values(), give_way)
    state.on_script_will_rerun(None)
    assert looked == [False]
    with pytest.raises(RerunException):  # from here on it gives way again
        state["key"]


APART = """
import sys
from streamlit.testing.v1 import AppTest
from sandbox.studio import main
found = []
def look():
    sys.modules.pop("statistics", None)
    import statistics
    found.append(hasattr(statistics, "median"))
main.main = look
AppTest.from_file(sys.argv[1], default_timeout=60).run()
print(found)
"""


def test_the_script_of_the_command_hides_no_module_of_python(root):
    """Streamlit puts its folder first on the path, in which there is a ``statistics`` of ours."""
    command = [sys.executable, "-c", APART, str(root / "sandbox" / "_studio_script.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=root, check=True)
    assert done.stdout.splitlines()[-1] == "[True]"
