"""One observed operation: its span, its counts, its log line.

None of them ever holds a body, a phone number or a secret: sids that are no opaque ids are left out, and an error is
told by its code.
"""

from __future__ import annotations

import time
import traceback
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.metrics import Meter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from messaging import errors
from messaging.config import MessagingConfig
from messaging.metrics import SCOPE, Instruments
from messaging.model import Channel, EventKind
from messaging.opaque import opaque_sid

# Looked at every few seconds by probes, or once for every message: no news at INFO.
_QUIET = frozenset({"health_check", "handle_webhook", "get_conversation", "find_message"})


# Things that are not counted again when they are told again; some 100 bytes each. Providers repeat within minutes.
_COUNTED = 10_000


@dataclass(slots=True, kw_only=True)
class Operation:
    """One call while it runs: what it is about, filled in as it becomes known."""

    name: str
    span: Span
    channel: Channel = Channel.UNKNOWN
    sids: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def about(
        self, *, channel: Channel | None = None, conversation_sid: str | None = None, message_sid: str | None = None
    ) -> None:
        """Add what has become known."""
        for name, sid in (("conversation_sid", conversation_sid), ("message_sid", message_sid)):
            if shown := opaque_sid(sid):
                self.sids[name] = shown
                self.span.set_attribute(name, shown)
        if channel is not None:
            self.channel = channel

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.started


class Observer:
    """Tells what one backend does, as far as its config allows."""

    def __init__(
        self, provider: str, config: MessagingConfig, *, tracer: Tracer | None = None, meter: Meter | None = None
    ) -> None:
        self.instruments = Instruments.open(meter) if config.enable_metrics else None
        self._provider = provider
        self._tracer = (tracer or trace.get_tracer(SCOPE)) if config.enable_tracing else trace.NoOpTracer()
        self._log = structlog.get_logger(SCOPE) if config.enable_structured_logging else None
        self._counted: OrderedDict[str, None] = OrderedDict()

    @contextmanager
    def operation(
        self, name: str, *, kind: SpanKind = SpanKind.CLIENT, conversation_sid: str | None = None
    ) -> Iterator[Operation]:
        """Frame a call."""
        manager = self._tracer.start_as_current_span(
            f"messaging.{name}",
            kind=kind,
            # The text and traceback of an error stay out of the span: others' exceptions may quote anything.
            record_exception=False,
            set_status_on_exception=False,
        )
        with manager as span:
            operation = Operation(name=name, span=span)
            operation.about(conversation_sid=conversation_sid)
            failure: BaseException | None = None
            try:
                yield operation
            except BaseException as error:
                failure = self._classified(name, error)
                if failure is error:
                    raise
                raise failure from None
            finally:
                self._finish(operation, failure)

    @contextmanager
    def stream(self, name: str, *, conversation_sid: str) -> Iterator[Operation]:
        """Frame an iteration. Its span is never the current one: what the caller does with an item is not our work."""
        span = self._tracer.start_span(f"messaging.{name}", kind=SpanKind.CLIENT)
        operation = Operation(name=name, span=span)
        operation.about(conversation_sid=conversation_sid)
        failure: BaseException | None = None
        try:
            yield operation
        except GeneratorExit:
            raise  # the caller left, which is how most iterations end
        except BaseException as error:
            failure = self._classified(name, error)
            if failure is error:
                raise
            raise failure from None
        finally:
            self._finish(operation, failure)
            span.end()

    def count(self, instrument: str, operation: Operation, *, thing: str = "") -> None:
        """Add one to an instrument that counts things, by channel; for a `thing` that was counted lately, nothing."""
        if self.instruments and not (thing and self._was_counted(f"{instrument} {thing}")):
            labels = {"provider": self._provider, "operation": operation.name, "channel": operation.channel.value}
            getattr(self.instruments, instrument).add(1, labels)

    def _was_counted(self, thing: str) -> bool:
        known = thing in self._counted
        self._counted[thing] = None
        self._counted.move_to_end(thing)
        if len(self._counted) > _COUNTED:
            self._counted.popitem(last=False)
        return known

    def webhook(self, operation: Operation, kinds: Collection[EventKind], *, success: bool) -> None:
        """Count one request by each kind of event in it, unknown ones too; a refused request has none."""
        if self.instruments:
            labels = {"provider": self._provider, "success": truth(success)}
            self.instruments.webhook_duration.record(operation.seconds, labels)
            for kind in sorted(set(kinds)) or ("",):
                self.instruments.webhooks.add(1, labels | {"kind": str(kind)})
        if EventKind.UNKNOWN in kinds and self._log is not None:
            self._log.info("messaging.unknown_event", provider=self._provider)

    def tell_bug(self, name: str, error: Exception) -> None:
        """Log that, and where, a provider raised what none of them should. Others' words stay out."""
        if self._log is not None:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            kind = type(error).__name__
            self._log.error("messaging.provider_bug", provider=self._provider, operation=name, kind=kind, place=place)

    def _classified(self, name: str, error: BaseException) -> BaseException:
        """Only errors of the core leave a backend. What a provider that broke did with a send, nobody knows."""
        if isinstance(error, errors.MessagingError) or not isinstance(error, Exception):
            return error
        self.tell_bug(name, error)
        return errors.InternalError(
            f"the provider raised {type(error).__name__}",
            op=name,
            provider=self._provider,
            ambiguous=name == "send_message",
        )

    def _finish(self, operation: Operation, failure: BaseException | None) -> None:
        code = _code(failure)
        named = {"provider": self._provider, "operation": operation.name}
        operation.span.set_attributes(named)
        if code:
            operation.span.set_attribute("error.type", code)
            operation.span.set_status(Status(StatusCode.ERROR, code))
        if self.instruments:
            labels = named | {"success": truth(not code)}
            self.instruments.operations.add(1, labels)
            self.instruments.operation_duration.record(operation.seconds, labels)
            if code:
                self.instruments.errors.add(1, named | {"error_code": code})
        if self._log is not None:
            said = named | {
                "duration_ms": round(operation.seconds * 1000, 1),
                **operation.sids,
                **_trace(operation.span),
            }
            _tell(self._log, said, failure, code)


def _trace(span: Span) -> dict[str, str]:
    """The span's own ids; a stream's is never the current one, where others look for them."""
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}


def truth(value: bool) -> str:
    """A label."""
    return "true" if value else "false"


def _tell(log: Any, said: dict[str, Any], failure: BaseException | None, code: str) -> None:
    if failure is None:
        (log.debug if said["operation"] in _QUIET else log.info)("messaging.operation", **said)
        return
    said["error_code"] = code
    level = log.error
    if isinstance(failure, errors.MessagingError):
        said |= {"retryable": failure.retryable, "ambiguous": failure.ambiguous}
        said |= {name: value for name in ("provider_code", "status") if (value := getattr(failure, name))}
        # Anybody can send us an invalid webhook, and what can be repeated or looked up is not lost.
        if failure.retryable or failure.ambiguous or isinstance(failure, errors.InvalidWebhook):
            level = log.warning
    elif code == _CANCELLED:
        level = log.warning
    level("messaging.operation_failed", **said)


_CANCELLED = "cancelled"


def _code(failure: BaseException | None) -> str:
    """The label of a failure. A cancelled call is not a failing one, but no success either."""
    if failure is None:
        return ""
    if isinstance(failure, errors.MessagingError):
        return failure.code.value
    return errors.ErrorCode.INTERNAL_ERROR.value if isinstance(failure, Exception) else _CANCELLED
