"""The documentation's site: what it makes of the code, and of links that GitHub follows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from runtime.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PICTURES = sorted((DOCS / "images" / "concepts").glob("*.svg"))


@pytest.fixture(scope="module", autouse=True)
def found() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(DOCS)
        yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "_site"]:
        del sys.modules[name]


@pytest.fixture
def settings() -> ModuleType:
    from _site import settings  # type: ignore[import-not-found] # noqa: PLC0415 - its folder is on the path only here

    return settings


@pytest.fixture
def elsewhere() -> ModuleType:
    from _site import elsewhere  # noqa: PLC0415

    return elsewhere


def test_every_setting_is_told_with_what_it_is_for(settings: ModuleType) -> None:
    told = {
        name: words for _, variables, words in settings.groups(settings.EXAMPLE.read_text()) for name, _ in variables
    }
    assert {name.upper() for name in Settings.model_fields} <= set(told)
    assert [name for name, words in told.items() if "TEMPORAL" not in name and not words] == []


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("messaging_agent_requests", "1 to 50"),
        ("messaging_budget_answers", "0 or more"),
        ("messaging_stale", "`apologise`, `hold`"),
        ("messaging_agent_cites", "`true`, `false`"),
        ("messaging_log_level", "`^(DEBUG|INFO|WARNING|ERROR)$`"),
        ("messaging_knowledge", ""),
    ],
)
def test_what_is_allowed_is_what_the_code_has(settings: ModuleType, name: str, bounds: str) -> None:
    assert settings.allowed(settings._schema(name)) == bounds


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[how](../ARCHITECTURE.md#ids)", "[how](/architecture.md#ids)"),
        ("[why](adr/0003-look-before-resend.md)", "[why](/adr/0003-look-before-resend.md)"),
        ("[`.env.example`](../.env.example)", "[`.env.example`](/../.env.example)"),
        ("[`examples/provider`](../examples/provider)", "`examples/provider`"),
        ("![so](images/phones.png)", "![so](/images/phones.png)"),
        ("[Temporal](https://temporal.io)", "[Temporal](https://temporal.io)"),
        ("[gone](nowhere.md)", "[gone](nowhere.md)"),
    ],
)
def test_links_lead_to_where_the_site_has_it(elsewhere: ModuleType, written: str, shown: str) -> None:
    assert elsewhere._rewrite(written, DOCS, DOCS) == shown


@pytest.mark.parametrize(
    ("page", "loads"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["//fonts.example/a.css"]),
        ('<link rel="stylesheet" href="_static/a.css"><img src="data:image/png;base64,AA==">', []),
        ('<a href="https://temporal.io">', []),
    ],
)
def test_what_a_page_would_load_from_elsewhere_is_seen(elsewhere: ModuleType, page: str, loads: list[str]) -> None:
    assert elsewhere.from_afar(page) == loads


def test_the_pictures_can_be_read_in_the_light_in_the_dark_and_aloud() -> None:
    assert len(PICTURES) == 5
    for picture in PICTURES:
        text = picture.read_text()
        assert "prefers-color-scheme: dark" in text
        assert 'aria-labelledby="t d"' in text
        assert re.search(r'<title id="t">.+</title>', text)
        assert not re.search(r"(?:href|src)=|@import|url\((?!#)", text)


def test_mermaid_becomes_a_picture_for_each_theme() -> None:
    from _site import mermaid  # noqa: PLC0415

    if mermaid.merman is None:
        pytest.skip("merman has no wheel for this machine")
    drawn = [mermaid._draw("flowchart LR\n  screen --> reply", theme) for theme in mermaid._THEMES.values()]
    assert all(picture.startswith("<svg") and "screen" in picture for picture in drawn)
    assert len({re.findall(r'id="([^"]+)"', picture)[0] for picture in drawn}) == 2
