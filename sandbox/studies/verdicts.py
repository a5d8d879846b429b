"""The verdict of an answer as text, from its intervals."""

from collections.abc import Sequence
from math import isfinite

from sandbox.statistics import Estimate
from sandbox.studies.answers import Answer, Difference, better
from sandbox.studies.lessons import (
    EARNED,
    FALLS,
    NARROWER,
    PEAKS,
    REFUTED,
    RISES,
    SAME,
    Along,
    Prediction,
    Question,
)

UNITS = {"steps": "ticks", "ticks": "ticks", "throughput": "tasks a tick", "money": "dollars", "seconds": "s"}
POINTS = 100  # percentage points of a share


def unit(asked: Question) -> str:
    """The unit of a difference of what is measured."""
    if asked.measure == "success":
        return "points"
    return asked.unit or UNITS.get(asked.measure, asked.measure.replace("_", " "))


def title(asked: Question) -> str:
    """The name of what is measured."""
    return asked.title or asked.measure.replace("_", " ").capitalize()


def number(value: float) -> str:
    """A number with three significant digits, or all digits before the point."""
    if not isfinite(value):
        return "no end"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 or size == 0 else 3
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def measured(asked: Question, value: float) -> str:
    """One value of what is measured, with its unit."""
    return f"{number(value)} {asked.unit}" if asked.unit else told(asked.measure, value)


def told(measure: str, value: float) -> str:
    """One value of a measure, with its unit unless the name states it."""
    if measure == "success":
        return f"{number(POINTS * value)} %"
    return f"{number(value)} {UNITS[measure]}" if measure in UNITS else number(value)


def words(asked: Question, answer: Answer) -> str:
    """The verdict in one or two sentences."""
    say = {"best": _best, "reliability": _reliability, "pairing": _pairing, "curve": _curve}
    errors = sum(result.errors for result in answer.results)
    lost = f" {errors} trials could not be played and do not count." if errors else ""
    return say[asked.ask](asked, answer) + lost


def judged(prediction: Prediction, answer: Answer) -> str:
    """The result of a prediction as text."""
    if prediction.when == answer.verdict:
        return f"You predicted: {prediction.text} That is what came out."
    cause = "chance explains what was seen" if answer.verdict == SAME else "something else came out"
    return f"You predicted: {prediction.text} It is not borne out: {cause}."


def missed(asked: Question, answer: Answer, drawn: Sequence[float]) -> str:
    """How far a drawn curve, in the measure's own unit, is from the measured one; a sentence or two."""
    values = [result.value for result in answer.results]
    off = [_scaled(asked.measure, abs(guess - value.value)) for guess, value in zip(drawn, values, strict=True)]
    within = sum(value.low <= guess <= value.high for guess, value in zip(drawn, values, strict=True))
    worst = max(range(len(off)), key=off.__getitem__)
    at, ends = at_of(asked.along, answer.results[worst].name), values[worst]
    scaled = [number(_scaled(asked.measure, end)) for end in (ends.low, ends.high)]
    return (
        f"Your curve is {number(sum(off) / len(off))} {unit(asked)} off on average. {within} of its {len(off)} "
        f"points are within the interval of what was measured. It is farthest off at {at}: you drew "
        f"{measured(asked, drawn[worst])}, measured was {measured(asked, ends.value)} "
        f"({scaled[0]} .. {scaled[1]})."
    )


def at_of(along: Along, name: str) -> str:
    """A place on the axis: ``messages lost 30 %``."""
    return f"{along.label[0].lower()}{along.label[1:]} {name}"


def _scaled(measure: str, value: float) -> float:
    return POINTS * value if measure == "success" else value


def _beside(asked: Question, found: Difference) -> str:
    """The better of two arms compared with the other: 12.3 ticks fewer than A (9.1 .. 15.6)."""
    measure, best = asked.measure, better(asked, found)
    other = found.first if best == found.second else found.second
    sizes = sorted(abs(_scaled(measure, end)) for end in found.value[1:])
    direction = "more" if asked.better == "higher" else "fewer"
    value = number(abs(_scaled(measure, found.value.value)))
    return f"{value} {unit(asked)} {direction} than {other} ({number(sizes[0])} .. {number(sizes[1])})"


def _unclear(asked: Question, found: Difference) -> str:
    scaled = Estimate(*(_scaled(asked.measure, value) for value in found.value))
    signed = [f"{'+' if value > 0 else ''}{number(value)}" for value in scaled]
    few = "" if scaled.low <= 0 <= scaled.high else "; the seeds on which they differ are too few"
    return f"{found.second} beside {found.first} {signed[0]} {unit(asked)} ({signed[1]} .. {signed[2]}{few})"


def _best(asked: Question, answer: Answer) -> str:
    trials = f"{min(result.trials for result in answer.results):,}"
    if answer.verdict == SAME:
        return _same(asked, answer, trials)
    own = [found for found in answer.differences if answer.verdict in (found.first, found.second)]
    told = "; ".join(_beside(asked, found) for found in own)
    word = "better" if len(answer.results) == 2 else "best"
    return f"{answer.verdict} is {word}: {told}, on the same {trials} seeds."


def _same(asked: Question, answer: Answer, trials: str) -> str:
    if not all(isfinite(found.value.low) for found in answer.differences):
        return f"Too few trials to tell: {trials} of each."
    if all(found.value == (0, 0, 0) for found in answer.differences):
        return f"No difference at all on any of the {trials} seeds."
    apart = "; ".join(_unclear(asked, found) for found in answer.differences if not found.clear)
    if len(answer.results) == 2:
        return f"No difference that can be distinguished from chance, on the same {trials} seeds: {apart}."
    return f"None is clearly better than every other one, on the same {trials} seeds. Not distinguishable: {apart}."


def _curve(asked: Question, answer: Answer) -> str:
    trials, named = f"{min(result.trials for result in answer.results):,}", {each.name: each for each in answer.results}
    first, last = answer.results[0].name, answer.results[-1].name

    def at(name: str) -> str:
        return f"{measured(asked, named[name].value.value)} at {at_of(asked.along, name)}"

    def apart(found: Difference, sign: int) -> str:
        ends = sorted(sign * _scaled(asked.measure, end) for end in found.value[1:])
        size = number(sign * _scaled(asked.measure, found.value.value))
        return f"{size} {unit(asked)} ({number(ends[0])} .. {number(ends[1])})"

    both = f"{at(first)}, {at(last)}"
    if answer.verdict == SAME:
        return f"The ends cannot be told apart: {both}; {_unclear(asked, answer.differences[0])}."
    if answer.verdict in (RISES, FALLS):
        sign, word = (1, "rises by") if answer.verdict == RISES else (-1, "falls by")
        found = apart(answer.differences[0], sign)
        return f"It {word} {found} from the first value to the last: {both}, on the same {trials} seeds."
    sign, word = (1, "above") if answer.verdict == PEAKS else (-1, "below")
    top = answer.differences[0].second
    sides = " and ".join(f"{apart(found, sign)} {word} the value at {found.first}" for found in answer.differences)
    turn = "highest inside" if answer.verdict == PEAKS else "lowest inside"
    return f"It is {turn}: {at(top)}, {sides}, on the same {trials} seeds. The ends: {both}."


def _reliability(asked: Question, answer: Answer) -> str:
    trials, claim = answer.results[0].trials, f"{100 * asked.reliability:.10g} %"
    seen = f"{answer.failures:,} failures in {trials:,} trials"
    if answer.verdict == REFUTED:
        return (
            f"{seen}: the claim of {claim} is refuted. Shown is {_percent(answer.bound)} at least, at 95 % confidence."
        )
    shown = f"{seen}. That shows a reliability of {_percent(answer.bound)} at least, at 95 % confidence"
    if answer.verdict == EARNED:
        return f"{shown}, so the claim of {claim} is earned."
    more, pace = answer.needed / trials, answer.needed * answer.seconds / trials
    return (
        f"{shown}, and no more: the claim of {claim} is neither shown nor refuted. It takes {answer.needed:,} trials "
        f"without a failure, {number(more)} times as many: at the pace just measured about {duration(pace)}."
    )


def _percent(share: float) -> str:
    """A share in percent, with two digits after the nines; rounded down, so that it never exceeds what was shown."""
    digits = 2
    while digits < 8 and share < 1 and 100 * (1 - share) < 10 ** (1 - digits):
        digits += 1
    return f"{int(share * 100 * 10**digits) / 10**digits:.{digits}f} %"


def _pairing(asked: Question, answer: Answer) -> str:
    paired, apart = (each.value for each in answer.differences)
    own, other = ((each.high - each.low) / 2 for each in (paired, apart))
    if not all(map(isfinite, (own, other))) or not own:
        return "The intervals cannot be compared: too few trials, or no difference on any seed."
    scale = _scaled(asked.measure, 1.0)
    told = (
        f"The difference is {number(scale * paired.value)} {unit(asked)}. On the same dice it is known to "
        f"within {number(scale * own)}, with dice of their own to within {number(scale * other)}"
    )
    if answer.verdict == SAME:
        return f"{told}. Pairing made no difference that can be distinguished from chance."
    if answer.verdict == NARROWER:
        return f"{told}: as sharp an answer would take about {number((other / own) ** 2)} times as many trials."
    return f"{told}: here the same dice are in the way."


def duration(seconds: float) -> str:
    """A duration, rounded, in a suitable unit."""
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{number(round(seconds / size))} {name}"
    return f"{number(max(1, round(seconds)))} seconds"
