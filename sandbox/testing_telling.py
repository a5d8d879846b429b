"""The part of the conformance suite that is about words and pictures: what a world says to people."""

import re
from collections.abc import Iterator
from itertools import combinations
from math import isfinite

import numpy as np

from sandbox.core.telling import Gauge, Transition
from sandbox.engine.environment import Environment
from sandbox.engine.shapes import AGENTS, NEUTRAL, apart
from sandbox.model import Sandbox
from sandbox.running.explain import Witness
from sandbox.testing_setup import TICKS, random_actions, rollout, scenario_of

LONGEST = 200  # letters of a sentence
ALIKE, AS_AGENT, SHADE = 0.045, 0.06, 0.08  # distances of colours (``engine.shapes.apart``)
AREA = 0.005  # of a picture, from which on a colour must have a name


def transitions(env: Environment, seed: int, ticks: int) -> Iterator[Transition]:
    """Ticks in which everybody does something at random, legal or not."""
    state, rng, memory, before = env.reset([seed]), np.random.default_rng(seed), env.memory(1), env.allocate(1)
    for _ in range(ticks):
        obs, actions = env.observe(state), random_actions(env, state, rng)
        env.fork(state, 0, before, 0)
        env.step(state, actions)
        names = [f"{env.world.roles[0]}-{agent}" for agent in range(env.agents)]
        yield Transition(before, state, actions, obs, memory, env.params, names, lambda _: "", lambda _: "")


def is_plain(words: str) -> bool:
    """Whether it is one line of words that a person can read."""
    return 0 < len(words) <= LONGEST and words == " ".join(words.split()) and not re.search(r"None|nan|[_{}<>]", words)


def is_drawable(gauge: Gauge) -> bool:
    """Whether its value is a number between 0 and its maximum, and its texts are short."""
    within = isfinite(gauge.value) and 0 <= gauge.value <= (gauge.most or gauge.value)
    coloured = not gauge.colour or re.fullmatch("#[0-9a-f]{6}", gauge.colour)
    return bool(
        within and coloured and len(gauge.icon) <= 2 and is_plain(gauge.name) and len(gauge.text) <= 2 * LONGEST
    )


class TellingConformance:
    """Tests of a world; ``testing.Conformance`` has them too."""

    def test_it_says_what_every_agent_is_doing(self, env, case):
        """A sentence for each agent in each tick, whatever policy it follows, with and without perturbations."""
        for policy in env.world.policies:
            for severity in (0.0, 0.4):
                model, witness = Sandbox(scenario_of(env, case, policy, severity), rng=12), Witness()
                while model.running and model.ticks < TICKS // 3:
                    witness.watch(model)
                    model.step()
                    told = witness.transition(model)
                    for agent in range(env.agents):
                        assert is_plain(words := env.world.doing(told, agent)), (policy, model.ticks, agent, words)

    def test_what_came_to_nothing_has_a_cause(self, env):
        """Every action that was refused or failed, if the world names any cause at all."""
        every = (told for seed in range(3) for told in transitions(env, seed, TICKS))
        vain = ((told, agent) for told in every for agent in filter(told.outcome, range(env.agents)))
        found = [(told.because(agent, env.world.cause), told.action(agent)) for told, agent in vain]
        missing = {action for words, action in found if not words}
        assert all(is_plain(words) for words, _ in found if words), found
        assert not missing or not any(words for words, _ in found), missing

    def test_charts_and_gauges_are_numbers_with_names(self, env):
        world, params = env.world, env.params
        assert 3 <= len(world.charts) == len({chart.name for chart in world.charts})
        assert all(is_plain(chart.name) and is_plain(chart.unit) for chart in world.charts)
        lines = [chart.lines(params) if chart.lines else ("",) for chart in world.charts]
        assert all(len(set(names)) == len(names) for names in lines)
        assert all(map(is_plain, (name for names in lines if len(names) > 1 for name in names)))
        for told in transitions(env, 5, TICKS // 2):
            for lane_or_agent in (-1, *range(env.agents)):
                gauges = world.gauges(told.after, 0, lane_or_agent, params)
                assert all(map(is_drawable, gauges)), gauges
                assert len({(one.kind, one.name) for one in gauges}) == len(gauges), "two gauges have one name"
            assert world.gauges(told.after, 0, -1, params)[0].kind == "score"
            for chart, names in zip(world.charts, lines, strict=True):
                values = chart.values(told.after, 0, params)
                assert len(values) == len(names) and all(map(isfinite, values)), chart.name

    def test_bars_of_the_gantt_chart_are_of_somebody_and_in_the_past(self, env):
        """If the world has one: nobody works before it began, after the present, or under no name."""
        if not (chart := env.world.gantt):
            return
        rows, kinds = chart.rows(env.params), chart.kinds(env.params)
        assert all(map(is_plain, (*rows, *kinds)))
        assert len(set(rows)) == len(rows) and len(set(kinds)) == len(kinds)
        found = []
        for told in transitions(env, 5, TICKS // 2):
            now, spans = chart.clock(told.after, 0, env.params), chart.spans(told.after, 0, env.params)
            assert all(0 <= one.row < len(rows) and 0 <= one.kind < len(kinds) for one in spans)
            assert all(0 <= one.start <= (now if one.end is None else one.end) <= now for one in spans)
            running = [one.row for one in spans if one.end is None]
            assert len(set(running)) == len(running), "somebody does two things at once"
            found += spans
        assert found

    def test_the_legend_names_every_colour_once(self, env):
        """No two of its colours look alike, nor like those of the agents, and none in the picture lacks a name."""
        legend, agents = env.world.legend, [name for name, colour in env.world.legend if colour in AGENTS]
        roles = {word for role in env.world.roles for word in role.split()}
        assert legend and all(roles & set(name.replace(",", "").split()) for name in agents), agents
        for (a, one), (b, other) in combinations(legend, 2):
            assert apart(one, other) >= ALIKE, f"{a} looks like {b}"
        for name, colour in legend:
            assert name in agents or min(apart(colour, hue) for hue in AGENTS) >= AS_AGENT, (
                f"{name} looks like an agent"
            )
        known, state = [colour for _, colour in legend] + [*NEUTRAL, *AGENTS], env.reset([5])
        for tick, _ in enumerate(rollout(env, state, TICKS // 2)):
            if tick % 20:
                continue
            there, found = set(env.world.shown(state, 0, env.params)), _colours(env.render(state, 0, 600))
            assert there <= dict(legend).keys()
            for colour in found:
                assert min(apart(colour, one) for one in known) <= SHADE, f"{colour} has no name"
                assert there >= {name for name, one in legend if one == colour}, "the legend lacks what is in sight"


def _colours(picture: np.ndarray) -> list[str]:
    """The colours that cover more than AREA of a picture (H, W, 3)."""
    colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    large = counts > AREA * counts.sum()
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours[large].tolist()]
