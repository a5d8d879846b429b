"""Sends spans to an OTLP endpoint over HTTP, in bounded time and memory: a dead collector does not stop a run."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from importlib.metadata import version
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from urllib3.exceptions import HTTPError, ReadTimeoutError

from sandbox.core.errors import UsageError

PATH = "/v1/traces"  # below the base URL, by the protocol
TIMEOUT = 5.0  # seconds for one batch, further attempts included
BATCH = 512  # spans
ANSWER = 65_536  # bytes of a collector's answer, at most; normal ones have a few
SAID = 200  # characters of its message that are shown
QUEUE = 32 * BATCH  # waiting spans; a live run drops the others


class Collector:
    """The endpoint at ``url``; use it in a ``with``, and pass its ``provider`` to the maker of the spans.

    Without ``patient``, spans wait in a queue and are dropped if it is full, so that a run never waits. A patient
    sender waits for the collector when the queue is half full, and sends nothing more after the first failure. Raises
    UsageError for an invalid URL.
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
        logging.getLogger("opentelemetry").propagate = False  # the summary has one line for all failures
        return self

    def __exit__(self, *_: object) -> None:
        self._exporter.last_chance()
        self.provider.shutdown()
        logging.getLogger("opentelemetry").propagate = True
        logging.getLogger("opentelemetry").removeHandler(_SILENT)


class _Session(requests.Session):
    """Sends requests in bounded time and memory, and stores the reason of the latest failure as text.

    Each request runs in its own thread, because the time limit of a socket applies to a single read: a collector that
    answers one byte at a time never exceeds it. While such a thread waits, nothing else is sent.
    """

    failure, rejected = "", 0  # of the latest request: its error, and the number of rejected spans

    def __init__(self) -> None:
        super().__init__()
        self.headers["accept-encoding"] = "identity"  # a compressed answer may grow a thousandfold
        self._running: Future | None = None

    def request(self, method: str, url: str, *, timeout: float, **options: Any) -> requests.Response:
        try:
            return self._within(timeout, lambda: self._answer(method, url, timeout=timeout, stream=True, **options))
        except (requests.Timeout, TimeoutError):
            self.failure = f"no answer within {TIMEOUT:g} s"
            raise requests.Timeout from None
        except requests.RequestException as error:
            self.failure = str(error) if isinstance(error, _Refused) else _cause(error)
            raise

    def _within(self, seconds: float, ask: Callable[[], requests.Response]) -> requests.Response:
        if self._running and not self._running.done():
            raise TimeoutError
        self._running = running = Future()
        threading.Thread(target=_fill, args=(running, ask), name="traces", daemon=True).start()
        return running.result(seconds)

    def _answer(self, *args: Any, **options: Any) -> requests.Response:
        until = time.monotonic() + options["timeout"]
        with super().request(*args, **options) as response:
            told = f"it answers {response.status_code} {str(response.reason)[:SAID]}"
            if response.is_redirect or 300 <= response.status_code < 400:
                raise _Refused(f"{told}; expected the address of the collector itself")
            self.failure, self.rejected = told, 0
            if response.ok:
                self.failure, self.rejected = _rejected(_body(response, until))
        return response


class _Refused(requests.RequestException):
    """An unusable answer."""


def _fill(running: Future, ask: Callable[[], requests.Response]) -> None:
    try:
        running.set_result(ask())
    except BaseException as error:
        running.set_exception(error)


def _body(response: requests.Response, until: float) -> bytes:
    """The body of a collector's answer; raises _Refused if it is too long, and Timeout if it takes too long."""
    body = b""
    try:
        while part := response.raw.read1(ANSWER, decode_content=False):
            body += part
            if len(body) > ANSWER:
                raise _Refused(f"it answers with more than {ANSWER:,} bytes")
            if time.monotonic() > until:
                raise requests.Timeout
    except ReadTimeoutError:
        raise requests.Timeout from None
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    return body if response.headers.get("content-type") == "application/x-protobuf" else b""


def _rejected(body: bytes) -> tuple[str, int]:
    """Why a collector accepted only a part, and how many spans it rejected."""
    try:
        partial = ExportTraceServiceResponse.FromString(body).partial_success
    except Exception:  # protobuf raises many kinds of errors for invalid messages
        return "", 0
    return f"it does not take them ({partial.error_message[:SAID]})", max(0, partial.rejected_spans)


class _Exporter(SpanExporter):
    """Counts delivered spans. With ``final``, it sends nothing after the first failure."""

    def __init__(self, endpoint: str, final: bool) -> None:
        self._session = _Session()
        self._inner = OTLPSpanExporter(endpoint, timeout=TIMEOUT, session=self._session)
        self._final, self._failed = final, False
        self.sent, self.reason = 0, ""

    def last_chance(self) -> None:
        """Try the waiting spans once more, up to the next failure."""
        self._failed, self._final = self._final and self._failed, True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._final and self._failed:
            return SpanExportResult.FAILURE
        result = self._inner.export(spans)
        self._failed = result is not SpanExportResult.SUCCESS
        lost = len(spans) if self._failed else min(len(spans), self._session.rejected)
        self.sent += len(spans) - lost
        self.reason = self._session.failure if lost else self.reason
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


class _Processor(BatchSpanProcessor):
    """Counts ended spans and, if patient, makes the caller wait."""

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
    """The base URL; the whole address of the traces is accepted too."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url.rstrip("/").removesuffix(PATH)
    raise UsageError(f"{url}: expected the address of an OTLP endpoint, such as http://127.0.0.1:4318")


def _cause(error: BaseException) -> str:
    """The system's own message, which the libraries wrap several times."""
    while not isinstance(error, OSError) or error.strerror is None:
        inner = error.__cause__ or error.__context__
        if inner is None:
            return type(error).__name__
        error = inner
    return error.strerror.lower()
