"""What an agent of the office can be told to do; what counts are the actions of the last tick."""

import numpy as np

from sandbox.core.instructions import Instructed, Instruction
from sandbox.worlds.office.state import Desk, Entry, Params, State, Verb


def _does(verb: int):
    def count(s: State, agent: int, params: Params) -> np.ndarray:
        own = (s.journal[..., Entry.RESOURCE] == 1 + agent) & (s.journal[..., Entry.VERB] == verb)
        return own.sum(axis=1)

    return count


def _has_case(s: State, agent: int, params: Params) -> np.ndarray:
    return s.desk[:, agent, Desk.CASE] > 0


def _place(layout: str) -> dict:
    return {"layout": layout, "agents": 1}


INSTRUCTED = Instructed(
    instructions=(
        Instruction(
            ("take a case from the board", "pick up the next work item", "get something to work on",
             "take the next case", "take a piece of work from the board"),
            _has_case,
        ),
        Instruction(
            ("check the documents against each other", "match the documents", "compare the papers",
             "verify that the documents agree", "check whether the documents match"),
            _does(Verb.MATCH),
        ),
        Instruction(
            ("finish the activity", "complete the work", "close this step", "mark it as done",
             "complete what is on your desk"),
            _does(Verb.COMPLETE),
        ),
        Instruction(
            ("escalate it to the manager", "send it to your boss", "let the manager settle it",
             "ask the manager to decide", "escalate the case to your manager"),
            _does(Verb.ESCALATE),
        ),
        Instruction(
            ("reject the case", "refuse it", "turn the request down", "decline this case", "reject this request"),
            _does(Verb.REJECT),
        ),
        Instruction(
            ("ask the other side for a correction", "request a corrected document", "write to the supplier",
             "ask them to correct it", "ask the other side to correct its document"),
            _does(Verb.ASK),
        ),
        Instruction(
            ("approve it", "give your approval", "sign the request", "agree to this case", "approve the case"),
            _does(Verb.APPROVE),
        ),
    ),
    places=tuple(map(_place, ("procure-to-pay", "lead-to-cash", "onboarding"))),
    held_out=(_place("service-desk"),),
    centred=False,
    starts=40,
)  # fmt: skip
