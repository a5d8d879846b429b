"""Private interfaces of other packages that we use: a new version that changes one fails here, and says what breaks.

To allow a new version of a package, install it, run this file and the tests that it names, and raise the cap in
pyproject.toml.
"""

import inspect
import operator
import tomllib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version

import numpy as np
import pytest
from numba import njit, types
from numba.core import event
from numba.core.codegen import CodeLibrary, JITCodeLibrary
from numba.core.compiler import CompileResult, Flags, _make_subtarget, compile_extra
from numba.core.errors import NumbaError
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.serialize import dumps
from numba.core.targetconfig import ConfigStack
from numba.core.types import BaseFunction
from numba.np.arrayobj import make_array
from packaging.requirements import Requirement
from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state.query_params import QueryParams
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState

from sandbox.cli.app import OPTIONS
from sandbox.engine.dispatcher import Kernel, Part

CHECKS: list[tuple[str, str, Callable[[], None]]] = []


def used(what: str, breaks: str) -> Callable:
    """Registers a check of an interface; ``breaks`` says what no longer works without it, and which tests tell more."""

    def register(check: Callable[[], None]) -> None:
        CHECKS.append((what, breaks, check))

    return register


def _parameters(function: Callable) -> list[str]:
    return list(inspect.signature(function).parameters)


@used(
    "numba.njit(_nrt=)", "engine.kernel: a kernel that allocates is no longer refused, or every call counts references"
)
def _():
    with pytest.raises(NumbaError):
        njit(_nrt=False)(lambda n: np.zeros(n))(3)
    assert njit(_nrt=True)(lambda n: np.zeros(n))(3).shape == (3,)


@used("numba.np.arrayobj.make_array", "engine.eight: windows of packed cells (tests/test_eight.py)")
def _():
    assert _parameters(make_array) == ["array_type"]


@used("numba.core.registry.CPUDispatcher", "engine.dispatcher: nothing compiles (tests/test_cache.py)")
def _():
    assert issubclass(Kernel, CPUDispatcher)
    for name in ("get_call_template", "get_overload", "compile", "nopython_signatures", "add_overload"):
        assert hasattr(CPUDispatcher, name), name
    options = {"no_compile", "no_cpython_wrapper", "no_cfunc_wrapper", "forceinline", "release_gil"}
    assert options <= Flags.options.keys()
    own = ["typingctx", "targetctx", "func", "args", "return_type", "flags", "locals", "library"]
    assert _parameters(compile_extra)[: len(own)] == own
    assert _parameters(_make_subtarget) == ["targetctx", "flags"]


@used("numba.core.types.BaseFunction", "engine.dispatcher: compiling takes longer, or fails (tests/test_cache.py)")
def _():
    assert _parameters(BaseFunction.get_call_type) == ["self", "context", "args", "kws"]
    plus = cpu_target.typing_context.resolve_value_type(operator.add)
    signature = plus.get_call_type(cpu_target.typing_context, (types.int64, types.int64), {})
    assert plus._impl_keys[signature.args] == plus.get_impl_key(signature)
    assert ConfigStack.top_or_none() is None
    flags = Flags()
    flags.nrt = True
    assert flags._values == {"nrt": True} and flags.copy()._values == flags._values


@used("numba.core.codegen", "engine.dispatcher: parts cannot be linked, which crashes at the first call")
def _():
    for name in ("_final_module", "_linking_libraries", "_reload_init"):
        assert hasattr(Part(cpu_target.target_context.codegen(), "check"), name), name
    for name in ("_optimize_final_module", "_get_module_for_linking", "_finalize_dynamic_globals"):
        assert callable(getattr(JITCodeLibrary, name)), name
    assert "attrs" in _parameters(cpu_target.target_context.call_conv.call_function)
    assert hasattr(cpu_target.target_context, "_defns")


@used(
    "numba.core.compiler.CompileResult", "engine.cache.Store: kernels cannot be written or read (tests/test_cache.py)"
)
def _():
    assert _parameters(CompileResult._reduce) == ["self"] and "lifted" in CompileResult._fields
    assert _parameters(CompileResult._rebuild)[0] == "target_context"
    assert isinstance(CodeLibrary.has_dynamic_globals, property) and callable(dumps)
    assert isinstance(cpu_target.target_context.codegen().magic_tuple(), tuple)


@used("numba.core.dispatcher.Dispatcher", "engine.compiling: nobody knows what is compiled (tests/test_cli.py)")
def _():
    function = njit(inline="always")(lambda x: x)
    assert function.targetoptions["inline"] == "always" and not function.overloads
    assert callable(function.py_func)


@used("numba.core.event", "engine.compiling: progress of compilation is not shown (tests/test_cli.py)")
def _():
    function = njit(lambda x: x + 1)
    with event.install_recorder("numba:compile") as recorded:
        function(1)
    assert [each.data["dispatcher"] for _, each in recorded.buffer] == [function, function]  # begun, done


@used(
    "streamlit ForwardMsgQueue", "studio.session: a page may stay blank after a click (test_studio_replay_browser.py)"
)
def _():
    clear = inspect.unwrap(ForwardMsgQueue.clear)
    assert _parameters(clear) == ["self", "retain_lifecycle_msgs", "fragment_ids_this_run"]
    queue, drawn, done = ForwardMsgQueue(), ForwardMsg(), ForwardMsg()
    assert queue._delta_index_map == {}
    drawn.delta.fragment_id = "fragment"
    done.script_finished = told = ForwardMsg.FINISHED_SUCCESSFULLY
    for message in (drawn, done):
        queue.enqueue(message)
    clear(queue, True, ["fragment"])
    left = [(message.WhichOneof("type"), message.script_finished) for message in queue.flush()]
    assert left == [("script_finished", told)], "what was drawn is no longer dropped: remove studio.session._send_all"


@used("streamlit SafeSessionState", "studio.session: presses are lost (tests/test_studio_page.py)")
def _():
    def give_way():
        raise RerunException(RerunData())

    taken, state = inspect.unwrap(SafeSessionState.on_script_will_rerun), SafeSessionState(SessionState(), give_way)
    assert _parameters(taken)[:2] == ["self", "fresh_widget_states"]
    with pytest.raises(RerunException):  # once it is not raised: remove studio.session._take_every_press
        taken(state, None)


@used("streamlit QueryParams", "studio.views.address: another world keeps choices (test_studio_watch_browser.py)")
def _():
    address = QueryParams()
    address.populate_from_query_string("team=4&seed=1")
    address.set_initial_query_params("seed=1")
    assert address.remove_param("team") and address.to_dict() == {"seed": "1"}
    assert (address.get_initial_value("team"), address.get_initial_value("seed")) == (None, "1")


@used("streamlit's options", "cli.app and studio.session: the studio does not start, or pauses after each run")
def _():
    for name in (*OPTIONS, "server.port", "server.address", "server.headless", "runner.postScriptGC"):
        config.get_option(name)  # raises for one that there is not


@used("ProcessPoolExecutor._processes", "running.workers: Ctrl-C does not end the processes (tests/test_workers.py)")
def _():
    with ProcessPoolExecutor(1) as executor:
        assert executor._processes == {}


@pytest.mark.parametrize(("breaks", "check"), [pytest.param(why, check, id=what) for what, why, check in CHECKS])
def test_a_private_interface_is_as_we_use_it(breaks, check):
    try:
        check()
    except Exception as error:
        pytest.fail(f"{breaks}: {type(error).__name__}: {error}")


@pytest.mark.parametrize("name", ["numba", "streamlit"])
def test_what_has_private_interfaces_is_capped(root, name):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = next(each for each in map(Requirement, project["dependencies"]) if each.name == name)
    major, minor, *_ = map(int, version(name).split("."))
    assert asked.specifier.contains(version(name)) and not asked.specifier.contains(f"{major}.{minor + 1}.0")
