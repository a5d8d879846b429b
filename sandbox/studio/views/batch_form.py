"""The form that configures and starts a batch."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from sandbox.analysis.robustness import dose_sweep
from sandbox.core.errors import SandboxError
from sandbox.running import jobs
from sandbox.running.claims import claim
from sandbox.running.listing import RUNS
from sandbox.scenario import Scenario, load
from sandbox.scenario.sweep import conditions
from sandbox.studio.backend.places import opened, scenario_files
from sandbox.studio.session import WATCHED
from sandbox.studio.views.shared import plain
from sandbox.studio.views.upload import upload

FILE, UPLOAD, SHOWN = "A file", "Upload", "From Watch"
SWEEP, CURVE, CERTIFICATE = "Sweep", "Robustness curve", "Certificate"
KINDS = {
    SWEEP: "every condition of the file's [sweep], on the same seeds",
    CURVE: "success against the severity of one perturbation, paired with clean trials",
    CERTIFICATE: "prove a success rate: as many trials as it takes, and an exact bound",
}
RATES = (0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999)
CONFIDENCES = (0.9, 0.95, 0.99, 0.999)
STEPS = {"0, 0.5, 1": 0.5, "every 0.25": 0.25, "every 0.2": 0.2, "every 0.1": 0.1}
MANY = 10_000_000  # trials of a condition


class Plan(NamedTuple):
    """A job to be started."""

    scenario: Scenario
    name: str  # name of its folder
    kind: jobs.Kind
    arguments: list[str]
    words: str


def beginning() -> Path | None:
    """Draw the choices and the button; returns the folder of a job just started."""
    try:
        found = _source()
        chosen = _plan(*found) if found else None
    except SandboxError as error:
        st.error(plain(error, 600), icon=":material/error:")
        chosen = None
    if chosen:
        st.text(chosen.words)
    pressed = st.button("Start", key="start", type="primary", icon=":material/play_arrow:", disabled=chosen is None,
                        help="Runs in the background; you can leave this page and come back")  # fmt: skip
    if not (pressed and chosen):
        return None
    try:
        chosen.scenario.env()  # reports an error of the world now, not by a failing job
        return jobs.begin(chosen.scenario, chosen.name, chosen.kind, chosen.arguments, RUNS)
    except SandboxError as error:
        st.error(plain(error, 600), icon=":material/error:")
        return None


def _source() -> tuple[Scenario, str] | None:
    """The chosen scenario and a name for it; None if there is none yet."""
    watched, files = st.session_state.get(WATCHED), scenario_files()
    ways = [*([SHOWN] if watched is not None else []), *([FILE] if files else []), UPLOAD]
    way = st.segmented_control("Scenario", ways, default=ways[0], required=True, key="source",
                               help="A file below scenarios/, one of yours, or what Watch shows")  # fmt: skip
    if way == SHOWN:
        return watched, "watched"
    if way == FILE:
        name = st.selectbox("File", list(files), key="file",
                            help="Below scenarios/ of the folder where the studio was started")  # fmt: skip
        return opened(files[name]), files[name].stem
    found = upload()
    return (found[0], Path(found[1]).stem) if found else None


def _plan(scenario: Scenario, name: str) -> Plan:
    kind = st.segmented_control("What to find out", list(KINDS), default=SWEEP, required=True, key="kind",
                                help="; ".join(f"{kind}: {words}" for kind, words in KINDS.items()))  # fmt: skip
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:60].strip("-") or "batch"
    if kind == CERTIFICATE:
        return _certificate(scenario, safe)
    chosen = load(scenario, _doses(scenario)) if kind == CURVE else scenario
    trials = st.number_input(
        "Trials of each condition", 1, MANY, min(scenario.trials.count, MANY), key=f"trials-{name}",
        help="Seeds that each condition is tried on, the same for all",
    )  # fmt: skip
    found = conditions(chosen.sweep)
    many = f"{len(found)} conditions, {trials:,} seeds of each" if len(found) > 1 else "One condition"
    words = f"{many}: {len(found) * trials:,} trials{_models(chosen)}"
    return Plan(chosen, safe, "batch", ["--trials", str(trials)], words)


def _doses(scenario: Scenario) -> dict:
    """The overrides of a robustness curve."""
    known = [each.name for each in scenario.env().perturbations]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Perturbation", known, key="perturbed", width=240,
                            help="What goes wrong, more and more often",
                            format_func=lambda name: name.replace("_", " ").capitalize())  # fmt: skip
        step = st.selectbox(
            "Severities", list(STEPS), 1, key="step", width=160, help="From 0, a normal day, to 1, the worst"
        )
    return dose_sweep(scenario, [f"{name}=0:1:{STEPS[step]}"])


def _certificate(scenario: Scenario, name: str) -> Plan:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.selectbox(
            "Reliability", RATES, 2, key="reliability", width=160, help="The success rate that is claimed"
        )
        level = st.selectbox("Confidence", CONFIDENCES, 1, key="confidence", width=160,
                             help="How sure the claim is to be true")  # fmt: skip
        allowed = st.number_input("Failures allowed", 0, 1000, 0, key="failures", width=160,
                                  help="Each takes more trials; one more than these ends it at once")  # fmt: skip
    stated = claim(scenario, rate, level, allowed)
    told = stated.words[:1].upper() + stated.words[1:]
    options = [f"--reliability={rate:.10g}", f"--confidence={level:.10g}", f"--failures={allowed}"]
    return Plan(scenario, name, "certify", options, told + _models(scenario))


def _models(scenario: Scenario) -> str:
    return "; language models are asked in every one, which may cost money" if "llm" in scenario.reasoners else ""
