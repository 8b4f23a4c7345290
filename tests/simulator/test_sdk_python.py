"""The genuine SDK for Python, unchanged but for where it sends, drives every resource; each call is counted."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from tests.simulator import census
from tests.simulator.harness import FAST, Running, ToSimulator, refused, simulator
from tests.simulator.resources import RESOURCES, Resource, Stage

PAGE = 2


class Counting(ToSimulator):
    """Counts what goes over the wire."""

    calls = 0

    def request(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return super().request(*args, **kwargs)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with simulator(delays=FAST) as sim:
        yield sim


@pytest.fixture
def stage(running: Running, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A new account for each test; what it calls is counted for its resource."""
    running.http.post("/_sim/reset")
    with requests.Session() as session:
        http = Counting(running.base, session)
        sdk = Client(running.config.account_sid, running.config.auth_token, http_client=http)
        service = sdk.conversations.v1.services.create(friendly_name="named").sid
        http.calls = 0
        yield Stage(sdk, service, running.text)
        census.add("python", request.node.callspec.params["name"], http.calls)


def having(*fields: str) -> Any:
    names = [name for name, resource in RESOURCES.items() if any(getattr(resource, field) for field in fields)]
    return pytest.mark.parametrize("name", names)


@having("make", "one")
def test_it_is_made_fetched_listed_changed_and_removed(stage: Stage, name: str) -> None:
    resource = RESOURCES[name]
    if resource.one is not None:
        assert resource.one(stage) is not None
    if resource.make is None:
        return
    count = 1 if "ChannelSenders" in name else 3
    made = [resource.make(stage, n) for n in range(count)]
    if resource.rows is not None:
        _listed(resource, stage, made)
    for instance in made:
        if resource.fetched:
            assert _key(instance.fetch()) == _key(instance)
        if resource.change is not None:
            changed = instance.update(**resource.change)
            assert all(_same(changed, field, value) for field, value in resource.change.items())
        if resource.removed:
            assert instance.delete() is True
            assert refused(instance.fetch) == (404, 20404)


@having("lost")
def test_what_is_not_there_is_404(stage: Stage, name: str) -> None:
    status, code = refused(lambda: RESOURCES[name].lost(stage))
    assert (status, code // 10) in {(404, 2040), (404, 2140), (404, 5005), (404, 5010)}


@having("bad")
def test_what_is_wrong_is_400(stage: Stage, name: str) -> None:
    assert refused(lambda: RESOURCES[name].bad(stage))[0] == 400


@having("twice")
def test_what_is_there_already_is_409(stage: Stage, name: str) -> None:
    assert refused(lambda: RESOURCES[name].twice(stage))[0] == 409


@having("lost", "bad")
def test_a_stranger_is_401(stage: Stage, name: str) -> None:
    stage.sdk.password = "wrong"
    stage.sdk.auth = (stage.sdk.username, "wrong")
    assert refused(lambda: _any(RESOURCES[name], stage))[:2] == (401, 20003)


FAULTS = [(429, 20429, "json"), (500, 20500, "json"), (503, 20503, "json"), (503, 503, "html"), (500, 20500, "problem")]


@having("lost", "bad")
def test_its_faults_have_their_classes(stage: Stage, running: Running, name: str) -> None:
    for status, code, form in FAULTS:
        running.arm("status", status=status, format=form, route="*", times=None, rate=1.0)
        with pytest.raises(TwilioException) as caught:
            _any(RESOURCES[name], stage)
        running.http.delete("/_sim/faults")
        kind = TwilioServiceException if form == "problem" else TwilioRestException
        assert (type(caught.value), caught.value.status, caught.value.code) == (kind, status, code)


def _any(resource: Resource, stage: Stage) -> Any:
    call = resource.lost or resource.bad
    assert call is not None
    return call(stage)


def _listed(resource: Resource, stage: Stage, made: list[Any]) -> None:
    """All of them, over pages of two, and one page at a time."""
    assert resource.rows is not None
    rows = resource.rows(stage)
    found = [_key(row) for row in rows.list(page_size=PAGE)]
    assert Counter(found) >= Counter(_key(row) for row in made)
    page, seen = rows.page(page_size=PAGE), []
    while page is not None:
        seen += [_key(row) for row in page]
        page = page.next_page()
    assert seen == found


def _key(instance: Any) -> str:
    return getattr(instance, "sid", None) or instance.conversation_sid


def _same(instance: Any, field: str, value: Any) -> bool:
    if field.startswith("configuration_"):
        return bool(instance.configuration[field.removeprefix("configuration_")] == value)
    if field == "permission":
        field = "permissions"
    return bool(getattr(instance, field) == value)
