"""Content templates: what a person gets of one, and whether WhatsApp lets it through.

https://www.twilio.com/docs/content/content-types-overview
"""

import re
from dataclasses import dataclass, field
from typing import Any

from simulator.assets import Template

Failure = tuple[str, int, str]
"""Final status, code, message."""

STATUSES = ("unsubmitted", "received", "approved", "rejected", "paused", "disabled")
"""Of a template's review by WhatsApp."""

_SLOT = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
# Where each type keeps its text, in the order in which it is shown.
_TEXTS = ("title", "body", "subtitle", "footer")
# WhatsApp takes these outside the 24-hour window too, once approved; the others live within it.
# https://www.twilio.com/docs/content/content-types-overview
_SESSION_ONLY = frozenset({"twilio/list-picker", "twilio/location", "twilio/catalog"})
_REFUSED: dict[str, Failure] = {
    "rejected": ("failed", 63040, "Template is rejected"),
    "paused": ("failed", 63041, "Template is paused"),
    "disabled": ("failed", 63042, "Template is disabled"),
}
_MISSING: Failure = ("failed", 63028, "Number of parameters provided does not match the expected number of parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    body: str
    media: tuple[str, ...] = ()
    buttons: list[dict[str, str]] = field(default_factory=list)
    """Quick replies: text, payload."""
    failure: Failure | None = None
    """Why the channel will not take it, found out after it was accepted."""


def render(template: Template, variables: dict[str, str], channel: str, *, in_window: bool) -> Rendered:
    """The template with its variables in place, for one channel."""
    values = template.variables | variables
    kind, shape = _shape(template, channel)
    filled = _fill(shape, values)
    texts = [str(filled[name]) for name in _TEXTS if filled.get(name)]
    media = filled.get("media") or []
    failure = None
    if channel == "whatsapp":
        failure = _refusal(template, kind, in_window=in_window)
        if failure is None and _slots(shape) - values.keys():
            failure = _MISSING
    return Rendered(
        body="\n".join(texts),
        media=tuple(str(url) for url in ([media] if isinstance(media, str) else media)),
        buttons=_buttons(kind, filled) if channel != "sms" else [],
        failure=failure,
    )


def _shape(template: Template, channel: str) -> tuple[str, dict[str, Any]]:
    """The richest type that the channel shows; SMS takes the plain text when there is one."""
    kinds = template.types
    if channel == "sms" and "twilio/text" in kinds:
        return "twilio/text", kinds["twilio/text"]
    if channel == "whatsapp" and (own := next((kind for kind in kinds if kind.startswith("whatsapp/")), None)):
        return own, kinds[own]
    kind = next((kind for kind in kinds if kind != "twilio/text"), "twilio/text")
    return kind, kinds[kind]


def _refusal(template: Template, kind: str, *, in_window: bool) -> Failure | None:
    if (refused := _REFUSED.get(template.status)) is not None:
        return refused
    if in_window:
        return None
    if template.status == "approved" and kind not in _SESSION_ONLY:
        return None
    message = "Failed to send freeform message because you are outside the allowed window. Use an approved template."
    return "failed", 63016, message


def _fill(value: Any, values: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), value)
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, dict):
        return {name: _fill(item, values) for name, item in value.items()}
    return value


def _slots(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_SLOT.findall(value))
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {slot for item in items for slot in _slots(item)}


def _buttons(kind: str, filled: dict[str, Any]) -> list[dict[str, str]]:
    if kind not in {"twilio/quick-reply", "twilio/card", "whatsapp/card"}:
        return []
    actions = filled.get("actions") or []
    return [
        {"text": str(action.get("title") or ""), "payload": str(action.get("id") or action.get("title") or "")}
        for action in actions
        if isinstance(action, dict) and action.get("type", "QUICK_REPLY") == "QUICK_REPLY"
    ]
