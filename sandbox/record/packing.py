"""Arrays with a row for each agent, as text: little-endian bytes, ordered by their place in the row, then compressed.

All first bytes of the rows come first, then all second bytes, and so on, because bytes of one place are alike (the
shuffle filter of HDF5 and Blosc). They are compressed in zlib's format (RFC 1950) and
written in base64 (RFC 4648).
"""

import base64
import zlib
from typing import Any

import numpy as np
from isal import isal_zlib
from pydantic import GetPydanticSchema
from pydantic_core import core_schema

PACKED_FROM = 101  # rows; a shorter array is a list of numbers, which people can read
MOST = 1 << 22  # rows of a packed array: 200 bytes of text can stand for millions of rows
LEVEL = 1  # of ISA-L; zlib's level 6 is 8 % smaller and takes 13 times as long


def pack(array: np.ndarray) -> str:
    """The text of an array with a row for each agent; raises ValueError for NaN and infinities, like JSON."""
    if not np.isfinite(array).all():
        raise ValueError("Out of range float values are not JSON compliant")
    rows = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    planes = rows.view(np.uint8).reshape(len(rows), -1).T
    return base64.b64encode(isal_zlib.compress(planes.tobytes(), LEVEL)).decode()


def unpack(text: str, dtype: str, width: int) -> np.ndarray:
    """The array of a text: (N, width), of a dtype; raises ValueError if it is not one."""
    row = np.dtype(dtype).itemsize * width
    stream = zlib.decompressobj()
    try:
        planes = stream.decompress(base64.b64decode(text, validate=True), MOST * row)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not stream.eof or stream.unused_data or len(planes) % row:
        raise ValueError("its bytes do not end with a row")
    ordered = np.ascontiguousarray(np.frombuffer(planes, np.uint8).reshape(row, -1).T)
    array = ordered.view(dtype).reshape(-1, width)
    if not np.isfinite(array).all():
        raise ValueError("not a finite number")
    return array


def column(kind: Any, dtype: str, width: int = 1) -> GetPydanticSchema:
    """The schema of an array that is a list of ``kind`` or a packed text; (N,) if ``width`` is 1, else (N, width)."""
    shape = (-1,) if width == 1 else (-1, width)

    def read(value: tuple | str) -> np.ndarray:
        array = unpack(value, dtype, width) if isinstance(value, str) else np.array(value, dtype)
        return array.reshape(shape)

    return GetPydanticSchema(
        lambda _, handler: core_schema.no_info_after_validator_function(read, handler.generate_schema(kind | str))
    )
