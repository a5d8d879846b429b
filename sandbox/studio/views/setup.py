"""The set-up of a world: the board, the tools beside it, and what can be done with it."""

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from sandbox.core.errors import UsageError
from sandbox.core.setup import Dial, Things, dialled
from sandbox.scenario.load import as_toml
from sandbox.studio.backend.setup import Brush, Draft, to_address
from sandbox.studio.components.board import Edit, board
from sandbox.studio.views.address import SETTING, SETUP
from sandbox.studio.views.scenario_picker import Choice
from sandbox.studio.views.shared import PROBLEM, download, plain

MOVE, ERASE = "Move", "Erase"
TOP = "whatever is on top"
DRAFT = "setup.draft"  # key in the session state: a choice, and its draft
PICKED = "setup.picked"  # key in the session state: the picked cell
SIZE = 900  # pixels of the picture
LONGEST = 20_000  # letters of a value in a field
HOW = {
    MOVE: "Drag what is in a cell to another one. Where nothing stands, the two cells change places.",
    ERASE: "Press on what is to go, or draw over it.",
}  # fmt: skip


def play() -> None:
    """Back to the player."""
    st.query_params.pop(SETTING, None)


def setup(choice: Choice) -> None:
    """Draw it. Every edit is a callback, so the page that follows shows what came of it."""
    draft = _draft(choice)
    with st.container(key="tools"):
        tool = _tools(draft)
    picture, right = st.columns([3, 2], gap="medium")
    with picture:
        _board(draft, tool)
        _steps(draft)
        _ways(draft)
    with right:
        _said(draft)
        _what_moves(draft, tool)
        _picked(draft)
        _dials(draft)
        _others(draft)


def _draft(choice: Choice) -> Draft:
    """The draft of the present choices, with what the address has; steps to undo stay while the choices stay."""
    of = choice.own, choice.seed
    known, draft = st.session_state.get(DRAFT, (None, None))
    if known != of:
        with st.spinner("Setting up ..."):  # kernels may be compiled
            draft = Draft(*of)
            st.session_state[DRAFT] = of, draft
    draft.open(choice.drawn)
    return draft


def _do(draft: Draft, deed: Callable[..., None], *given: Any) -> None:
    """An edit: what it has made goes into the address; an impossible one is said."""
    try:
        deed(*given)
    except UsageError as error:
        st.session_state[PROBLEM] = str(error).removeprefix("start: ")
    if text := to_address(draft.drawn):
        st.query_params[SETUP] = text
    else:
        st.query_params.pop(SETUP, None)


# -- the board ---------------------------------------------------------------------------------------------------------


def _tools(draft: Draft) -> str:
    """The choice of a tool: move, one of the brushes, erase."""
    if not draft.cells:
        st.info("Nothing can be dragged here; what the world consists of is below.", icon=":material/info:")
        return MOVE
    brushes = {f"{each.name}.{each.part}": each for each in draft.brushes}
    options = [MOVE, *brushes, *([ERASE] if any(part.new for part in draft.things) else [])]
    if st.session_state.get("tool") not in (None, *options):
        del st.session_state["tool"]
    tool = st.pills("Tool", options, default=MOVE, required=True, key="tool", wrap=True, label_visibility="collapsed",
                    format_func=lambda name: _label(name, brushes))  # fmt: skip
    return tool


def _what_moves(draft: Draft, tool: str) -> None:
    """What the tool does; and the choice of what moves, where several things may be in one cell."""
    if not draft.cells:
        return
    told = HOW[tool] if tool in HOW else f"Press on a cell, or draw over several: {plain(tool.partition('.')[0])}."
    st.caption(f":material/touch_app: {told}")
    if tool == MOVE and len(draft.things) > 1:
        names = [TOP, *(part.name for part in draft.things), *(["the map"] if draft.maps else [])]
        if st.session_state.get("moves") not in (None, *names):
            del st.session_state["moves"]
        st.selectbox("What moves", names, key="moves", help="Where several things are in one cell.")


def _label(name: str, brushes: dict[str, Brush]) -> str:
    if name in brushes:
        return plain(brushes[name].name.capitalize(), 30)
    return f":material/{'pan_tool' if name == MOVE else 'ink_eraser'}: {name}"


def _board(draft: Draft, tool: str) -> None:
    brushes = {f"{each.name}.{each.part}": each for each in draft.brushes}

    def edited(edit: Edit) -> None:
        if edit.kind == "pick" and edit.cells:
            st.session_state[PICKED] = edit.cells[0]
        elif edit.kind == "drag" and len(edit.cells) == 2:
            _do(draft, draft.move, *edit.cells, _moves(draft))
            st.session_state[PICKED] = edit.cells[1]
        elif edit.kind == "erase" or (edit.kind == "paint" and tool == ERASE):
            _do(draft, draft.erase, edit.cells)
        elif edit.kind == "paint" and tool in brushes:
            _do(draft, draft.paint, brushes[tool], edit.cells)
        elif edit.kind in ("undo", "redo"):
            _do(draft, draft.undo if edit.kind == "undo" else draft.redo)

    kind = {MOVE: "move", ERASE: "erase"}.get(tool, "paint")
    board(draft.picture(SIZE), draft.cells, kind, draft.told(), "board", edited)


def _moves(draft: Draft) -> str | None:
    """The list whose things move: None, whatever is on top; "", the map."""
    chosen = st.session_state.get("moves", TOP)
    return None if chosen == TOP else next((part.key for part in draft.things if part.name == chosen), "")


def _steps(draft: Draft) -> None:
    back, on = draft.can
    with st.container(horizontal=True):
        st.button("Undo", key="undo", icon=":material/undo:", on_click=_do, args=(draft, draft.undo), disabled=not back,
                  help="Take the latest change back (Ctrl+Z on the picture)")  # fmt: skip
        st.button("Redo", key="redo", icon=":material/redo:", on_click=_do, args=(draft, draft.redo), disabled=not on,
                  help="Make it again (Ctrl+Y on the picture)")  # fmt: skip
        st.button("Start over", key="clear", icon=":material/restart_alt:", on_click=_do, args=(draft, draft.clear),
                  disabled=not draft.drawn.text, help="As the scenario has it; you can undo that, too")  # fmt: skip


def _ways(draft: Draft) -> None:
    """What can be done with the set-up: play it, save it as a scenario, save its map."""
    scenario = {**draft.scenario.as_dict(), "seed": draft.seed}
    with st.container(horizontal=True, vertical_alignment="center", key="ways"):
        st.button("Play it", key="play_it", type="primary", icon=":material/play_arrow:", on_click=play,
                  help="Watch the team work from here")  # fmt: skip
        download("Scenario", lambda: as_toml(scenario), "scenario.toml", "application/toml",
                 "For `sandbox run` and `sandbox batch`: every seed begins so", key="save_scenario")  # fmt: skip
        try:
            text = draft.layout()
        except UsageError:
            return
        download("Map", lambda: text, "map.txt", "text/plain", "The map as text, which the option `layout` takes",
                 icon=":material/map:", key="save_map")  # fmt: skip


def _said(draft: Draft) -> None:
    if problem := st.session_state.pop(PROBLEM, None):
        st.warning(plain(problem, 600), icon=":material/error:")
    if draft.notice:
        st.info(plain(draft.notice, 300), icon=":material/info:")


# -- what else can be set ----------------------------------------------------------------------------------------------


def _picked(draft: Draft) -> None:
    """The things of the picked cell, each as JSON."""
    cell = st.session_state.get(PICKED)
    rows, cols = draft.cells or (0, 0)
    if not cell or not (cell[0] < rows and cell[1] < cols):
        return
    st.markdown(f"**Row {cell[0]}, column {cell[1]}**: {plain(draft.words(cell))}")
    for part, number in draft.at(cell):
        _thing(draft, part, number)


def _thing(draft: Draft, part: Things, number: int) -> None:
    key = f"{part.key}.{number}"

    def change() -> None:
        _do(draft, _changed)

    def _changed() -> None:
        draft.change(part.key, number, _value(st.session_state[f"thing.{key}"]))

    with st.expander(plain(draft.named(part, number).capitalize()), icon=":material/tune:"):
        text = json.dumps(draft.description[part.key][number], indent=1)
        _area("What it is", text, f"thing.{key}")
        with st.container(horizontal=True):
            st.button("Change it", key=f"change.{key}", on_click=change, help="Other values, as JSON")
            if part.new:
                st.button("Remove", key=f"remove.{key}", on_click=_do, args=(draft, draft.remove, part.key, number),
                          help="It is gone")  # fmt: skip


def _area(label: str, text: str, key: str) -> None:
    """A field with JSON; another text than it was made with replaces what stands in it."""
    if st.session_state.get(f"{key}.was") != text:
        st.session_state[key] = st.session_state[f"{key}.was"] = text
    st.text_area(label, key=key, height="content", label_visibility="collapsed")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"expected JSON: {error}") from None


def _dials(draft: Draft) -> None:
    for dial in draft.env.world.dials:
        now = dialled(draft.description, dial)
        key = f"dial.{dial.key}.{now:g}"

        def turn(dial: Dial = dial, key: str = key) -> None:
            _do(draft, draft.set, dial.key, st.session_state[key])

        st.slider(plain(dial.summary.capitalize()), dial.least, dial.most, now, key=key, on_change=turn)


def _others(draft: Draft) -> None:
    """Every key of the description, as JSON."""
    with st.expander("Everything, as JSON", icon=":material/data_object:"):
        key = st.selectbox("What", draft.others, key=f"other.{draft.env.world.name}")
        text = json.dumps(draft.description[key], indent=1)
        if len(text) > LONGEST:
            st.caption("It is too long to be shown; save the scenario, and change it there.")
            return
        _area("Value", text, f"value.{key}")

        def put() -> None:
            _do(draft, lambda: draft.set(key, _value(st.session_state[f"value.{key}"])))

        st.button("Set it", key="set_other", on_click=put, help="In the description of the world")
