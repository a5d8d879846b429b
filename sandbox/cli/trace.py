"""The command ``sandbox trace``: send a recorded run as traces."""

from datetime import datetime
from typing import Annotated

import typer

from sandbox.cli._options import Content, Run
from sandbox.cli._tracing import collector_at, spans_of, tell_traces
from sandbox.core.errors import SandboxError


def trace(
    folder: Run,
    url: Annotated[str, typer.Option("--otlp", metavar="URL", help="an OTLP endpoint, such as http://127.0.0.1:4318")],
    content: Content = False,
) -> None:
    """Send a recorded run as OpenTelemetry traces, one for each trial."""
    from sandbox.record import open_run

    with open_run(folder) as record, collector_at(url, patient=True) as collector:
        spans = spans_of(collector, datetime.fromisoformat(record.meta["created"]).timestamp(), content)
        for event in record.events():
            spans(event)
        spans.close()
    if collector.lost:
        raise SandboxError(f"traces: {collector.summary}")
    tell_traces(collector, spans)
