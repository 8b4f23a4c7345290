"""What is counted of turns, texts and sends, as the conversations tell it: a redelivered webhook counts for nothing."""

from __future__ import annotations

from opentelemetry import metrics
from opentelemetry.metrics import Meter

from messaging.metrics import SCOPE
from messaging.model import Channel
from runtime import spans
from workflows import telling
from workflows.policy import MessageClass
from workflows.state import Outcome, Proof

# From an agent that answers at once to one that has been waited for over a night.
_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300, 900, 3600)


class TurnMetrics:
    """The instruments, by default on the process's meter provider."""

    def __init__(self, meter: Meter | None = None) -> None:
        used = meter or metrics.get_meter(SCOPE)
        self._turns = used.create_counter("messaging_turns_total", description="Turns that ended, by outcome")
        self._texts = used.create_counter("messaging_texts_total", description="Texts that were settled, by outcome")
        self._sends = used.create_counter("messaging_sends_total", description="Messages of ours, by proof of sending")
        self._tokens = used.create_counter(
            "messaging_tokens_total", description="Tokens that agents used, by direction"
        )
        self._cost = used.create_counter(
            "messaging_cost_usd_total", description="Cost of agents in US dollars, if known"
        )
        self._waited = used.create_histogram(
            "messaging_answer_duration_seconds",
            unit="s",
            description="From a webhook until the provider had taken the answer",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )

        # What alerts are about, from the start: Prometheus sees no increase in a series whose first value is the first.
        for channel in Channel:
            self._turns.add(0, {"channel": channel.value, "outcome": Outcome.PARKED.value})
            for kind in MessageClass:
                self._sends.add(0, {"channel": channel.value, "kind": kind.value, "proof": Proof.UNCERTAIN.value})
        self._cost.add(0)

    def told(self, what: telling.Told) -> None:
        """Count it."""
        if isinstance(what, telling.SendEnded):
            self._sends.add(1, {"channel": what.channel, "kind": what.kind, "proof": what.proof})
        elif isinstance(what, telling.TurnEnded):
            self._turn(what)

    def _turn(self, what: telling.TurnEnded) -> None:
        labels = {"channel": what.channel, "outcome": what.outcome}
        self._turns.add(1, labels)
        self._texts.add(what.texts, labels)
        if what.waited is not None:
            # The context makes it an exemplar of its trace, where an exporter has a place for one.
            self._waited.record(max(0.0, what.waited), labels, spans.context_of(what.context))
        for direction in ("input", "output"):
            if tokens := what.usage.get(f"{direction}_tokens"):
                self._tokens.add(tokens, {"direction": direction})
        if what.cost:
            self._cost.add(what.cost)
