"""Programs of agents: limits hold, one action a tick, a program is a value; and the reasoner that runs them."""

import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

import sandbox
from sandbox.agents.beliefs import Beliefs
from sandbox.agents.embed import embed, nearest
from sandbox.agents.programs.api import ProgramView
from sandbox.agents.programs.process import LIVE, Limits, Program, run
from sandbox.agents.programs.step_limit import with_step_limit
from sandbox.core.errors import UsageError

WORLD = {"name": "craft", "size": 24, "goal": "collect_wood", "mobs": False, "max_ticks": 60}
WANDERER = """
turn = 0
while True:
    row = see()["players"][me()]["row"]
    told = (move_left, move_up, move_right, move_down)[(turn + row) % 4]()
    print(told["legal"], told["reward"])
    turn += 1
    do()
"""
BROKEN = [
    ("while True: pass", "more than 500,000 steps in one tick"),
    ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", "steps in one tick"),
    ("[0 for _ in range(10**9)]", "steps in one tick"),
    ("while True: see()", "more than 1,000 calls of functions in one tick"),
    ("x = [0]\nwhile True: x += x", "more than 32 MiB of memory"),
    ("'a' * 10**10", "more than 32 MiB of memory"),
    ("def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded, at 'return f()'"),
    ("mov()", "unknown function 'mov'; did you mean 'move'?"),
    ("import subprocess", "ModuleNotFoundError"),
    ("import os\nos.listdir('/')", "PermissionError"),
    ("open('/etc/passwd')", "PermissionError"),
    ("x = (", "line 1: '(' was never closed"),
    ("x = " + "(" * 500 + ")" * 500, "too many nested parentheses"),
    ("x = 1\n1 / 0", "ZeroDivisionError: division by zero, at '1 / 0'"),
    ("move('north')", "move: target 'north', expected 0..3"),
    ("move(1, 2)", "move: 2 arguments"),
    ("act('moev')", "unknown verb 'moev'; did you mean 'move'?"),
    ("\0", "null bytes"),
    ("_metered_left = 0", "are taken"),
]


@pytest.mark.parametrize(("source", "told"), BROKEN, ids=[source[:20] for source, _ in BROKEN])
def test_what_goes_wrong_ends_the_program_with_one_line(source, told):
    program = Program(source, ("move",), 4)
    assert program.advance({"see": dict}) is None
    assert program.failed and told in program.ended and "\n" not in program.ended
    assert program.advance({"see": dict}) is None  # and it stays ended


@pytest.mark.parametrize("source", ["sum(range(10**12))", "while True:\n    see()\n    sum(range(10**6))"])
def test_the_clock_stops_what_steps_do_not_count(source):
    """One operation, or a thousand of which none takes long."""
    calls = []
    error = run(source, {"see": lambda: calls.append(1)}, Limits(seconds=0.3)).error
    assert error == "more than 0.3 s of computing in one tick, by the clock" and len(calls) < 500


def test_the_clock_counts_neither_the_host_nor_the_ticks_before():
    def host():
        time.sleep(0.3)

    assert not run("host()\nhost()", {"host": host}, Limits(seconds=0.25)).error
    program = Program("for _ in range(30):\n    sum(range(10**5))\n    move(1)", ("move",), 4, Limits(seconds=0.25))
    assert [program.advance({}, None) is not None for _ in range(31)] == [True] * 30 + [False] and not program.failed


def test_a_program_acts_once_a_tick_and_resumes_with_the_answer():
    program = Program("x = move(2)\ny = act('stay')\nprint(x, y)\nx + y", ("stay", "move"), 4)
    assert program.advance({})[:2] == (1, 2)
    assert program.advance({}, 5)[:2] == (0, 0)
    assert program.advance({}, 7) is None
    assert (program.value, program.printed, program.failed) == (12, "5 7\n", False)


def test_functions_answer_at_once_and_their_errors_can_be_caught():
    def half(x):
        return x / 2

    found = run("try:\n    half('a')\nexcept ValueError as error:\n    print(error)\nhalf(3)", {"half": half})
    assert found.value == 1.5 and "half: unsupported operand" in found.printed and not found.error
    assert run("[half(x) for x in range(3)]", {"half": half}).value == [0, 0.5, 1]


def test_nothing_depends_on_a_clock_or_on_chance():
    source = "import random, time\n[random.random(), time.time()]"
    assert run(source).value == run(source).value


def test_more_programs_than_workers_go_on_as_values():
    programs = [Program(f"while True: move({k % 4})", ("move",), 4) for k in range(LIVE + 3)]
    for _ in range(3):
        assert [program.advance({}).target for program in programs] == [k % 4 for k in range(LIVE + 3)]
    for program in programs:
        program.close()


def _model(program: str = WANDERER, **group):
    agent = {"reasoner": "program", "program": program, "fallback": "rules", **group}
    return sandbox.Sandbox({"world": WORLD, "agents": [agent]}, rng=5)


def _play(model, ticks: int) -> list[str]:
    found = []
    for _ in range(ticks):
        model.step()
        assert model.error is None
        found.append(model.latest.digest)
    return found


@pytest.fixture(scope="module")
def straight():
    """The digests of 24 ticks in one go."""
    model = _model()
    found = _play(model, 24)
    model.close()
    return found


@pytest.mark.parametrize("at", [1, 2, 9])
def test_a_dumped_program_goes_on_to_the_same_actions(straight, at):
    model = _model()
    found = _play(model, at)
    again = pickle.loads(pickle.dumps(model))
    assert found + _play(again, 24 - at) == straight
    assert _play(model, 24 - at) == straight[at:]  # whoever was dumped goes on too
    model.close(), again.close()


def test_a_dump_is_bytes_that_another_process_reads():
    program = Program("total = 0\nwhile True:\n    total += act('move', total % 4)", ("move",), 4)
    for answer in (None, 3, 5):
        program.advance({}, answer)
    code = (
        "import sys\nfrom sandbox.agents.programs.process import Program\n"
        "program = Program.load(sys.stdin.buffer.read())\nprint(program.advance({}, 2).target)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=program.dump(), capture_output=True, timeout=120)
    assert done.stdout.split() == [b"2"], done.stderr  # (3 + 5 + 2) % 4
    program.close()


def test_what_a_program_sees_is_its_belief_and_not_the_dice():
    model = _model("seen = see()\nprint('seed' in seen, seen['terrain'][0])\ndo()")
    model.step()
    thought = model.latest.traces[0].thought
    assert thought.startswith("False ") and set(thought.split()[1]) == {"?"}  # the far row is unknown
    eyes, other = ProgramView(Beliefs(model.env, model.memory, 0)), model.percept(0)
    before = eyes.functions(other)["see"]()
    model.state.seed[0] += 1
    model.state.grid[0, 0] = 1  # what it does not see
    assert eyes.functions(other)["see"]() == before and "seed" not in before
    model.close()


def test_after_its_end_the_fallback_acts_and_says_why():
    model = _model("move_left()\nnosuch()")
    _play(model, 3)
    assert model.usage.fallbacks == 2 and model.running
    assert model.latest.traces[0].fallback.startswith("unknown function 'nosuch'")
    assert model.failures == {0: model.latest.traces[0].fallback}
    assert model.actions[0, 0, 0] != model.env.params.noop  # the policy `rules` is on its way
    model.close()


def test_scenarios_say_what_is_wrong_with_a_program(tmp_path):
    def env(**group):
        from sandbox.scenario import load

        return load({"world": WORLD, "agents": [{"reasoner": "program", **group}]}).env()

    for group, told in (
        ({}, "belong together"), ({"program": "x = ("}, "agents\\[0\\].program: line 1"),
        ({"program": "walk.py"}, "walk.py: no such file"),
        ({"program": "do()", "fallback": "oracle"}, "sees the state"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=told):
            env(**group)


def test_steps_are_counted_wherever_something_repeats():
    counted = with_step_limit("for a in b:\n    c()\nwhile a: b()\ndef f(): return [x for x in y if z]\ng = lambda: 1")
    assert counted.count("_metered_step()") == 6  # one is its definition


def test_similar_texts_are_near_and_the_same_on_every_machine():
    texts = ["collect wood near tree", "make stone pickaxe near table", "drink water"]
    rows = embed([*texts, ""])
    assert rows.shape[0] == 4 and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 1, 1, 0], atol=1e-6)
    assert nearest("gather some wood", texts, 1) == [0] and nearest("pickaxes of stone", texts, 3)[0] == 1
    row = embed(["a"])[0]  # "a", and "<a>" of three characters
    assert {int(k): round(float(row[k]), 3) for k in np.flatnonzero(row)} == {32: -0.958, 428: -0.287}
