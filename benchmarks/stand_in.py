"""A language model's stand-in that decides as the policy ``rules``: a run with the calls that a model would get.

The policy plays first, and its actions become a script for each agent. So who is asked when, and the text of every
request, are those of the world; how long a model takes is not known, and the length of a reply is given.
"""

from pathlib import Path
from typing import Any

import sandbox
from sandbox.engine.episode import Episode
from sandbox.scenario import load


def lines(world: dict[str, Any], agents: int, seed: int, tokens: int) -> list[list[dict[str, Any]]]:
    """What each agent answers whenever it is asked, that is, whenever it has a choice."""
    env = load({"world": world, "agents": [{"count": agents}]}).env()
    episode, told = Episode(env, seed, ["rules"] * agents), [[] for _ in range(agents)]
    while not episode.state.done[0]:
        episode.sense()
        episode.choose()
        for agent in (episode.observation.mask[0].sum(axis=1) > 1).nonzero()[0].tolist():
            verb, target = episode.actions[0, agent].tolist()
            told[agent].append({"verb": env.verbs[verb], "target": target, "tokens": tokens})
        episode.act()
        episode.end_tick()
    return told


def record(world: dict[str, Any], agents: int, seed: int, tokens: int, out: Path) -> None:
    """Play and record one such run."""
    groups = [
        {"reasoner": "llm", "llm": {"model": "scripted", "replies": own or [{"error": "never asked"}]}}
        for own in lines(world, agents, seed, tokens)
    ]
    outcome = sandbox.run({"world": world, "agents": groups}, seed=seed, out=out)
    assert outcome.error is None and outcome.fallbacks == 0, outcome
