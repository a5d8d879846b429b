"""Commands to a running episode: disturb the world, take an agent over, answer, cut a link."""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any, Protocol

import streamlit as st

from sandbox.core.intervention import Aim
from sandbox.core.people import ALLOW, DENY, Action, Question
from sandbox.studio.backend.available_commands import GENERALIST, MODEL, PROGRAM, AvailableCommands, Chance, Knob
from sandbox.studio.backend.diagrams import hue
from sandbox.studio.views.shared import PROBLEM, button, do, plain

# -- seat: the choice of the selected agent's reasoner, with the options that some reasoners need

HIGH = 260  # pixels of a program


class Commands(Protocol):
    def reseat(self, agent: int, reasoner: str, text: str = "") -> None: ...


def seat(offer: AvailableCommands, agent: int, hands: Commands) -> None:
    """The choice of a reasoner; it takes effect at once, unless there is a form."""
    known = offer.reasoners if offer.reasoner in offer.reasoners else (offer.reasoner, *offer.reasoners)
    key = f"seat_{agent}_{offer.reasoner}"

    def chosen() -> None:
        if st.session_state[key] not in FORMS:
            do(hands.reseat, agent, st.session_state[key])

    now = st.selectbox(
        "Reasoner", known, index=known.index(offer.reasoner), key=key, on_change=chosen,
        help="What decides for this agent from the next tick on. A new policy is compiled first.",
    )  # fmt: skip
    if now in FORMS:
        _form(offer, agent, now, hands)


def _form(offer: AvailableCommands, agent: int, reasoner: str, hands: Commands) -> None:
    """A form with the reasoner's options, and a button that applies them."""
    key = f"{reasoner}_{agent}"

    def seated() -> None:
        hands.reseat(agent, reasoner, st.session_state[key])

    FORMS[reasoner](offer, key)
    words = "From the next tick on. Errors are shown before anything changes."
    button("Seat it", f"seat_it_{agent}", words, seated, icon=":material/chair:")


def _program(offer: AvailableCommands, key: str) -> None:
    st.text_area(
        "Program", offer.program, height=HIGH, key=key,
        help="Python. Each call of a verb takes a tick; see(), legal() and me() answer at once. When it ends "
        "or fails, the fallback policy continues.",
    )  # fmt: skip


def _model(offer: AvailableCommands, key: str) -> None:
    st.text_input(
        "Model", offer.model, key=key, placeholder="anthropic:NAME",
        help="openai:NAME, anthropic:NAME, google:NAME, local:http://HOST:PORT/v1 or gguf:PATH; keys come from the "
        "environment. A model that the scenario has comes with its settings, memory and tools.",
    )  # fmt: skip


def _generalist(offer: AvailableCommands, key: str) -> None:
    st.text_input(
        "What should it do?", offer.told, key=key, placeholder=offer.instructions[0], max_chars=400,
        help="A sentence, in English. It has learned: " + "; ".join(offer.instructions) + ". Other words may do.",
    )  # fmt: skip


FORMS: dict[str, Callable[[AvailableCommands, str], None]] = {
    PROGRAM: _program, MODEL: _model, GENERALIST: _generalist,
}  # fmt: skip


# -- commands

NOBODY = "Pick an agent, in the picture or on the panel Agent, to steer it, to change who decides, or to cut its links."
MOST_ACTIONS = 40  # buttons
VIEW = 2_000  # letters of what an agent perceives
ARROWS = {
    "Up": ("up", "north", "forward"), "Down": ("down", "south"), "Left": ("left", "west"), "Right": ("right", "east"),
}  # fmt: skip


class Commands(Protocol):
    """Executes commands. An immediate UsageError is shown on the page."""

    def place(self, name: str, aim: Aim) -> None: ...  # an intervention of the world
    def severity(self, name: str, value: float) -> None: ...  # of a perturbation
    def option(self, name: str, value: Any) -> None: ...  # of the world
    def turn(self, key: str, value: float) -> None: ...  # a dial of the world
    def reseat(self, agent: int, reasoner: str, text: str = "") -> None: ...
    def lead(self, agent: int) -> None: ...
    def protocol(self, name: str) -> None: ...
    def cut(self, edge: tuple[int, int]) -> None: ...
    def mend(self, edge: tuple[int, int]) -> None: ...
    def take(self, agent: int) -> None: ...
    def lose(self, agent: int) -> None: ...
    def release(self, agent: int) -> None: ...
    def key(self, agent: int, words: str) -> None: ...  # next action of a taken agent
    def answer(self, agent: int, words: str) -> None: ...  # an open question


def intervene(offer: AvailableCommands, hands: Commands) -> None:
    """All commands, as callbacks, which run before the page is drawn again."""
    if offer.closed:
        st.caption(f":material/block: {plain(offer.closed)}")
        return
    _agent(offer, hands)
    _team(offer, hands)
    _world(offer, hands)
    _knobs(offer, hands)
    _doses(offer, hands)


# -- open questions ----------------------------------------------------------------------------------------------------


def pending(questions: Iterable[tuple[Question, float]], hands: Commands) -> None:
    """The open questions, each with the seconds that are left, and the reason why the last command failed."""
    if problem := st.session_state.pop(PROBLEM, None):
        st.warning(plain(problem, 600), icon=":material/error:")
    if asked := list(questions):
        with st.container(key="asked"):
            for question, left in asked:
                _pending(question, left, hands)


def _pending(question: Question, left: float, hands: Commands) -> None:
    agent = question.agent
    with st.container(border=True, key=f"pending_{agent}", gap="small"):
        st.html(_asked(question))
        st.html(_countdown(question, left))
        if question.said:
            with st.container(horizontal=True):
                allow = "Let it do what it wants"
                button("Allow", f"allow_{agent}", allow, hands.answer, agent, ALLOW, type="primary")
                button("Deny", f"deny_{agent}", "It does nothing instead", hands.answer, agent, DENY)
                with st.popover("Instead", icon=":material/swap_horiz:", help="Choose another action for it"):
                    _actions(question, "answer", hands.answer, keyed=False)
        else:
            _actions(question, "answer", hands.answer, keyed=False)
        with st.expander("What it perceives", icon=":material/visibility:"):
            st.text(question.view[:VIEW])


def _asked(question: Question) -> str:
    """Who asks, for what, what comes of it, and why it is asked."""
    who = f'<i class="dot" style="background:{hue(question.agent)}"></i><b>{escape(question.name[:60])}</b>'
    if question.said is None:
        return f'<div class="asked" role="alert"><p>{who} asks what to do</p></div>'
    verb, _ = question.said
    effect = question.effects[verb] if verb < len(question.effects) else ""
    told = f'<p>{who} wants to <b class="what">{escape(_words(question, question.said))}</b></p>'
    told += f"<p>If you allow it: {escape(effect[:300])}</p>" if effect else ""
    told += f'<p class="hint">{escape(question.why[:300])}</p>' if question.why else ""
    return f'<div class="asked" role="alert">{told}</div>'


def _countdown(question: Question, left: float) -> str:
    """A bar that empties, and the seconds; the page counts on by itself between two polls."""
    share = min(1.0, left / question.patience) if question.patience else 0.0
    then = "it is denied" if question.said else "its fallback decides"
    return (
        f'<div class="countdown" role="timer" aria-live="off" style="--left:{left:.1f}s;--from:{left:.0f};'
        f'--share:{share:.1%}"><i></i><span></span> until {then}</div>'
    )


def _words(question: Question, action: Action) -> str:
    return question.in_words(action).replace("_", " ")


def _actions(question: Question, what: str, deed: Callable[[int, str], None], keyed: bool) -> None:
    """A button for each action that has an effect now; the first ones have keys."""
    pairs = [(question.verbs.index(verb), target) for verb, of in question.legal.items() for target in of]
    keys = shortcuts([_words(question, pair) for pair in pairs]) if keyed else {}
    with st.container(horizontal=True):
        for pair in pairs[:MOST_ACTIONS]:
            words = _words(question, pair)
            said = f"{question.verbs[pair[0]]} {pair[1]}"
            key = f"{what}_{question.agent}_{pair[0]}_{pair[1]}"
            effect = question.effects[pair[0]] if question.effects else "What it does next"
            button(words, key, effect, deed, question.agent, said, shortcut=keys.get(words))
    if len(pairs) > MOST_ACTIONS:
        st.caption(f"{len(pairs) - MOST_ACTIONS} more actions are not shown.")


def shortcuts(actions: list[str]) -> dict[str, str]:
    """A key for each of the first actions: an arrow for a direction, else a digit."""
    found: dict[str, str] = {}
    for arrow, ways in ARROWS.items():
        words = next((action for way in ways for action in actions if way in action.split(" ")), None)
        if words is not None and words not in found:
            found[words] = arrow
    left = [action for action in actions if action not in found]
    return found | dict(zip(left, "123456789", strict=False))


# -- the selected agent ------------------------------------------------------------------------------------------------


def _agent(offer: AvailableCommands, hands: Commands) -> None:
    if offer.agent is None:
        st.caption(f":material/touch_app: {NOBODY}")
    else:
        st.markdown(f":material/smart_toy: **{plain(offer.name, 60)}**")
        _hold(offer, offer.agent, hands)
    first = True
    for question in sorted(offer.steered, key=lambda one: one.agent != offer.agent):  # selected first: shortcuts
        st.caption(f":material/sports_esports: {plain(question.name, 60)} does what you press, a tick at a time.")
        _actions(question, "key", hands.key, keyed=first)
        first = False
    if offer.agent is not None:
        seat(offer, offer.agent, hands)
        _links(offer, offer.agent, hands)


def _hold(offer: AvailableCommands, agent: int, hands: Commands) -> None:
    with st.container(horizontal=True):
        if agent in (*offer.taken, *offer.lost):
            words = "Let it decide for itself again"
            button("Release", "release", words, hands.release, agent, icon=":material/lock_open:")
        if agent not in offer.taken:
            words = "Steer it yourself, with the keyboard, from the next tick on"
            button("Take over", "take", words, hands.take, agent, icon=":material/sports_esports:")
        if agent not in offer.lost:
            words = "It stands still from now on, and the others have to do without it"
            button("Lose it", "lose", words, hands.lose, agent, icon=":material/heart_broken:")
        if offer.leads is False:
            button("Make it lead", "lead", "From now on it leads the team", hands.lead, agent, icon=":material/flag:")


def _links(offer: AvailableCommands, agent: int, hands: Commands) -> None:
    if not offer.links:
        return
    names = {link.other: plain(link.name, 40) for link in offer.links}
    open_ = [link.other for link in offer.links if not link.cut]
    key = f"links_{agent}_{'_'.join(map(str, open_))}"

    def set_links() -> None:
        chosen = set(st.session_state[key])
        for other in chosen ^ set(open_):
            do(hands.mend if other in chosen else hands.cut, (agent, other))

    st.pills(
        "Hears, and is heard by", list(names), selection_mode="multi", default=open_, key=key, on_change=set_links,
        wrap=True, format_func=names.__getitem__,
        help="Press one to cut the link between the two, and again to mend it.",
    )  # fmt: skip


def _team(offer: AvailableCommands, hands: Commands) -> None:
    if not offer.protocol:
        return
    key = f"protocol_{offer.protocol}"

    def set_protocol() -> None:
        do(hands.protocol, st.session_state[key])

    st.selectbox(
        "The team's protocol", offer.protocols, index=offer.protocols.index(offer.protocol), key=key,
        on_change=set_protocol,
        help="How the team works together from the next tick on. A new protocol is compiled first.",
    )  # fmt: skip


# -- the world ---------------------------------------------------------------------------------------------------------


def _world(offer: AvailableCommands, hands: Commands) -> None:
    if not offer.interventions:
        return
    st.markdown(":material/bolt: **The world, now**")
    if any(each.at == "cell" for each in offer.interventions):
        aim = (
            "at row {}, column {}".format(*offer.cell) if offer.cell else "at a cell that is drawn; click one to choose"
        )
        st.caption(f":material/my_location: Aimed {aim}.")
    with st.container(horizontal=True):
        for each in offer.interventions:
            summary = f"{_capital(each.summary)}."
            button(_label(each), f"place_{each.name}", summary, _place, each, offer, hands)


def _place(each: Chance, offer: AvailableCommands, hands: Commands) -> None:
    hands.place(each.name, Aim(offer.agent if each.at == "agent" else None, offer.cell if each.at == "cell" else None))


def _knobs(offer: AvailableCommands, hands: Commands) -> None:
    """A slider, a switch or a field for each option of the world that can change while it runs, and for each dial."""
    for each in offer.knobs:
        _knob(each, hands.turn if each.dial else hands.option)


def _knob(each: Knob, deed: Callable[[str, Any], None]) -> None:
    key = f"knob_{each.name}_{each.value}"

    def set_it() -> None:
        do(deed, each.name, st.session_state[key])

    label = plain(_capital(each.name.replace("_", " ").replace(".", ": ")), 60)
    alike = {"key": key, "on_change": set_it, "help": plain(each.summary, 300)}
    if isinstance(each.value, bool):
        st.toggle(label, each.value, **alike)
    elif isinstance(each.value, str):
        st.text_input(label, each.value, **alike)
    else:
        kind = type(each.value)
        st.slider(label, kind(each.least), kind(each.most), each.value, **alike)


def _doses(offer: AvailableCommands, hands: Commands) -> None:
    """A slider for each perturbation, except those that act only at the start of an episode."""
    if not offer.perturbations:
        return
    with st.expander("Perturbations", icon=":material/tune:"):
        st.caption("From the next tick on. What is laid out at the start, such as a map, does not change.")
        for each in offer.perturbations:
            _dose(each, hands)


def _dose(each: Chance, hands: Commands) -> None:
    key = f"dose_now_{each.name}_{each.severity:g}"

    def set_dose() -> None:
        do(hands.severity, each.name, st.session_state[key])

    st.slider(plain(_label(each), 60), 0.0, 1.0, min(1.0, max(0.0, each.severity)), 0.1, key=key, on_change=set_dose,
              help=f"{plain(_capital(each.summary), 300)}.")  # fmt: skip


def _label(each: Chance) -> str:
    return _capital(each.name.replace("_", " "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
