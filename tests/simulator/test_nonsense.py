"""Whatever is asked, the simulator answers as Twilio would: no request makes it fail."""

import json
import random
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest

from simulator.rest import routes
from tests.simulator.harness import Running, simulator

# Values that are at the edge of something: numbers, dates, durations, JSON, addresses, URLs, scripts.
VALUES = (
    "", "0", "-1", "x", "\0", "👋", "é" * 300, "9" * 40, "true", "null", "{}", "[]", '"x"', '{"a":1}', "²", "١", "a\nb",
    '{"messaging_binding":5}', '{"messaging_binding":{"address":5}}', '{"identity":{}}', "9999-12-31T23:59:59Z",
    "0001-01-01", "2026-02-30", "PT1M", "P99999999999D", "PT" + "9" * 30 + "S", "+15557654321", "whatsapp:+1555",
    "rcs:x", ":", "CH" + "0" * 32, "MG" + "0" * 32, "IS" + "0" * 32, "http://", "http://[", "https://e.com/x", "%zz",
)  # fmt: skip
FIELDS = (
    "To", "From", "Body", "MediaUrl", "MessagingServiceSid", "ContentSid", "ContentVariables", "StatusCallback",
    "ScheduleType", "SendAt", "Status", "ValidityPeriod", "FallbackFrom", "FriendlyName", "UniqueName",
    "Attributes", "State", "Timers.Inactive", "Timers.Closed", "DateCreated", "DateUpdated", "Identity",
    "MessagingBinding.Address", "MessagingBinding.ProxyAddress", "MessagingBinding.ProjectedAddress", "RoleSid",
    "LastReadMessageIndex", "LastReadTimestamp", "Author", "MediaSid", "Subject", "Participant", "Target",
    "Configuration.Url", "Configuration.Method", "Configuration.Filters", "Configuration.Triggers",
    "Configuration.ReplayAfter", "Type", "Address", "Outcome", "AutoCreation.Enabled", "AutoCreation.Type",
    "AutoCreation.WebhookFilters", "AutoCreation.StudioRetryCount", "Permission", "Sid", "NotificationLevel",
    "PhoneNumber", "AreaCode", "SmsUrl", "SmsMethod", "PhoneNumberSid", "InboundRequestUrl", "StickySender",
    "channel", "messageId", "Method", "Filters", "PostWebhookUrl", "DefaultInactiveTimer", "NewMessage.Enabled",
    "LogEnabled", "Sandbox",
)  # fmt: skip
ASKED = (
    "PageSize", "Page", "PageToken", "Order", "State", "StartDate", "EndDate", "Identity", "Address", "DateSent",
    "DateSent<", "To", "From", "Expires",
)  # fmt: skip
JSON = ("x", 5, None, [], {}, {"twilio/text": {}}, {"twilio/quick-reply": {"actions": 5}}, {"twilio/text": {"body": 5}})
KEYS = (
    "friendly_name", "language", "types", "variables", "name", "category", "channel", "messageId", "from", "to",
    "event",
)  # fmt: skip
KINDS = ("image/png", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "é")
REQUESTS = 1500


@pytest.mark.parametrize("seed", [1, 2])
def test_no_request_makes_it_fail(seed: int) -> None:
    chance, seen = random.Random(seed), Counter[int]()
    with simulator() as sim:
        sim.http.auth = (sim.config.account_sid, sim.config.auth_token)
        known = _something(sim)
        table = [(product, *row) for (product, _), rows in routes._TABLE.items() for row in rows]
        for _ in range(REQUESTS):
            product, method, route = chance.choice(table)
            if method == "DELETE" and chance.random() < 0.8:
                continue  # or little would be left
            path = _path(chance, product, route, known)
            query = {chance.choice(ASKED): chance.choice(VALUES) for _ in range(chance.randrange(3))}
            sent = _body(chance) if method in {"POST", "PUT"} else {}
            answer = sim.http.request(method, path, params=query, **sent)
            seen[answer.status_code] += 1
            assert answer.status_code < 500, (method, path, query, sent)
            if answer.status_code == 201 and answer.headers["content-type"] == "application/json":
                known.append(answer.json().get("sid", "x"))
    assert min(seen[200], seen[201], seen[400], seen[404]) > 10, seen


def _something(sim: Running) -> list[str]:
    """Names of resources that are there, and of some that are not."""
    conversation = sim.sdk.conversations.v1.conversations.create(unique_name="talk")
    conversation.participants.create(identity="ann")
    message = conversation.messages.create(body="x", author="ann")
    there = [conversation.sid, "talk", "ann", message.sid, sim.text("x")["sid"], "MG" + "0" * 32, "IS" + "0" * 32]
    return [*there, *(f"{name}.json" for name in there), "x", "²", ".."]


def _path(chance: random.Random, product: str, route: routes.Route, known: list[str]) -> str:
    parts = [chance.choice(known) if part == "*" else part for part in route.parts]
    if product == "api" and len(parts) > 2:
        parts[2] = "AC" + "0" * 32 + (".json" if len(parts) == 3 else "")
    if product == routes.IN_SERVICE:
        product, parts = "conversations", [parts[0], "Services", "IS" + "0" * 32, *parts[1:]]
    return f"/{product}/" + "/".join(quote(part) for part in parts)


def _body(chance: random.Random) -> dict[str, Any]:
    echo = {"X-Twilio-Webhook-Enabled": chance.choice(["true", "false"])}
    match chance.randrange(4):
        case 0:
            value = {chance.choice(KEYS): chance.choice(JSON) for _ in range(4)}
            return {"content": json.dumps(value), "headers": {**echo, "Content-Type": "application/json"}}
        case 1:
            kind = chance.choice(KINDS).encode()
            return {"content": chance.randbytes(20), "headers": {b"Content-Type": kind}}
        case _:
            names = chance.sample(FIELDS, chance.randrange(8))
            return {"data": {name: chance.choices(VALUES, k=chance.randint(1, 2)) for name in names}, "headers": echo}
