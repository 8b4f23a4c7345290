"""Addresses on the wire: `+1555…`, `whatsapp:+1555…`, `whatsapp:US.1a2b…` (a WhatsApp sender may have no number)."""

import re

# https://www.twilio.com/docs/iam/test-credentials
MAGIC_FROM = {
    "+15005550001": (21212, "The 'From' number {} is not a valid phone number."),
    "+15005550007": (21606, "The 'From' phone number {} is not a valid, SMS-capable inbound phone number."),
    "+15005550008": (21611, "This 'From' number {} has exceeded the maximum number of queued messages."),
}
MAGIC_TO = {
    "+15005550001": (21211, "The 'To' number {} is not a valid phone number."),
    "+15005550002": (21612, "The 'To' phone number {} is not currently reachable."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region of {}."),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number: {}, is not a mobile number"),
}
MAGIC_OK = "+15005550006"
"""The one sender of test credentials."""

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SHORT_CODE = re.compile(r"\d{3,8}")
_BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
CHANNELS = ("sms", "whatsapp", "rcs", "messenger")
_SPACING = str.maketrans("", "", " ()-.")


def channel(address: str) -> str:
    """`sms` for a bare number, else the prefix: whatsapp, rcs, messenger."""
    head, colon, _ = address.partition(":")
    return head if colon else "sms"


def bare(address: str) -> str:
    """Without the channel."""
    return address.rpartition(":")[2]


def on_channel(name: str, value: str) -> str:
    return value if ":" in value or name == "sms" else f"{name}:{value}"


def normal(address: str) -> str:
    """What people type in a phone number is dropped, and a missing plus is added; other forms stay."""
    head, colon, value = address.strip().rpartition(":")
    if head == "messenger" or _BSUID.fullmatch(value):
        return address.strip()
    digits = value.translate(_SPACING)
    if len(digits) > 10 and digits.isdecimal():  # noqa: PLR2004 - a country code and a ten-digit number
        digits = "+" + digits
    return head + colon + digits


def valid(address: str) -> bool:
    value = bare(address)
    match channel(address):
        case "sms":
            return bool(_E164.fullmatch(value) or _SHORT_CODE.fullmatch(value))
        case "whatsapp":
            return bool(_E164.fullmatch(value) or _BSUID.fullmatch(value))
        case "rcs" | "messenger":
            return bool(value)
        case _:
            return False
