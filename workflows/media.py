"""What people attach, by kind: an agent reads kinds, not the hundred content types of phones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workflows.inbox import Attachment

IMAGE, AUDIO, VIDEO, DOCUMENT, OTHER = "image", "audio", "video", "document", "other"
KINDS = (IMAGE, AUDIO, VIDEO, DOCUMENT, OTHER)

# https://www.twilio.com/docs/messaging/guides/accepted-mime-types: what is none of the three by its own name.
_DOCUMENTS = frozenset(
    {
        "application/pdf",
        "application/rtf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "text/csv",
        "text/html",
        "text/plain",
        "text/rtf",
    }
)
_BY_FAMILY: Mapping[str, str] = {"image": IMAGE, "audio": AUDIO, "video": VIDEO}


def kind(content_type: str) -> str:
    """One of KINDS for a content type; "other" for what nobody knows, contact cards among it."""
    name = content_type.partition(";")[0].strip().lower()
    if name in _DOCUMENTS:
        return DOCUMENT
    return _BY_FAMILY.get(name.partition("/")[0], OTHER)


def unreadable(attachments: Iterable[Attachment], readable: Iterable[str]) -> bool:
    """Whether there are attachments and the agent can read none of them."""
    kinds = {kind(item.content_type) for item in attachments}
    return bool(kinds) and kinds.isdisjoint(readable)
