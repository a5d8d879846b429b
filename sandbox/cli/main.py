"""The command line. Exit codes: 0 done, 1 the run failed, 2 unusable arguments or scenario (one clear line).

Ctrl-C: 1 where something is kept (a line says what), else 130.
"""

import os
import traceback
from contextlib import suppress
from typing import NoReturn

import typer

from sandbox.cli._console import err, in_words
from sandbox.cli._process import answer_interrupts, complete_files, give_up_output
from sandbox.cli.app import app as open_studio
from sandbox.cli.batch import batch
from sandbox.cli.card import card
from sandbox.cli.certify import certify
from sandbox.cli.compare import compare
from sandbox.cli.compile import compile
from sandbox.cli.convert import convert
from sandbox.cli.export import export
from sandbox.cli.fit import fit
from sandbox.cli.foresight import foresight
from sandbox.cli.keygen import keygen
from sandbox.cli.learn import learn
from sandbox.cli.new import new
from sandbox.cli.prompt import prompt
from sandbox.cli.replay import replay
from sandbox.cli.report import report
from sandbox.cli.results import results
from sandbox.cli.resume import resume
from sandbox.cli.run import run
from sandbox.cli.runs import runs
from sandbox.cli.schema import schema
from sandbox.cli.seat import seat
from sandbox.cli.serving import serving
from sandbox.cli.show import show
from sandbox.cli.sign import sign
from sandbox.cli.skills import skills
from sandbox.cli.tools import tools
from sandbox.cli.trace import trace
from sandbox.cli.verify import verify
from sandbox.cli.walkthrough import walkthrough
from sandbox.cli.worlds import worlds
from sandbox.core.errors import SandboxError
from sandbox.report.lines import lines

INTERRUPTED = 130  # the code that shells report for a process ended by Ctrl-C

app = typer.Typer(
    help="A wind tunnel for agent teams: run scenarios, watch them, verify their records.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS = (
    batch, results, open_studio, compile, certify, compare, foresight, card, prompt, schema, keygen, sign, skills,
    tools, trace, serving, worlds, run, runs, show, export, fit, seat, resume, replay, verify, report,
    walkthrough,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)
app.command("import")(convert)  # a keyword of Python
app.add_typer(new, name="new")
app.add_typer(learn, name="learn")


def main() -> None:
    """Run the command line; every error is one line and an exit code."""
    try:
        complete_files()
        answer_interrupts()
        app()
    except SandboxError as error:
        _end(str(error), error.exit_code)
    except KeyboardInterrupt:
        _end("stopped", INTERRUPTED)
    except OSError as error:
        from sandbox.record.store import EXHAUSTED

        if error.filename is None and error.errno not in EXHAUSTED:
            give_up_output()
        _end(in_words(error), 1)
    except Exception as error:
        if os.environ.get("SANDBOX_DEBUG"):
            err.print(lines(*traceback.format_exc().split("\n")))
        from sandbox.engine.compiling import in_a_line

        if told := in_a_line(error):
            _end(told, 1)
        _end(f"internal error: {type(error).__name__}: {error} (SANDBOX_DEBUG=1 shows where)", 1)


def _end(words: str, code: int) -> NoReturn:
    with suppress(OSError):  # the error output is closed
        err.print(f"error: {' '.join(words.split())}")
    raise SystemExit(code) from None


if __name__ == "__main__":
    main()
