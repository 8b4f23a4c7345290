"""The instruments, by the names that dashboards know. Their labels are bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation

SCOPE = "messaging"
# From a local fake's millisecond to the longest time-out that can be configured.
_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """All of them but the gauge, which whoever owns the source of truth opens by `observe_active`."""

    operations: Counter
    operation_duration: Histogram
    errors: Counter
    conversations: Counter
    messages: Counter
    message_duration: Histogram
    participants: Counter
    webhooks: Counter
    webhook_duration: Histogram

    @classmethod
    def open(cls, meter: Meter | None = None) -> Self:
        """Create them; by default on the process's meter provider, which makes no-ops until one is set."""
        used = meter or metrics.get_meter(SCOPE)
        return cls(
            operations=used.create_counter("messaging_operations_total", description="Backend operations"),
            operation_duration=_seconds(used, "messaging_operation_duration_seconds", "Duration of operations"),
            errors=used.create_counter("messaging_errors_total", description="Failed operations by error code"),
            conversations=used.create_counter("messaging_conversations_total", description="Conversations created"),
            messages=used.create_counter("messaging_messages_total", description="Messages sent and received"),
            message_duration=_seconds(used, "messaging_message_duration_seconds", "Duration of sends"),
            participants=used.create_counter("messaging_participants_total", description="Participants added, removed"),
            webhooks=used.create_counter("messaging_webhooks_total", description="Webhooks taken and refused"),
            webhook_duration=_seconds(used, "messaging_webhook_duration_seconds", "Duration of verifying and parsing"),
        )


def observe_active(count: Callable[[], Iterable[tuple[str, int]]], meter: Meter | None = None) -> None:
    """Open the gauge `messaging_active_conversations`.

    Args:
        count: Returns (provider, active conversations) from the source of truth; called at every collection.
    """

    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(active, {"provider": provider}) for provider, active in count()]

    used = meter or metrics.get_meter(SCOPE)
    used.create_observable_gauge(
        "messaging_active_conversations", callbacks=[observe], description="Conversations that are active now"
    )


def _seconds(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(name, unit="s", description=description, explicit_bucket_boundaries_advisory=_SECONDS)
