"""What a stage is made from: options that are checked, rules as kernels take them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from sandbox.core import plain
from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.world import World


def validated(world: World, options: Mapping[str, Any]):
    """The options as the world takes them; raises UsageError for an unknown one and a wrong value."""
    where = f"world '{world.name}'"
    if not isinstance(options, Mapping):
        raise UsageError(f"{where}: options {shown(options)}, expected a mapping")
    options = plain.plain(options, where)
    for key in options:
        if key not in world.options.model_fields:
            raise unknown("option", key, world.options.model_fields, where)
    try:
        return world.options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where}: {key or 'options'}: {first['msg']}, got {shown(first['input'])}") from None


def contiguous(rules):
    """Kernels are compiled once for each array layout, so there is only one: C order."""
    return rules._replace(
        **{k: np.ascontiguousarray(v) for k, v in rules._asdict().items() if isinstance(v, np.ndarray)}
    )
