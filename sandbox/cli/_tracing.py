"""Send the traces of a run to a collector, while the run is played or afterwards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.cli._console import err, out
from sandbox.core.errors import UsageError

if TYPE_CHECKING:
    from sandbox.running.trial import OnEvent
    from sandbox.telemetry.otlp import Collector
    from sandbox.telemetry.tracing import Spans


@contextmanager
def traced(url: str | None, content: bool) -> "Iterator[OnEvent | None]":
    """A listener that traces the events of a run; None without a URL. Failures to send do not affect the run."""
    if url is None:
        yield None
        return
    collector = collector_at(url)
    spans = spans_of(collector, time.time(), content)
    try:
        with collector:
            try:
                yield spans
            finally:
                spans.close()
    finally:
        if collector.lost:
            err.print(f"warning: traces: {collector.summary}")
        elif spans.traces:
            tell_traces(collector, spans)


def collector_at(url: str, patient: bool = False) -> "Collector":
    """The exporter that sends traces to a URL; raises UsageError if its package is missing."""
    try:
        from sandbox.telemetry.otlp import Collector
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing for traces: pip install 'sandbox[otel]'") from None
    return Collector(url, patient)


def spans_of(collector: "Collector", origin: float, content: bool) -> "Spans":
    """The maker of the spans of a run. ``origin`` is the time at which the run began, in seconds since 1970."""
    from sandbox.telemetry.tracing import Spans

    return Spans(collector.provider, origin, content)


def tell_traces(collector: "Collector", spans: "Spans") -> None:
    """Print which traces were sent."""
    out.print(f"traces {', '.join(spans.traces)}  ({collector.summary})")
