"""What a webhook may answer: `<Response><Message>…`. https://www.twilio.com/docs/messaging/twiml"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

LIMIT = 64 * 1024
"""Bytes; https://www.twilio.com/docs/api/errors/11750"""
_METHODS = frozenset({"GET", "POST"})


@dataclass(slots=True)
class TwimlError(Exception):
    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A message to send. With an `action`, what that URL answers goes on in place of what follows."""

    body: str
    media: tuple[str, ...] = ()
    to: str = ""
    sender: str = ""
    status_callback: str = ""
    action: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """What this URL answers goes on in place of what follows; empty: the same URL again."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A verb that cannot be carried out; the others are."""

    code: int
    message: str


Verb = Say | Redirect | Wrong


def verbs(content: bytes, content_type: str) -> list[Verb]:
    """What to do, in order; nothing for an empty answer. Raises TwimlError with the debugger's code."""
    if not content.strip():
        return []
    if len(content) > LIMIT:
        raise TwimlError(11750, "TwiML response body too large")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/plain":
        return [Say(body=content.decode(errors="replace"))]
    if kind not in {"text/xml", "application/xml", "text/html"}:
        raise TwimlError(12300, "Invalid Content-Type")
    if b"<!DOCTYPE" in content:
        raise TwimlError(12100, "Document parse failure")
    try:
        root = ET.fromstring(content)  # noqa: S314 - small, without DOCTYPE, from the developer's own server
    except (ET.ParseError, ValueError, LookupError) as problem:  # the latter two for encodings that are none
        raise TwimlError(12100, "Document parse failure") from problem
    if root.tag != "Response":
        raise TwimlError(12100, "Document parse failure: <Response> expected")
    return [_verb(node) for node in root]


def _verb(node: ET.Element) -> Verb:
    method = node.get("method", "POST").upper()
    if node.tag not in {"Message", "Sms", "Redirect"}:
        return Wrong(code=14110, message=f"Invalid verb for a message reply: {node.tag}")
    if method not in _METHODS:
        return Wrong(code=14104, message="Invalid method attribute")
    if node.tag == "Redirect":
        return Redirect(url=(node.text or "").strip(), method=method)
    bodies = [child.text or "" for child in node.iter("Body")]
    body = "".join(bodies) if bodies else (node.text or "").strip()
    media = tuple((child.text or "").strip() for child in node.iter("Media"))
    if not body and not media:
        return Wrong(code=14103, message="Message: invalid body")
    return Say(
        body=body,
        media=media,
        to=node.get("to", ""),
        sender=node.get("from", ""),
        status_callback=node.get("statusCallback", ""),
        action=node.get("action", ""),
        method=method,
    )
