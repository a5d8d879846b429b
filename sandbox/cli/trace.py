"""The command ``sandbox trace``, and traces during a run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._console import err, out
from sandbox.core.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from sandbox.running.trial import OnEvent
    from sandbox.telemetry.otlp import Collector
    from sandbox.telemetry.tracing import Spans

Folder = Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run")]
Content = Annotated[bool, typer.Option("--trace-content", help="include the messages of models and agents")]


def trace(
    folder: Folder,
    url: Annotated[str, typer.Option("--otlp", metavar="URL", help="an OTLP endpoint, such as http://127.0.0.1:4318")],
    content: Content = False,
) -> None:
    """Send a recorded run as OpenTelemetry traces, one for each trial."""
    from sandbox.record import open_run

    with open_run(folder) as record, _collector(url, patient=True) as collector:
        spans = _spans(collector, datetime.fromisoformat(record.meta["created"]).timestamp(), content)
        for event in record.events():
            spans(event)
        spans.close()
    if collector.lost:
        raise SandboxError(f"traces: {collector.summary}")
    _tell(collector, spans)


@contextmanager
def live(url: str | None, content: bool) -> "Iterator[OnEvent | None]":
    """A listener that traces the events of a run; None without a URL. Failures to send do not affect the run."""
    if url is None:
        yield None
        return
    collector = _collector(url)
    spans = _spans(collector, time.time(), content)
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
            _tell(collector, spans)


def _collector(url: str, patient: bool = False) -> "Collector":
    try:
        from sandbox.telemetry.otlp import Collector
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing for traces: pip install 'sandbox[otel]'") from None
    return Collector(url, patient)


def _spans(collector: "Collector", origin: float, content: bool) -> "Spans":
    from sandbox.telemetry.tracing import Spans

    return Spans(collector.provider, origin, content)


def _tell(collector: "Collector", spans: "Spans") -> None:
    out.print(f"traces {', '.join(spans.traces)}  ({collector.summary})")
