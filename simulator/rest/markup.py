"""The 2010 API in XML, which it speaks where a path does not end in `.json`. https://www.twilio.com/docs/usage/twilios-response"""

from typing import Any
from xml.etree import ElementTree as ET

# Name of a list in JSON -> of one of its rows in XML.
_ROWS = {"messages": "Message", "media_list": "Media", "incoming_phone_numbers": "IncomingPhoneNumber"}
_LISTS = {"messages": "Messages", "media_list": "MediaList", "incoming_phone_numbers": "IncomingPhoneNumbers"}
_PAGING = ("page", "page_size", "start", "end", "uri", "first_page_uri", "next_page_uri", "previous_page_uri")
_SINGLES = {
    "Messages": "Message", "Media": "Media", "IncomingPhoneNumbers": "IncomingPhoneNumber", "Accounts": "Account",
    "Feedback": "MessageFeedback",
}  # fmt: skip


def write(body: dict[str, Any], path: str) -> bytes:
    """A resource, a list or an error, as the path's last collection calls it."""
    root = ET.Element("TwilioResponse")
    kind = next((name for name in _ROWS if name in body), None)
    if kind is not None:
        listed = ET.SubElement(root, _LISTS[kind], {_small(name): _text(body[name]) for name in _PAGING})
        for row in body[kind]:
            _fill(ET.SubElement(listed, _ROWS[kind]), row)
    elif body.keys() == {"code", "message", "more_info", "status"}:
        _fill(ET.SubElement(root, "RestException"), body)
    else:
        parts = [part.removesuffix(".json") for part in path.split("/")]
        name = next((_SINGLES[part] for part in reversed(parts) if part in _SINGLES), "Resource")
        _fill(ET.SubElement(root, name), body)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _fill(node: ET.Element, value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _fill(ET.SubElement(node, _camel(name)), inner)
    else:
        node.text = _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _small(name: str) -> str:
    return name.replace("_", "")


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
