"""``[agents.edge]``: the device on which a trained policy runs, its budgets, and where it sends hard decisions."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

EDGE = "edge"  # the kind of a group whose trained policy runs on a device
Runtime = Literal["integer", "numpy", "onnx", "onnx-int8"]


class Device(BaseModel):
    """What an operation, a byte and a transmission cost on a device; rated, not measured.

    Energies of operations are those of Horowitz (2014) at 45 nm; so is the byte from on-chip memory of 8 KB. A net does
    not fit there, so by default its bytes come from DRAM, as in Han and others (2016).

    A byte by radio takes what Huang and others (2012) give for sending over WiFi.

    Horowitz, M. (2014). Computing's energy problem (and what we can do about it). ISSCC, 10-14.
    Han, S. and others (2016). EIE: efficient inference engine on compressed deep neural network. ISCA, 243-254.
    Huang, J. and others (2012). A close examination of performance and power characteristics of 4G LTE networks.
    MobiSys, 225-238.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    float_pj: float = Field(4.6, ge=0, le=1e6)
    """Picojoules of a multiplication and an addition of 32-bit floats."""
    int8_pj: float = Field(0.3, ge=0, le=1e6)
    """Picojoules of a multiplication of 8-bit integers and an addition of 32-bit ones."""
    int16_pj: float = Field(3.2, ge=0, le=1e6)
    """Picojoules of a multiplication of 16-bit integers and an addition; those of 32 bits, which are more."""
    byte_pj: float = Field(160.0, ge=0, le=1e6)
    """Picojoules of a byte of the weights, from memory."""
    operations: float = Field(1e8, gt=0, le=1e18)
    """Multiplications, each with its addition, in a second."""
    sent_nj: float = Field(2270.0, ge=0, le=1e9)
    """Nanojoules of a byte sent or received, for decisions of the larger policy."""
    sent_ms: float = Field(20.0, ge=0, le=1e6)
    """Milliseconds until the answer of the larger policy is there."""


class EdgeOptions(BaseModel):
    """Options of a trained policy on a device."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    runtime: Runtime = "numpy"
    """How the net is computed: integer (16 bits, as in the compiled tier), numpy, onnx (32-bit floats) or onnx-int8."""
    larger: str = Field("", max_length=4_000)
    """A larger policy on a server, as `policy:FILE` names it; it decides where the net is unsure."""
    larger_sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    """SHA-256 of its file, which a record contains; a file with other weights is refused."""
    below: float = Field(0.5, ge=0, le=1)
    """Confidence below which the larger policy is asked: the probability of the likeliest action."""
    milliseconds: float = Field(1e9, gt=0, le=1e9)
    """Budget of a decision by the device's rates; the fallback acts where it is exceeded."""
    millijoules: float = Field(1e9, gt=0, le=1e9)
    """Budget of an agent in an episode; when it is spent, the fallback acts."""
    kilobytes: float = Field(1e9, gt=0, le=1e9)
    """Memory for the weights; a net that needs more is refused."""
    device: Device = Device()
    """What operations, bytes and transmissions cost."""
