"""What a webhook may answer: `<Response><Message>…`. https://www.twilio.com/docs/messaging/twiml"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

_LIMIT = 64 * 1024  # bytes; https://www.twilio.com/docs/api/errors/11750


@dataclass(slots=True)
class TwimlError(Exception):
    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    body: str
    media: tuple[str, ...] = ()
    to: str = ""
    sender: str = ""
    status_callback: str = ""


def replies(content: bytes, content_type: str) -> list[Reply]:
    """The messages to send; none for an empty answer. Raises TwimlError with the debugger's code."""
    if not content.strip():
        return []
    if len(content) > _LIMIT:
        raise TwimlError(11750, "TwiML response body too large")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/plain":
        return [Reply(body=content.decode(errors="replace"))]
    if kind not in {"text/xml", "application/xml", "text/html"}:
        raise TwimlError(12300, "Invalid Content-Type")
    if b"<!DOCTYPE" in content:
        raise TwimlError(12100, "Document parse failure")
    try:
        root = ET.fromstring(content)  # noqa: S314 - small, without DOCTYPE, from the developer's own server
    except ET.ParseError as problem:
        raise TwimlError(12100, "Document parse failure") from problem
    if root.tag != "Response":
        raise TwimlError(12100, "Document parse failure: <Response> expected")
    return [_reply(node) for node in root.iter("Message")]


def _reply(node: ET.Element) -> Reply:
    bodies = [child.text or "" for child in node.iter("Body")]
    return Reply(
        body="".join(bodies) if bodies else (node.text or "").strip(),
        media=tuple((child.text or "").strip() for child in node.iter("Media")),
        to=node.get("to", ""),
        sender=node.get("from", ""),
        status_callback=node.get("statusCallback", ""),
    )
