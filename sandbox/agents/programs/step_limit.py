"""Programs that count their own steps, so that a limit on steps does not depend on a clock.

The interpreter limits time, memory and depth, but does not count steps. So a program is rewritten before it runs:
every round of a loop, every entry of a function and every element of a comprehension calls ``_metered_step``, which
reports to the host every ``PACE`` steps. The clock limits a built-in that computes long in a single step
(``sum(range(10**12))``).
"""

import ast

from sandbox.core.errors import UsageError

PACE = 10_000  # steps between two reports to the host
COUNTED = "_metered"  # prefix of inserted names
REPORT = f"{COUNTED}_pace"
LONGEST = 100_000  # characters of a program
_STEP = f"{COUNTED}_step"
_PRELUDE = f"""
{COUNTED}_left = {PACE}
def {_STEP}():
    global {COUNTED}_left
    {COUNTED}_left -= 1
    if {COUNTED}_left == 0:
        {COUNTED}_left = {PACE}
        {REPORT}()
    return True
"""


class _Meter(ast.NodeTransformer):
    """Inserts a count of steps into every loop and function."""

    def _body(self, node):
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(_step()))
        return node

    visit_For = visit_AsyncFor = visit_While = visit_FunctionDef = visit_AsyncFunctionDef = _body

    def visit_Lambda(self, node):
        self.generic_visit(node)
        node.body = ast.BoolOp(ast.And(), [_step(), node.body])
        return node

    def visit_comprehension(self, node):
        self.generic_visit(node)
        node.ifs.insert(0, _step())
        return node


def _step() -> ast.Call:
    return ast.Call(ast.Name(_STEP, ast.Load()), [], [])


def with_step_limit(source: str) -> str:
    """The program, rewritten to count its steps; raises UsageError for invalid Python."""
    if len(source) > LONGEST:
        raise UsageError(f"program of {len(source):,} characters, expected {LONGEST:,} at most")
    if COUNTED in source:
        raise UsageError(f"names with '{COUNTED}' are taken")
    try:
        tree = _Meter().visit(ast.parse(source))
        return _PRELUDE + ast.unparse(ast.fix_missing_locations(tree))
    except SyntaxError as error:
        line = f", at {' '.join(error.text.split())[:80]!r}" if error.text else ""
        raise UsageError(f"line {error.lineno or 1}: {error.msg}{line}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, thousands of brackets
        raise UsageError(f"not Python: {str(error)[:100] or type(error).__name__}") from None
