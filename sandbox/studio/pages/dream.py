"""Dream: a drawn map, or a painted picture, becomes a dreamed world that is played by its eight codes."""

import streamlit as st

from sandbox.analysis.dreams.frames import framing_of
from sandbox.core.frames import Framing
from sandbox.studio.backend.dream import Played, weights, world_of
from sandbox.studio.backend.painted import LARGEST, read_picture
from sandbox.studio.components.board import Edit, board
from sandbox.studio.components.dream import dream
from sandbox.studio.views.shared import PROBLEM, do, plain, told

TEXT, PLAYED = "dream.text", "dream.played"  # keys in the session state
WHAT = """A small net has seen pairs of frames of {world}, and never an action. It found eight *codes* for what can lie
between two frames. Here it dreams on from your map: each key is a code. Beside it, the true kernel gets the action that
the code means, as measured at 100 labelled steps. {lacks}"""


def page() -> None:
    """The page that Streamlit runs at every rerun."""
    st.markdown("### Dream", help="docs/learning.md has its figures")
    world = world_of(weights())
    st.caption(WHAT.format(world=world.name, lacks=framing_of(world).lacks))
    with told("the dream"):
        left, right = st.columns([3, 2], gap="large")
        with right:
            _map()
        with left:
            _play()


def _played() -> Played:
    """The dreamed world of the present map."""
    dream = weights()
    text = st.session_state.setdefault(TEXT, framing_of(world_of(dream)).example.strip("\n"))
    played = st.session_state.get(PLAYED)
    if played is None or played.layout != text:
        played = st.session_state[PLAYED] = Played(text, dream)
    return played


# -- playing it --------------------------------------------------------------------------------------------------------


def _play() -> None:
    with st.spinner("Setting up ..."):  # kernels may be compiled
        played = _played()
    keys = [played.framing.spoken(verb) for verb in played.means]
    found = played.now.difference
    dream(played.pictures(), played.cells, keys, played.keys, found.cells if found else (), _standing(played), "dream",
          lambda key: _pressed(played, key))  # fmt: skip
    with st.container(horizontal=True):
        st.button("Back", key="dream_back", icon=":material/undo:", on_click=played.back, disabled=not played.codes,
                  help="Take the last step back (Backspace on the pictures)")  # fmt: skip
        st.button("Restart", key="dream_restart", icon=":material/restart_alt:", on_click=played.restart,
                  disabled=not played.codes, help="The map as it was drawn")  # fmt: skip


def _pressed(played: Played, key: str) -> None:
    if key == "back":
        played.back()
    else:
        do(played.press, int(key))


def _standing(played: Played) -> str:
    """The last step, and the first difference, in words."""
    steps = len(played.codes)
    if not steps:
        return "Click a picture, then press 1 to 8. Arrows press the codes that mean moves."
    code = played.codes[-1]
    last = f"Step {steps}: code {code + 1} ({played.framing.spoken(played.means[code])})."
    found = played.now.difference
    return f"{last} First difference at step {found.step}: {found.words}." if found else f"{last} No difference so far."


# -- the map -----------------------------------------------------------------------------------------------------------


def _map() -> None:
    """Paint it, write it as text, or read it from a picture."""
    if problem := st.session_state.pop(PROBLEM, None):
        st.warning(plain(problem, 600), icon=":material/error:")
    ways = ("Draw", "Text", "Picture")
    way = st.segmented_control("Map", ways, default=ways[0], required=True, key="dream_way")
    {"Draw": _drawn, "Text": _written, "Picture": _uploaded}[way]()


def _new(text: str) -> None:
    """Another map, if it can be dreamed."""
    Played(text, weights())
    st.session_state[TEXT] = text


def _drawn() -> None:
    played = _played()
    framing, inks = played.framing, brushes(played.framing)
    ink = st.pills("Paint with", list(inks), default=framing.symbols[framing.aims[0]], required=True, key="dream_ink",
                   format_func=inks.get, label_visibility="collapsed")  # fmt: skip

    def edited(edit: Edit) -> None:
        if edit.kind == "paint":
            do(_new, painted(framing, st.session_state[TEXT], ink, edit.cells))

    rows = played.layout.splitlines()
    words = [[inks.get(symbol, "").lower() for symbol in row] for row in rows]
    start = played.env.render(played.env.reset([0]), size=480)
    board(start, played.cells, "paint", words, "dream_map", edited)


def brushes(framing: Framing) -> dict[str, str]:
    """The symbols of a map, with what they are."""
    known = zip(framing.symbols[1:], framing.tokens[1:], strict=True)
    return {framing.player: "Player"} | {symbol: token.capitalize() for symbol, token in known if symbol}


def painted(framing: Framing, text: str, ink: str, cells: tuple[tuple[int, int], ...]) -> str:
    """A map with another symbol in some cells; the player is in one place only."""
    rows = [list(row) for row in text.splitlines()]
    cells = tuple((row, col) for row, col in cells if 0 <= row < len(rows) and 0 <= col < len(rows[row]))
    if ink == framing.player and cells:
        ground = framing.symbols[framing.floor[0]]
        rows = [[ground if symbol == ink else symbol for symbol in row] for row in rows]
        cells = cells[-1:]
    for row, col in cells:
        rows[row][col] = ink
    return "\n".join("".join(row) for row in rows)


def _written() -> None:
    st.session_state["dream_text"] = st.session_state[TEXT]
    legend = ", ".join(f"{symbol} {word.lower()}" for symbol, word in brushes(_played().framing).items())
    st.text_area("Map, a symbol for each cell", key="dream_text", height=330, help=plain(legend, 400),
                 on_change=lambda: do(_new, st.session_state["dream_text"].strip("\n")))  # fmt: skip
    st.caption(plain(legend, 400))


def _uploaded() -> None:
    def read() -> None:
        if given := st.session_state["dream_picture"]:
            world = world_of(weights())
            do(lambda: _new(read_picture(world, given.name, given.getvalue()).strip("\n")))

    st.file_uploader("Picture (PNG)", ["png"], key="dream_picture", max_upload_size=LARGEST, on_change=read,
                     help="Square cells as the studio paints them, or in the flat colours of its legend")  # fmt: skip
    st.caption("12 to 40 cells a side, of any size in pixels: in the legend's colours, or as the studio paints them.")
