"""Lessons: one claim each, as a file that a teacher can write; ``studies.answers`` measures them.

A lesson is a TOML file: ``[lesson]`` with its question, predictions, controls and measurement, and ``[scenario]``, any
scenario. It does not contain its result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sandbox.core.errors import SandboxError, UsageError, first_problem, unknown
from sandbox.core.files import read_toml
from sandbox.core.finish import Outcome
from sandbox.scenario import Scenario, load
from sandbox.scenario.capabilities import FILES, Grant, Rule, of_file

SAME = "same"  # no difference beyond chance
EARNED, REFUTED, OPEN = "earned", "refuted", "open"
NARROWER, WIDER = "narrower", "wider"
RISES, FALLS, PEAKS, DIPS = "rises", "falls", "peaks", "dips"
CURVE = "curve"  # what is asked where a person draws the prediction
VERDICTS = {
    "best": (SAME,), "reliability": (EARNED, REFUTED, OPEN), "pairing": (NARROWER, WIDER, SAME),
    CURVE: (RISES, FALLS, PEAKS, DIPS, SAME),
}  # fmt: skip
ARMS = {"best": (2, 5), "reliability": (1, 1), "pairing": (2, 2), CURVE: (3, 12)}  # minimum and maximum
PREVIEW = 20  # ticks
DERIVED = ("steps", "throughput")  # steps: ticks to completion, the tick limit where it fails; throughput: tasks a tick
TOLD = {"world", "seed", "finish", "steps_to_completion", "digest", "error"}  # not measures
MEASURES = (*DERIVED, *(name for name in Outcome._fields if name not in TOLD))

Short = Annotated[str, Field(min_length=1, max_length=120)]
Long = Annotated[str, Field(min_length=1, max_length=5_000)]  # Markdown


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _keys(cls, table: Any) -> Any:
        for key in table if isinstance(table, Mapping) else ():
            if key not in cls.model_fields:
                raise ValueError(str(unknown("key", key, cls.model_fields)))
        return table


class Option(_Table):
    """One setting of a control."""

    label: Short
    value: Any


class Control(_Table):
    """A setting for the reader: the value of the chosen option is set at every ``key``, dotted as in ``--set``."""

    label: Short
    help: Annotated[str, Field(min_length=1, max_length=400)]
    key: str | list[str]
    options: list[Option] = Field(min_length=2, max_length=8)
    default: str  # the label of an option

    @model_validator(mode="after")
    def _known(self) -> "Control":
        self.option(self.default)
        return self

    @property
    def keys(self) -> list[str]:
        return [self.key] if isinstance(self.key, str) else self.key

    def option(self, label: str) -> Option:
        """The option of a label; raises UsageError."""
        found = {option.label: option for option in self.options}
        if label not in found:
            raise ValueError(str(unknown("option", label, found)))
        return found[label]


class Arm(_Table):
    """One side of the comparison: the scenario with these dotted keys set."""

    name: Short
    set: dict[str, Any] = {}


class Prediction(_Table):
    """A prediction that a reader may choose; ``when`` is the verdict that confirms it."""

    text: Annotated[str, Field(min_length=1, max_length=300)]
    when: str


class Reading(_Table):
    """Further reading: a title, and an address or a file of the project."""

    title: Short
    where: Short


class Along(_Table):
    """The horizontal axis of a curve: its values are set at ``key``, one arm for each; ``unit`` stands behind them."""

    label: Short
    key: str
    values: list[float] = Field(min_length=ARMS[CURVE][0], max_length=ARMS[CURVE][1])
    unit: Annotated[str, Field(max_length=20)] = ""
    scale: float = Field(1.0, gt=0)  # a value times this is what the axis shows

    @model_validator(mode="after")
    def _ascending(self) -> "Along":
        if sorted(set(self.values)) != self.values:
            raise ValueError(f"values: {self.values}, expected ascending ones")
        return self

    @property
    def names(self) -> list[str]:
        """The values as text, by which arms are named."""
        return [f"{self.scale * value:.10g}{self.unit}" for value in self.values]


class Question(_Table):
    """The question. ``ask``: which arm is best, whether a reliability is shown, what pairing is worth, or a curve."""

    ask: Literal["best", "reliability", "pairing", "curve"] = "best"
    measure: str = "success"
    title: Annotated[str, Field(max_length=60)] = ""  # the measure in the lesson's words, if its name does not fit
    unit: Annotated[str, Field(max_length=20)] = ""  # likewise
    better: Literal["higher", "lower"] = "higher"
    also: list[str] = []  # further measures, reported as means
    reliability: float = Field(0.99999, gt=0, lt=1)  # the claim, for ask = "reliability"
    along: Along | None = None  # for ask = "curve", which has no arms of its own
    range: list[float] = Field([0.0, 1.0], min_length=2, max_length=2)  # of a drawn curve, in the measure's own unit
    arms: list[Arm] = []

    @model_validator(mode="after")
    def _whole(self) -> "Question":
        if (self.ask == CURVE) != (self.along is not None) or (self.along and self.arms):
            raise ValueError(f"ask = '{CURVE}' has along = {{ label, key, values }} in place of arms, no other has it")
        if self.along:
            low, high = self.range
            if not low < high:
                raise ValueError(f"range: {self.range}, expected the lower end first")
            # A value is an integer where the key takes only integers; TOML tells them apart, pydantic's floats do not.
            values = [int(value) if value.is_integer() else value for value in self.along.values]
            arms = [Arm(name=name, set={self.along.key: value})
                    for name, value in zip(self.along.names, values, strict=True)]  # fmt: skip
            object.__setattr__(self, "arms", arms)
        for name in (self.measure, *self.also):
            if name not in MEASURES:
                raise ValueError(str(unknown("measure", name, MEASURES)))
        least, most = ARMS[self.ask]
        if not least <= len(self.arms) <= most or len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError(f"arms: {len(self.arms)}, expected {least} to {most} of different names")
        return self

    @property
    def verdicts(self) -> tuple[str, ...]:
        """All possible verdicts; for ask = "best", the names of arms."""
        names = tuple(arm.name for arm in self.arms) if self.ask == "best" else ()
        return names + VERDICTS[self.ask]


class Plan(_Table):
    """``[lesson]``."""

    title: Short
    minutes: int = Field(ge=1, le=60)
    question: Long
    look: Long
    meaning: Long
    predictions: list[Prediction] = Field([], max_length=6)  # none of a curve, which is drawn
    preview: int = Field(PREVIEW, ge=1, le=1_000)  # ticks of an arm that can be watched before it is measured
    controls: list[Control] = Field([], max_length=3)
    measure: Question
    further: list[Reading] = []

    @model_validator(mode="after")
    def _fits(self) -> "Plan":
        drawn = self.measure.ask == CURVE
        if drawn != (not self.predictions) or len(self.predictions) == 1:
            told = "none, because a curve is drawn" if drawn else "2 or more"
            raise ValueError(f"predictions: {len(self.predictions)}, expected {told}")
        for prediction in self.predictions:
            if prediction.when not in self.measure.verdicts:
                raise ValueError(str(unknown("verdict", prediction.when, self.measure.verdicts, "predictions: when")))
        taken = {key: f"arm '{arm.name}'" for arm in self.measure.arms for key in arm.set}
        for control in self.controls:
            for key in control.keys:
                if key in taken:
                    raise ValueError(f"controls: '{control.label}' sets {key}, and so does {taken[key]}")
                taken[key] = f"control '{control.label}'"
        return self


class _File(_Table):
    lesson: Plan
    scenario: dict[str, Any]


@dataclass(frozen=True)
class Lesson:
    """A lesson; ``name`` is that of its file."""

    name: str
    path: Path
    plan: Plan
    table: dict[str, Any]  # [scenario]

    def scenario(self, arm: Arm | None = None, chosen: Mapping[str, str] | None = None) -> Scenario:
        """The scenario of an arm, with an option chosen for each control by their labels, or its default.

        Raises UsageError for an unknown control or option, and for a scenario that becomes invalid.
        """
        overrides, chosen = {}, chosen or {}
        for label in chosen.keys() - {control.label for control in self.plan.controls}:
            raise unknown("control", label, [control.label for control in self.plan.controls], self.name)
        try:
            for control in self.plan.controls:
                value = control.option(chosen.get(control.label, control.default)).value
                overrides |= dict.fromkeys(control.keys, value)
            return load(self.table, overrides | (arm.set if arm else {}), allow=self._beside, origin=of_file(self.path))
        except (SandboxError, ValueError) as error:
            raise UsageError(f"{self.name}: {f'arm {arm.name}: ' if arm else ''}{error}") from None

    @property
    def _beside(self) -> Grant:
        """A grant for the folder above, because lessons are in a subfolder of the scenarios and share their files."""
        return Grant([Rule(FILES, str(self.path.parent.parent), "its folder")])


def load_lesson(path: str | Path) -> Lesson:
    """A lesson from its file; raises UsageError, with file and key, for an invalid one."""
    path = Path(path)
    try:
        table = read_toml(path.read_text(encoding="utf-8"))
        found = _File.model_validate(table)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error)}") from None
    except ValueError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    lesson = Lesson(path.stem, path, found.lesson, found.scenario)
    for arm in found.lesson.measure.arms:
        lesson.scenario(arm)
    return lesson


def lessons(folder: str | Path) -> tuple[list[Lesson], list[str]]:
    """The lessons of a folder in the order of their files' names, and the errors of the others, a line each."""
    found, wrong = [], []
    for path in sorted(Path(folder).glob("*.toml")):
        try:
            found.append(load_lesson(path))
        except UsageError as error:
            wrong.append(str(error))
    return found, wrong
