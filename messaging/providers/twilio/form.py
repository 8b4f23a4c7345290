"""A webhook's parameters, decoded once and strictly: both the signature and the parser read this.

The limits come before any work: a signature over hostile input must not cost memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from messaging import errors
from messaging.model import WebhookRequest

# Far above any genuine form: a body is at most 1,600 characters and ten media URLs.
MAX_BODY = 64 * 1024
MAX_FIELDS = 1000
FORM = "application/x-www-form-urlencoded"

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Name and value pairs in wire order, and whether they came in the body (and so belong into the signature)."""

    pairs: Fields
    signed: bool

    @property
    def first(self) -> Mapping[str, str]:
        """The first value of each name."""
        return dict(reversed(self.pairs))


def read(request: WebhookRequest) -> Form:
    """Decode the query of a GET, the form of a POST.

    Raises:
        errors.InvalidWebhook: too large, too many fields, or not UTF-8.
    """
    if len(request.body) > MAX_BODY:
        raise errors.InvalidWebhook(f"body: {len(request.body)} bytes, at most {MAX_BODY} expected")
    if request.method.upper() == "GET":
        return query(request)
    if not is_form(request):
        return Form(pairs=(), signed=False)
    return Form(pairs=_pairs("body", request.body), signed=True)


def query(request: WebhookRequest) -> Form:
    """Decode the query alone. It is part of the URL, and so of every signature.

    Raises:
        errors.InvalidWebhook: too many fields, or not UTF-8.
    """
    return Form(pairs=_pairs("query", request.query.encode("utf-8", "surrogateescape")), signed=False)


def is_form(request: WebhookRequest) -> bool:
    """Whether the body says it is a form; what says nothing and holds nothing is an empty one."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == FORM or (not kind and not request.body)


def require_clean(form: Form) -> None:
    """No NUL anywhere: neither databases nor workflow histories take one.

    Raises:
        errors.InvalidWebhook
    """
    for name, value in form.pairs:
        if "\0" in name or "\0" in value:
            shown = name if name.isalnum() and len(name) <= 64 else "a parameter"  # noqa: PLR2004 - longer than any name
            raise errors.InvalidWebhook(f"{shown}: holds a NUL")


def _pairs(where: str, raw: bytes) -> Fields:
    try:
        return tuple(
            parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS, separator="&")
        )
    except UnicodeDecodeError:
        raise errors.InvalidWebhook(f"{where}: not valid UTF-8") from None
    except ValueError:
        raise errors.InvalidWebhook(f"{where}: more than {MAX_FIELDS} fields") from None
