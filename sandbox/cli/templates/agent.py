"""An agent of your own: it clicks what its task names, and does anything at all where there is nothing to click."""

import random
import re


class Greedy:
    def reset(self, seed):
        self.dice = random.Random(seed)

    def act(self, observation, legal):
        task, *lines = observation.words.splitlines()
        for line in lines:
            element = re.match(r"\[(\d+)\].*'(.+)'", line)
            if element and element[2] in task and int(element[1]) in legal.get("click", []):
                return "click", int(element[1])
        verb = self.dice.choice([verb for verb in legal if verb not in ("wait", "noop")] or list(legal))
        return verb, self.dice.choice(legal[verb])
