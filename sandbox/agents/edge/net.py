"""The net of a trained policy (``engine.trained``) in other arithmetic: what it decides, and what that costs.

All runtimes compute the same function: sums of rows of a table, and two layers, clipped to 0..TOP. Only ``integer``
rounds down after each layer, as the compiled tier does. ``onnx-int8`` has weights of 8 bits, with a scale for each
column, and activations of 8 bits, whose scale ONNX Runtime chooses anew for each decision.
"""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.agents.edge.options import Device, Runtime
from sandbox.core.errors import UsageError
from sandbox.engine.layers import TOP, UNIT
from sandbox.engine.trained import codes_of
from sandbox.nets.weights import Weights

BYTES = {"integer": 2, "numpy": 4, "onnx": 4, "onnx-int8": 1}  # of a weight
Tensors = dict[str, np.ndarray]
Logits = Callable[[np.ndarray], np.ndarray]  # rows of the table (n,) int64 -> (A,) float64, in nats
_GRAPHS: dict[tuple[str, bool], bytes] = {}  # made in this process, by the SHA-256 of the weights


@dataclass(frozen=True)
class Cost:
    """What a decision takes, by the rates of a device."""

    joules: float
    seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.joules + other.joules, self.seconds + other.seconds)


class Net:
    """A policy's net on a runtime. Raises UsageError where that is not installed."""

    def __init__(self, found: Weights, runtime: Runtime):
        tensors = found.tensors
        self.runtime, self._rows = runtime, tensors["rows"]
        self.logits: Logits = _MAKE[runtime](found)
        self._layers = [tensors[name].shape for name in ("middle", "last")]
        self._wide = tensors["bias"].size
        weights = sum(tensors[name].size for name in ("table", "middle", "last"))
        biases = sum(tensors[name].size for name in ("bias", "middle_bias", "last_bias"))
        self.bytes = weights * BYTES[runtime] + 4 * biases

    def seen(self, window: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """The rows of the table for an observation."""
        codes = codes_of(window, vector)
        rows = self._rows[np.arange(len(codes)), codes]
        return rows[rows >= 0].astype(np.int64)

    def cost(self, seen: int, device: Device) -> Cost:
        """Of a decision in which ``seen`` rows are added: their sums, both layers' products, the bytes of weights."""
        numbers = seen * self._wide + sum(before * after for before, after in self._layers)
        picojoules = {"integer": device.int16_pj, "onnx-int8": device.int8_pj}.get(self.runtime, device.float_pj)
        joules = numbers * (picojoules + BYTES[self.runtime] * device.byte_pj) * 1e-12
        return Cost(joules, numbers / device.operations)


# -- runtimes


def _integer(found: Weights) -> Logits:
    own = {name: tensor.astype(np.int64) for name, tensor in found.tensors.items()}

    def logits(rows: np.ndarray) -> np.ndarray:
        first = ((own["table"][rows].sum(axis=0) + own["bias"]) >> own["shifts"][0]).clip(0, TOP)
        second = ((first @ own["middle"] + own["middle_bias"]) >> own["shifts"][1]).clip(0, TOP)
        return ((second @ own["last"] + own["last_bias"]) >> own["shifts"][2]) / UNIT

    return logits


def _floats(tensors: Tensors) -> dict[str, np.ndarray]:
    """The net in 32-bit floats, with the shifts as factors of weights, so that no layer rounds."""
    factors = 0.5 ** tensors["shifts"].astype(float) / np.array([1, 1, UNIT])
    parts = ("table", "bias"), ("middle", "middle_bias"), ("last", "last_bias")
    return {name: (tensors[name] * factor).astype(np.float32) for pair, factor in zip(parts, factors, strict=True)
            for name in pair}  # fmt: skip


def _numpy(found: Weights) -> Logits:
    own = _floats(found.tensors)

    def logits(rows: np.ndarray) -> np.ndarray:
        first = (own["table"][rows].sum(axis=0) + own["bias"]).clip(0, TOP)
        second = (first @ own["middle"] + own["middle_bias"]).clip(0, TOP)
        return (second @ own["last"] + own["last_bias"]).astype(float)

    return logits


def _onnx(found: Weights, small: bool = False) -> Logits:
    """A session of ONNX Runtime; ``small`` in 8-bit integers."""
    for name in ("onnx", "onnxruntime"):
        if find_spec(name) is None:
            raise UsageError(f"{name} is missing for this runtime: pip install 'sandbox[edge]'")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    key = found.sha256, small
    if key not in _GRAPHS:
        _GRAPHS[key] = graph(found.tensors, small)
    session = onnxruntime.InferenceSession(_GRAPHS[key], options, providers=["CPUExecutionProvider"])

    def logits(rows: np.ndarray) -> np.ndarray:
        return session.run(None, {"rows": rows})[0][0].astype(float)

    return logits


def graph(tensors: Tensors, small: bool = False) -> bytes:
    """The net as a model in ONNX: rows (n,) int64 -> logits (1, A) float32; ``small``: in 8-bit integers."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    own = _floats(tensors) | {"least": np.float32(0), "most": np.float32(TOP), "axis": np.zeros(1, np.int64)}
    steps = [
        ("Gather", ["table", "rows"], "found", {}), ("ReduceSum", ["found", "axis"], "sum", {"keepdims": 1}),
        ("Add", ["sum", "bias"], "first", {}), ("Clip", ["first", "least", "most"], "kept", {}),
        ("MatMul", ["kept", "middle"], "product", {}), ("Add", ["product", "middle_bias"], "second", {}),
        ("Clip", ["second", "least", "most"], "left", {}), ("MatMul", ["left", "last"], "ends", {}),
        ("Add", ["ends", "last_bias"], "logits", {}),
    ]  # fmt: skip
    nodes = [helper.make_node(kind, given, [made], made, **how) for kind, given, made, how in steps]
    ends = (
        [helper.make_tensor_value_info("rows", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, own["last_bias"].size])],
    )
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in own.items()]
    whole = helper.make_graph(nodes, "policy", *ends, constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return _quantised(model) if small else model.SerializeToString()


def _quantised(model: Any) -> bytes:
    """The same in 8-bit integers, by the quantiser of ONNX Runtime, which works on files."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        onnx.save(model, before)
        logging.disable(logging.WARNING)  # it recommends a preparation that this graph does not need
        try:
            quantize_dynamic(before, after, per_channel=True, weight_type=QuantType.QInt8)
        finally:
            logging.disable(logging.NOTSET)
        return after.read_bytes()


_MAKE: dict[str, Callable[[Weights], Logits]] = {
    "integer": _integer, "numpy": _numpy, "onnx": _onnx, "onnx-int8": partial(_onnx, small=True),
}  # fmt: skip
