"""What the rules decide in a scenario, for models of other packages that play it: they act on what they are told."""

import re

import sandbox

LOGIN = {"world": {"name": "web", "layout": "login-user", "max_ticks": 20}, "agents": [{"reasoner": "rules"}]}


def seen(text: str) -> str:
    """What the agent saw, of an answer or of the beginning."""
    return re.split(r"Tick \d+\.\n", text)[-1]


def decisions(scenario: dict, seeds: list[int], agent: int = 0) -> tuple[dict, dict]:
    """What the rules do, by what they see; and the outcome of each seed."""
    done, outcomes = {}, {}
    for seed in seeds:
        words = []

        def note(model, words=words):
            if words and model.latest:
                verb, target = model.latest.actions[agent].tolist()
                done[words[-1]] = {"verb": model.env.verbs[verb], "target": target}
            words.append(model.env.render_text(model.state, 0, agent))

        outcomes[seed] = sandbox.run(scenario, seed, on_tick=note)
    return done, outcomes


def wanted(text: str) -> int:
    """The element that the task names, of layouts such as ``click-button``."""
    task, *lines = seen(text).splitlines()
    found = (re.match(r"\[(\d+)\].*'(.+)'", line) for line in lines)
    return next(int(each[1]) for each in found if each and each[2] in task)
