"""Lists over several pages, in Twilio's two styles."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode

from simulator.rest.call import Call, Reply
from simulator.table import Row

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    number: int
    size: int
    rows: list[Any]
    next: str | None
    previous: str | None


def v1(
    call: Call, key: str, rows: Iterable[R], show: Callable[[R], dict[str, Any]], *, size: int = 50, most: int = 100
) -> Reply:
    """The v1 products' envelope: `meta` with absolute URLs."""
    page = _cut(call, rows, default=size, most=most)
    base = call.url
    meta = {
        "page": page.number,
        "page_size": page.size,
        "first_page_url": base + _query(call, page.size, 0, None),
        "previous_page_url": base + page.previous if page.previous else None,
        "url": base + _query(call, page.size, page.number, call.asked("PageToken")),
        "next_page_url": base + page.next if page.next else None,
        "key": key,
    }
    return Reply(body={key: [show(row) for row in page.rows], "meta": meta})


def v2010(call: Call, key: str, rows: Iterable[R], show: Callable[[R], dict[str, Any]]) -> Reply:
    """The 2010 API's envelope: relative URIs beside the list."""
    page = _cut(call, rows, default=50, most=1000)
    start = page.number * page.size if page.rows else 0
    return Reply(
        body={
            key: [show(row) for row in page.rows],
            "first_page_uri": call.path + _query(call, page.size, 0, None),
            "next_page_uri": call.path + page.next if page.next else None,
            "previous_page_uri": call.path + page.previous if page.previous else None,
            "uri": call.path + _query(call, page.size, page.number, call.asked("PageToken")),
            "page": page.number,
            "page_size": page.size,
            "start": start,
            "end": start + max(0, len(page.rows) - 1),
        }
    )


def _cut(call: Call, rows: Iterable[R], *, default: int, most: int) -> _Page:
    size = call.whole("PageSize", default, 1, most)
    number = call.whole("Page", 0, 0, 1_000_000)
    token = call.asked("PageToken")
    left = _after(list(rows), token[2:], number * size) if token else islice(rows, number * size, None)
    shown = list(islice(left, size + 1))
    more, shown = len(shown) > size, shown[:size]
    return _Page(
        number=number,
        size=size,
        rows=shown,
        # The token names the last row shown, so rows that arrive meanwhile neither repeat nor hide others.
        next=_query(call, size, number + 1, f"PA{shown[-1].sid}") if more else None,
        previous=_query(call, size, number - 1, None) if number else None,
    )


def _after(rows: list[R], sid: str, count: int) -> Iterator[R]:
    """What follows that row; when it is gone meanwhile, what follows as many rows without it: none is hidden."""
    start = next((i + 1 for i, row in enumerate(rows) if row.sid == sid), max(0, count - 1))
    return islice(rows, start, None)


def _query(call: Call, size: int, page: int, token: str | None) -> str:
    kept = [(name, value) for name, values in call.query.items() if not name.startswith("Page") for value in values]
    kept += [("PageSize", str(size)), ("Page", str(page))]
    if token:
        kept.append(("PageToken", token))
    return "?" + urlencode(kept)
