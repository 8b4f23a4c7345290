"""Tells operators what a conversation wants looked at: a log line, and a number to be alarmed by."""

from __future__ import annotations

import structlog
from opentelemetry import metrics
from temporalio import activity

from workflows.contracts import AlertActivities, AlertNotice

log = structlog.get_logger(__name__)


class Alerts(AlertActivities):
    """Logs and counts. The label is one of `workflows.alert.AlertKind`."""

    def __init__(self) -> None:
        self._count = metrics.get_meter("messaging").create_counter(
            "messaging_alerts_total", description="Things of conversations that a human must look at, by kind"
        )

    @activity.defn(name="alert")
    async def alert(self, notice: AlertNotice) -> None:
        """Tell."""
        log.warning("alert", kind=notice.kind, conversation_id=notice.conversation_id, reason=notice.reason)
        self._count.add(1, {"kind": notice.kind})
