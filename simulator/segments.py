"""How many SMS parts a text takes. Alphabet: 3GPP TS 23.038; lengths: https://www.twilio.com/docs/glossary/what-sms-character-limit"""

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")  # each takes an escape and a septet
_FIRST_OF_TWO_BYTE_PLANES = 0xFFFF


def count(text: str) -> int:
    """Parts on the air; 1 for an empty text."""
    if _GSM7.issuperset(text):
        return _parts_of_equal(len(text), 160, 153)
    if all(c in _GSM7 or c in _GSM7_EXTENSION for c in text):
        return _parts([2 if c in _GSM7_EXTENSION else 1 for c in text], 160, 153)
    if max(text) <= "\uffff":
        return _parts_of_equal(len(text), 70, 67)
    return _parts([2 if ord(c) > _FIRST_OF_TWO_BYTE_PLANES else 1 for c in text], 70, 67)


def _parts_of_equal(units: int, single: int, each: int) -> int:
    return 1 if units <= single else -(-units // each)


def _parts(widths: list[int], single: int, each: int) -> int:
    """A pair is never split over two parts, so a part may stay one unit short."""
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > each:
            parts, used = parts + 1, 0
        used += width
    return parts
