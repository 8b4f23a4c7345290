"""Tells operators what a conversation wants looked at: a log line, and a number to be alarmed by."""

from __future__ import annotations

import structlog
from opentelemetry import metrics
from opentelemetry.metrics import Meter
from temporalio import activity

from workflows.alert import AlertKind
from workflows.contracts import AlertActivities, AlertNotice

log = structlog.get_logger(__name__)


class Alerts(AlertActivities):
    """Logs and counts. The label is one of `workflows.alert.AlertKind`."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._count = (meter or metrics.get_meter("messaging")).create_counter(
            "messaging_alerts_total", description="Things of conversations that a human must look at, by kind"
        )
        # From the start: Prometheus sees no increase in a series whose first value is the first event.
        for kind in AlertKind:
            self._count.add(0, {"kind": kind.value})

    @activity.defn(name="alert")
    async def alert(self, notice: AlertNotice) -> None:
        """Tell."""
        log.warning("alert", kind=notice.kind, conversation_id=notice.conversation_id, reason=notice.reason)
        self._count.add(1, {"kind": notice.kind})
