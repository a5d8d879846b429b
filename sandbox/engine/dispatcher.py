"""Compiles kernels to machine code in two steps; Numba alone does it in one.

Numba makes machine code of each function and of all that it calls, and again in each of its callers. A world has a
hundred kernels that call each other, and few of them are called from Python. So a kernel is first compiled to a
:class:`Part`: it is typed, lowered, and stored as LLVM code. Only a kernel that Python calls becomes machine code: its
part and all parts below it are linked, optimised together, and emitted once. The results of both steps are stored on
disk (``cache.Store``).
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import llvmlite.binding as llvm
from numba.core import cgutils, event
from numba.core.codegen import CPUCodeLibrary, JITCodeLibrary
from numba.core.compiler import CompileResult, Flags, _make_subtarget, compile_extra, compile_result
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import NumbaError, TypingError
from numba.core.imputils import fix_returning_optional, impl_ret_new_ref
from numba.core.itanium_mangler import mangle_identifier
from numba.core.registry import CPUDispatcher
from numba.core.sigutils import normalize_signature
from numba.core.targetconfig import ConfigStack
from numba.core.types import BaseFunction
from numba.core.typing import Signature, make_concrete_template

from sandbox.engine.cache import ENTRY, PART, Store

_loaded: dict[str, "Part"] = {}  # parts loaded from disk, by the name of their file


class Part(CPUCodeLibrary):
    """The LLVM code of one kernel, without machine code, and the parts that it calls."""

    stored = ""  # name of its file; "" if it has none

    def finalize(self) -> None:
        """Link Numba's own functions into this part; the parts that it calls are not linked."""
        own = {function.name for function in self._final_module.functions if not function.is_declaration}
        for library in self._linking_libraries:
            if not isinstance(library, Part):
                self._final_module.link_in(library._get_module_for_linking(), preserve=True)
                self._reload_init.update(library._reload_init)
        for function in self._final_module.functions:
            if not function.is_declaration and function.name not in own:
                function.linkage = llvm.Linkage.internal  # Numba's names are unique in one process only
        self._finalize_dynamic_globals()
        self._finalized = True

    def rename(self, fndesc: Any, name: str) -> None:
        """Give the kernel a name that is the same in each process, since files of parts name each other's kernels."""
        function = self._final_module.get_function(fndesc.llvm_func_name)
        fndesc.mangled_name = function.name = f"_ZN{mangle_identifier(name)}E"

    @property
    def calls(self) -> list["Part"]:
        """The parts that this part calls directly, each once."""
        return [each for each in dict.fromkeys(self._linking_libraries) if isinstance(each, Part)]

    def closure(self) -> Iterator["Part"]:
        """This part and all parts below it, callers first, because LLVM links only functions with a caller."""
        seen, order = set(), []

        def visit(part: Part) -> None:
            seen.add(part)
            for each in part.calls:
                if each not in seen:
                    visit(each)
            order.append(part)

        visit(self)
        return reversed(order)

    def reduced(self) -> tuple:
        """The data of this part that its file holds."""
        calls = [each.stored for each in self.calls]
        return self.name, self._get_module_for_linking().as_bitcode(), calls, tuple(self._reload_init)


def _rebuilt(codegen: Any, store: Store, file: str, reduced: tuple) -> Part:
    """The inverse of ``Part.reduced``; raises LookupError if a part that it calls is no longer on disk."""
    if file not in _loaded:
        name, code, calls, reload_init = reduced
        part = Part(codegen, name)
        part._linking_libraries = [_found(codegen, store, each) for each in calls]
        part._final_module = llvm.parse_bitcode(code)
        for init in reload_init:
            init()
        part._reload_init.update(reload_init)
        part._finalized, part.stored = True, file
        _loaded[file] = part
    return _loaded[file]


def _found(codegen: Any, store: Store, file: str) -> Part:
    if file in _loaded:
        return _loaded[file]
    if content := store.part_of(file):
        return _rebuilt(codegen, store, file, content[0])
    raise LookupError(file)


class Entry(JITCodeLibrary):
    """The machine code of one kernel for Python, with all parts below it. No other machine code calls it."""

    def _optimize_final_module(self) -> None:
        """Make all functions but the entry point internal: two entries may optimise the same kernel differently."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.linkonce_odr:
                function.linkage = llvm.Linkage.internal
        super()._optimize_final_module()


def _call(part: CompileResult, attributes: tuple[str, ...], name: str) -> Callable:
    """The function that lowers a call of a part, as Numba does, but with attributes of the call."""
    fndesc = part.fndesc

    def lowered(context, builder, sig, args):
        if not isinstance(context.active_code_library, Part):  # linked by Numba, it would crash the process
            raise NumbaError(f"{name} is a kernel, which only kernels can call: decorate the caller with @kernel")
        function = context.declare_function(builder.module, fndesc)
        status, value = context.call_conv.call_function(
            builder, function, fndesc.restype, fndesc.argtypes, args, attrs=attributes
        )
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        value = fix_returning_optional(context, builder, sig, status, value)
        return impl_ret_new_ref(context, builder, fndesc.restype, value)

    lowered.signature, lowered.libs = fndesc.argtypes, (part.library,)
    return lowered


class _Flags(Flags):
    """Numba's flags, which it compares for each call that it types, in a slow way: all have the same hash."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is _Flags and self._values == other._values)

    def __hash__(self) -> int:
        return len(self._values)


_infer = BaseFunction.get_call_type
_inferred: dict[tuple, tuple] = {}


def _remembered(function: BaseFunction, context: Any, args: tuple, kws: dict) -> Signature:
    """Numba's inference of the type of a call to one of its own functions, done once for the same arguments."""
    key = function, tuple(args), tuple(kws.items()), ConfigStack.top_or_none()
    if key not in _inferred:
        signature = _infer(function, context, args, kws)
        _inferred[key] = signature, function._impl_keys[signature.args]
    signature, function._impl_keys[signature.args] = _inferred[key]
    return signature


@contextmanager
def _compiling() -> Iterator[None]:
    """Compile faster: the types of calls are remembered, and nothing is garbage until a kernel is finished."""
    infer, collects = BaseFunction.get_call_type, gc.isenabled()
    BaseFunction.get_call_type = _remembered
    gc.disable()
    try:
        yield
    finally:
        BaseFunction.get_call_type = infer
        if collects:
            gc.enable()


class Kernel(CPUDispatcher):
    """A dispatcher. A call from another kernel compiles only its part; an ``inner`` kernel is inlined there."""

    def __init__(self, function: Callable, targetoptions: dict[str, Any], store: Store | None, inner: bool = False):
        super().__init__(function, targetoptions=targetoptions)
        self._attributes = ("alwaysinline",) if inner else ()  # of calls in other kernels
        self._parts: dict[tuple, CompileResult] = {}  # by the types of the arguments
        self._called: dict[tuple, Any] = {}  # keys of its calls in Numba's table of functions
        self._failed: dict[tuple, TypingError] = {}
        self.store = store

    @property
    def compiled(self) -> bool:
        """Whether its part is compiled for some types of arguments."""
        return bool(self._parts)

    # -- the interface that Numba uses when another kernel calls this one ----------------------------------------------

    @property
    def nopython_signatures(self) -> list[Signature]:
        return [part.signature for part in self._parts.values()]

    def get_call_template(self, args, kws):
        pysig, args = self._compiler.fold_argument_types(args, kws)
        self.part(tuple(args))
        name = self.py_func.__name__
        return make_concrete_template(name, key=name, signatures=self.nopython_signatures), pysig, args, {}

    def get_overload(self, sig):
        args = tuple(normalize_signature(sig)[0])
        if args not in self._called:
            part = self.part(args)
            lowered = _call(part, self._attributes, self.py_func.__name__)
            self._called[args] = key = object()
            self.targetctx._defns[key].append(lowered, lowered.signature)
        return self._called[args]

    # -- the two steps -------------------------------------------------------------------------------------------------

    @global_compiler_lock
    def part(self, args: tuple, wait: bool = True) -> CompileResult | None:
        """The first step: the kernel for these types of arguments, as LLVM code; raises TypingError.

        If another process compiles it at present, wait for the result, or return None.
        """
        if args in self._failed:
            raise self._failed[args]
        if args not in self._parts:
            with self._claim(args, PART, wait) as granted:
                if not granted:
                    return None
                part = self._stored_part(args)
                if part is None:
                    with self._compiling_counter, self._told(args, entry=False), _compiling():
                        part = self._compiled_part(args)
                    self._keep(args, part)
            self._parts[args] = part
        return self._parts[args]

    @global_compiler_lock
    def compile(self, sig, wait: bool = True):
        """The second step: an entry point for Python, as machine code. Without ``wait``, as in ``part``."""
        args = tuple(normalize_signature(sig)[0])
        if args not in self.overloads:
            with self._claim(args, ENTRY, wait) as granted:
                entry = granted and self._entry_of(args, wait)
            if not entry:
                return None
            self.add_overload(entry)
        return self.overloads[args].entry_point

    def _entry_of(self, args: tuple, wait: bool) -> CompileResult | None:
        """The entry, from disk or compiled; None if another process compiles the part."""
        entry = self.store and self.store.load_entry(args, self.targetctx)
        if entry:
            self._cache_hits[args] += 1
            return entry
        part = self.part(args, wait)
        if part is None:
            return None
        self._cache_misses[args] += 1
        with self._told(args, entry=True), _compiling():
            entry = self._entry(part)
        if self.store and part.library.stored:
            self.store.save_entry(args, self.targetctx, entry)
        return entry

    def _claim(self, args: tuple, suffix: str, wait: bool):
        return self.store.claim(args, self.targetctx, suffix, wait) if self.store else nullcontext(True)

    # -- for a process that compiles beside another --------------------------------------------------------------------

    def is_done(self, args: tuple, entry: bool) -> bool:
        """Whether a step is done, in this process or on disk."""
        if args in (self.overloads if entry else self._parts):
            return True
        return self.store is not None and self.store.holds(args, self.targetctx, ENTRY if entry else PART)

    def advance(self, args: tuple, entry: bool) -> bool:
        """Do a step, unless another process does it at present or a step before it; whether it is done."""
        return (self.compile(args, wait=False) if entry else self.part(args, wait=False)) is not None

    def _told(self, args: tuple, entry: bool):
        return event.trigger_event("numba:compile", data={"dispatcher": self, "entry": entry, "args": args})

    def _flags(self) -> Flags:
        flags = _Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        return flags

    def _compiled_part(self, args: tuple) -> CompileResult:
        flags = self._flags()
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        library = Part(self.targetctx.codegen(), self.py_func.__qualname__)
        try:
            part = compile_extra(
                self.typingctx, self.targetctx, self.py_func, args, None, flags, self.locals, library=library
            )
            if part.typing_error is not None:
                raise part.typing_error
        except TypingError as error:
            self._failed[args] = error
            raise
        if self.store:
            library.rename(part.fndesc, self.store.symbol(args, self.targetctx))
        library._ensure_finalized()
        return part

    def _entry(self, part: CompileResult) -> CompileResult:
        flags = self._flags()
        context = _make_subtarget(self.targetctx, flags)
        library = Entry(context.codegen(), self.py_func.__qualname__)
        library.enable_object_caching()
        with ConfigStack().enter(flags):
            context.create_cpython_wrapper(
                library, part.fndesc, part.environment, part.call_helper, release_gil=flags.release_gil
            )
        for each in part.library.closure():
            library.add_linking_library(each)
        function = context.get_executable(library, part.fndesc, part.environment)
        return part._replace(library=library, entry_point=function, reload_init=tuple(library._reload_init))

    # -- parts on disk -------------------------------------------------------------------------------------------------

    def _keep(self, args: tuple, part: CompileResult) -> None:
        """Save a part, if all parts that it calls are saved and it contains no addresses of this process."""
        library = part.library
        if self.store and not library.has_dynamic_globals and all(each.stored for each in library.calls):
            typeless = part.fndesc
            typeless.typemap = typeless.calltypes = None  # not needed after compilation
            content = library.reduced(), typeless, part.environment, part.signature
            if file := self.store.save_part(args, self.targetctx, content):
                library.stored, _loaded[file] = file, library

    def _stored_part(self, args: tuple) -> CompileResult | None:
        found = self.store and self.store.load_part(args, self.targetctx)
        if not found:
            return None
        file, (reduced, fndesc, environment, signature) = found
        try:
            library = _rebuilt(self.targetctx.codegen(), self.store, file, reduced)
        except LookupError:
            return None
        return compile_result(
            library=library, fndesc=fndesc, environment=environment, signature=signature, objectmode=False
        )


class Embedded(Kernel):
    """A kernel that is inlined into the loop that calls it. It shares the parts of the kernel."""

    def __init__(self, kernel: Kernel):
        super().__init__(kernel.py_func, kernel.targetoptions, None, inner=True)
        self.kernel = kernel

    @property
    def nopython_signatures(self) -> list[Signature]:
        return self.kernel.nopython_signatures

    def part(self, args: tuple, wait: bool = True) -> CompileResult | None:
        return self.kernel.part(args, wait)
