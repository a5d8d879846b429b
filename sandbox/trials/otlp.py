"""Sending spans to an OTLP endpoint over HTTP, in bounded time and memory: a dead collector costs seconds, no run."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from typing import Self
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from sandbox.core.errors import UsageError

PATH = "/v1/traces"  # below the base URL, as the protocol has it
TIMEOUT = 5.0  # seconds for one batch, further attempts included
BATCH = 512  # spans
QUEUE = 32 * BATCH  # spans that wait; of a live run, what is more is dropped


class Collector:
    """The endpoint at ``url``; use it in a ``with``, and hand its ``provider`` to who makes the spans.

    Without ``patient``, spans wait in a queue and are dropped where it is full, so that a run never waits. A patient
    sender waits for the collector when the queue is half full, and sends nothing more after the first failure.
    Raises UsageError for what is no URL.
    """

    def __init__(self, url: str, patient: bool = False) -> None:
        self.url = _checked(url)
        self._exporter = _Exporter(self.url + PATH, patient)
        self._processor = _Processor(self._exporter, patient)
        who = Resource.create({"service.name": "sandbox", "service.version": version("sandbox")})
        self.provider = TracerProvider(resource=who, shutdown_on_exit=False)
        self.provider.add_span_processor(self._processor)

    @property
    def lost(self) -> int:
        """Spans that did not arrive, once it is closed."""
        return self._processor.ended - self._exporter.sent

    @property
    def summary(self) -> str:
        if not self.lost:
            return f"{self._exporter.sent} spans sent to {self.url}"
        why = self._exporter.reason or "it is too slow"
        return f"{self.lost} of {self._processor.ended} spans could not be sent to {self.url}: {why}"

    def __enter__(self) -> Self:
        logging.getLogger("opentelemetry").addHandler(_SILENT)
        logging.getLogger("opentelemetry").propagate = False  # one line of ours says it all
        return self

    def __exit__(self, *_: object) -> None:
        self._exporter.last_chance()
        self.provider.shutdown()
        logging.getLogger("opentelemetry").propagate = True
        logging.getLogger("opentelemetry").removeHandler(_SILENT)


class _Session(requests.Session):
    """Keeps in words why the latest request failed."""

    failure = ""

    def request(self, *args, **kwargs) -> requests.Response:
        try:
            response = super().request(*args, **kwargs)
        except requests.RequestException as error:
            self.failure = f"no answer within {TIMEOUT:g} s" if isinstance(error, requests.Timeout) else _cause(error)
            raise
        self.failure = f"it answers {response.status_code} {response.reason}"
        return response


class _Exporter(SpanExporter):
    """Counts what arrived. Where failures are ``final``, nothing is tried after the first."""

    def __init__(self, endpoint: str, final: bool) -> None:
        self._session = _Session()
        self._inner = OTLPSpanExporter(endpoint, timeout=TIMEOUT, session=self._session)
        self._final, self._failed = final, False
        self.sent, self.reason = 0, ""

    def last_chance(self) -> None:
        """What waits is tried once more, up to the next failure."""
        self._failed, self._final = self._final and self._failed, True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._final and self._failed:
            return SpanExportResult.FAILURE
        result = self._inner.export(spans)
        self._failed = result is not SpanExportResult.SUCCESS
        if self._failed:
            self.reason = self._session.failure
        else:
            self.sent += len(spans)
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class _Processor(BatchSpanProcessor):
    """Counts what ended, and where it is patient, makes the caller wait."""

    def __init__(self, exporter: SpanExporter, patient: bool) -> None:
        super().__init__(exporter, QUEUE, max_export_batch_size=BATCH)
        self._patient = patient
        self.ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        super().on_end(span)
        self.ended += 1
        if self._patient and self.ended % (QUEUE // 2) == 0:
            self.force_flush()


_SILENT = logging.NullHandler()


def _checked(url: str) -> str:
    """The base URL without its end; the whole address of the traces will do too."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url.rstrip("/").removesuffix(PATH)
    raise UsageError(f"{url}: expected the address of an OTLP endpoint, such as http://127.0.0.1:4318")


def _cause(error: BaseException) -> str:
    """The system's own words, which the libraries wrap several times."""
    while not isinstance(error, OSError) or error.strerror is None:
        inner = error.__cause__ or error.__context__
        if inner is None:
            return type(error).__name__
        error = inner
    return error.strerror.lower()
