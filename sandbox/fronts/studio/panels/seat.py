"""Who decides for the agent that is picked: a choice, and what some reasoners must be told to be seated."""

from collections.abc import Callable
from typing import Protocol

import streamlit as st

from sandbox.fronts.studio.panels.deeds import button, do
from sandbox.fronts.studio.show.offer import MODEL, PROGRAM, Offer

HIGH = 260  # pixels of a program


class Hands(Protocol):
    def reseat(self, agent: int, reasoner: str, text: str = "") -> None: ...


def seat(offer: Offer, agent: int, hands: Hands) -> None:
    """The choice takes effect at once, but where there is a form."""
    known = offer.reasoners if offer.reasoner in offer.reasoners else (offer.reasoner, *offer.reasoners)
    key = f"seat_{agent}_{offer.reasoner}"

    def chosen() -> None:
        if st.session_state[key] not in FORMS:
            do(hands.reseat, agent, st.session_state[key])

    now = st.selectbox(
        "Reasoner", known, index=known.index(offer.reasoner), key=key, on_change=chosen,
        help="Who decides for this agent from the tick that comes on. A policy that nobody has had is compiled first.",
    )  # fmt: skip
    if now in FORMS:
        _form(offer, agent, now, hands)


def _form(offer: Offer, agent: int, reasoner: str, hands: Hands) -> None:
    """What it must be told, and a button; what is typed counts as it stands when the button is pressed."""
    key = f"{reasoner}_{agent}"

    def seated() -> None:
        hands.reseat(agent, reasoner, st.session_state[key])

    FORMS[reasoner](offer, key)
    words = "From the tick that comes on; what is wrong with it is told before anything changes."
    button("Seat it", f"seat_it_{agent}", words, seated, icon=":material/chair:")


def _program(offer: Offer, key: str) -> None:
    st.text_area(
        "Program", offer.program, height=HIGH, key=key,
        help="Python. Each call of a verb takes a tick; see(), legal() and me() answer at once. Where it ends or "
        "breaks off, the fallback policy goes on.",
    )  # fmt: skip


def _model(offer: Offer, key: str) -> None:
    st.text_input(
        "Model", offer.model, key=key, placeholder="anthropic:NAME",
        help="openai:NAME, anthropic:NAME, google:NAME, local:http://HOST:PORT/v1 or gguf:PATH; keys come from the "
        "environment. A model that the scenario has comes with its settings, memory and tools.",
    )  # fmt: skip


FORMS: dict[str, Callable[[Offer, str], None]] = {PROGRAM: _program, MODEL: _model}
