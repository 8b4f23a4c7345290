"""The list of conversations, and the way from what somebody types to what is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from api import forms
from api.console import operator
from api.console.page import Pages, page
from api.conversations import Everything
from messaging.model import Address
from runtime.inbox import Shelf, Wanted
from runtime.ingress import Ingress
from runtime.settings import TWILIO
from workflows import ids

router = APIRouter(prefix="/console", route_class=Pages, include_in_schema=False)

# How people write numbers.
_BETWEEN_DIGITS = re.compile(r"[\s()./-]")

Filled = Annotated[Mapping[str, str], Depends(forms.read)]
Text = Annotated[str | None, Query(min_length=1, max_length=256)]


def wanted(
    request: Request,
    shelf: Shelf = Shelf.ALL,
    contact: Text = None,
    assignee: Text = None,
    prefix: Text = None,
    cursor: Annotated[str | None, Query(max_length=4_000)] = None,
) -> Wanted:
    """What the address of a page asks for."""
    return Wanted(
        shelf=shelf, me=operator.of(request).name, contact=contact, assignee=assignee, prefix=prefix, cursor=cursor
    )


Asked = Annotated[Wanted, Depends(wanted)]


@router.get("")
async def index(request: Request, ingress: Everything, asked: Asked) -> Response:
    """The conversations of one shelf."""
    return page(request, "inbox.html", **await listed(ingress, asked))


async def listed(ingress: Ingress, asked: Wanted) -> dict[str, Any]:
    """What the list's template needs.

    Raises:
        InvalidCursor, TemporalUnreachable
    """
    found = await ingress.inbox.page(asked)
    return {
        "asked": asked,
        "rows": found.rows,
        "list_version": found.version,
        "older": query_of(asked, cursor=found.next_cursor) if found.next_cursor else None,
        "shelves": [(shelf, query_of(Wanted(shelf=shelf)), found.counts.get(shelf, 0)) for shelf in Shelf],
        "here": query_of(asked),
    }


def query_of(asked: Wanted, cursor: str | None = None) -> str:
    """The address of a list, from its `?` on."""
    parts = {
        "shelf": asked.shelf.value if asked.shelf is not Shelf.ALL else None,
        "contact": asked.contact,
        "assignee": asked.assignee,
        "prefix": asked.prefix,
        "cursor": cursor,
    }
    given = {name: value for name, value in parts.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


@router.post("/search")
async def search(form: Filled, ingress: Everything) -> Response:
    """Go to what is meant. It is posted, so that a number that is typed in is in no address and no log."""
    return RedirectResponse(await _place(ingress, form.get("text", "").strip()), status_code=303)


async def _place(ingress: Ingress, text: str) -> str:
    if not text:
        return "/console"
    if text.startswith("contact-"):
        return f"/console{query_of(Wanted(contact=text))}"
    if ids.is_opaque(text):
        return f"/console{query_of(Wanted(prefix=f'{TWILIO[0]}-{text}'))}"
    if text.startswith(tuple(f"{name}-" for name in ingress.backends)):
        return f"/console{query_of(Wanted(prefix=text))}"
    if (address := _address(text)) is not None:
        return f"/console{query_of(Wanted(contact=await ingress.gateway.identities.contact_id(address)))}"
    return f"/console{query_of(Wanted(assignee=text))}"


def _address(text: str) -> Address | None:
    """What may be somebody's address. Whatever is only digits is taken for one: it must not get into an address."""
    bare = _BETWEEN_DIGITS.sub("", text)
    number = re.sub(r"^00", "+", bare)
    if number.isdecimal():
        number = f"+{number}"
    address = Address.parse(number)
    return address if address.phone is not None or ":" in text else None
