"""What the simulator answers is what Twilio's OpenAPI documents say, for every operation that it covers."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from twilio.rest import Client

from simulator.errors import TwilioError
from simulator.rest import routes
from tests.simulator import census, openapi
from tests.simulator.harness import FAST, ToSimulator, simulator
from tests.simulator.resources import RESOURCES, Resource, Stage

DOCUMENTS = Path(__file__).parents[3] / "shared" / "facts" / "twilio-oai"
PRODUCTS = {
    "api": "twilio_api_v2010",
    "conversations": "twilio_conversations_v1",
    "messaging": "twilio_messaging_v1",
}


# A push registration comes from a device, of which there are none here: its path knows 404 only.
NEVER_THERE = {(method, "/v1/Services/{ChatServiceSid}/Bindings/{Sid}") for method in ("get", "delete")}


class Recording(ToSimulator):
    """Keeps each call with its answer: product, method, path, status, body."""

    def __init__(self, base: str, session: requests.Session) -> None:
        super().__init__(base, session)
        self.calls: list[tuple[str, str, str, int, Any]] = []

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        response = super().request(method, url, *args, **kwargs)
        parts = urlsplit(url)
        body = json.loads(response.text) if response.text else None
        product = str(parts.hostname).partition(".")[0]
        self.calls.append((product, method, parts.path, response.status_code, body))
        return response


@pytest.fixture(scope="module")
def documents() -> dict[str, openapi.Document]:
    if not DOCUMENTS.exists():
        pytest.skip("Twilio's OpenAPI documents are not in ../shared/facts/twilio-oai")
    with simulator(delays=FAST) as sim, requests.Session() as session:
        http = Recording(sim.base, session)
        sdk = Client(sim.config.account_sid, sim.config.auth_token, http_client=http)
        for resource in RESOURCES.values():
            sim.http.post("/_sim/reset")
            service = sdk.conversations.v1.services.create(friendly_name="named").sid
            _drive(resource, Stage(sdk, service, sim.text))
    found = {product: openapi.read(DOCUMENTS / f"{name}.json") for product, name in PRODUCTS.items()}
    for product, method, path, status, body in http.calls:
        if product in found and (operation := found[product].operation(method, path)) is not None:
            found[product].check(operation, status, body)
    return found


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_answer_is_what_the_document_says(documents: dict[str, openapi.Document], product: str) -> None:
    document = documents[product]
    census.LINES.append(
        f"{document.name}: {len(document.called)} of {len(document.operations)} operations, "
        f"{document.matching} of {document.matching + document.differing.total()} properties ({document.share:.1%})"
    )
    assert document.matching
    assert not document.differing, "\n".join(f"{count:>5} {what}" for what, count in document.differing.most_common())


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_operation_that_has_a_route_was_called(documents: dict[str, openapi.Document], product: str) -> None:
    routed = {(op.method, op.path) for op in documents[product].operations if _routed(product, op)}
    assert routed
    assert routed - documents[product].called <= NEVER_THERE


def _drive(resource: Resource, stage: Stage) -> None:
    if resource.one is not None:
        resource.one(stage)
    if resource.make is None:
        return
    made = [resource.make(stage, n) for n in range(1)]
    if resource.rows is not None:
        resource.rows(stage).list()
    for instance in made:
        if resource.fetched:
            instance.fetch()
        if resource.change is not None:
            instance.update(**resource.change)
        if resource.removed:
            instance.delete()


def _routed(product: str, operation: openapi.Operation) -> bool:
    parts = tuple(operation.path.strip("/").split("/"))
    table = product
    if product == "conversations" and parts[1] == "Services" and len(parts) > 3:
        table, parts = routes.IN_SERVICE, (parts[0], *parts[3:])
    try:
        _, ids = routes.match(table, operation.method.upper(), parts, operation.path)
    except TwilioError:
        return False
    # A word of the document at a placeholder of ours is another resource: …/IncomingPhoneNumbers/Local.json.
    return all(name.startswith("{") for name in ids)
