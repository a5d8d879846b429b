"""Eight bytes at once, as a word of 64 bits: eight cells of a window, or the counts of eight legal actions."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array

EACH = np.uint64(0x0101010101010101)  # times a byte: that byte eight times


def put(array, at, word):
    """Write the bytes of ``word`` (uint64), the lowest first, to ``array`` (int8, in C order) from byte ``at`` on."""
    array.reshape(-1)[at : at + 8] = np.frombuffer(np.uint64(word).tobytes(), np.int8)


@type_callable(put)
def _type_of_put(context):
    def typer(array, at, word):
        if isinstance(array, types.Array) and array.dtype == types.int8 and array.layout == "C":
            return types.none

    return typer


@lower_builtin(put, types.Array, types.Integer, types.uint64)
def _lower_put(context, builder, signature, arguments):
    array = make_array(signature.args[0])(context, builder, arguments[0])
    start = builder.gep(array.data, [context.cast(builder, arguments[1], signature.args[1], types.intp)])
    builder.store(arguments[2], builder.bitcast(start, ir.IntType(64).as_pointer())).align = 1
    return context.get_dummy_value()
