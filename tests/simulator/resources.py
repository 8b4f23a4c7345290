"""Every resource that the simulator covers, as the genuine SDK for Python calls it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList
from twilio.rest.messaging.v3.typing_indicator import TypingIndicatorList

from tests.simulator.harness import OURS, THEIRS, eventually

Call = Callable[["Stage"], Any]


@dataclass
class Stage:
    """A client, and what the resources of a test hang on."""

    sdk: Client
    service: str
    text: Callable[..., dict[str, Any]]
    """A person texts."""
    made: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    @property
    def v1(self) -> Any:
        """Conversations, of the default service."""
        return self.sdk.conversations.v1

    @property
    def own(self) -> Any:
        """Conversations, of a service that is named."""
        return self.v1.services(self.service)

    @property
    def sent(self) -> Any:
        return self.once("sent", lambda: self.sdk.messages.create(
            to=THEIRS, from_=OURS, body="x", media_url=[f"https://example.com/{n}.png" for n in range(3)]
        ))  # fmt: skip

    @property
    def pool(self) -> Any:
        return self.once("pool", lambda: self.sdk.messaging.v1.services.create(friendly_name="pool"))

    @property
    def template(self) -> Any:
        return self.once("template", lambda: template(self, 0))

    def talk(self, root: Any) -> Any:
        """A conversation with a phone and a chat user."""
        return self.once(f"talk {type(root).__name__}", lambda: _talk(root))


@dataclass(frozen=True, kw_only=True)
class Resource:
    """`make` gives the nth instance; `lost`, `bad` and `twice` are refused by 404, 400 and 409."""

    make: Callable[[Stage, int], Any] | None = None
    rows: Call | None = None
    change: dict[str, Any] | None = None
    fetched: bool = True
    removed: bool = True
    lost: Call | None = None
    bad: Call | None = None
    twice: Call | None = None
    one: Call | None = None
    """Something to call where there is nothing to make."""


def _talk(root: Any) -> Any:
    made = root.conversations.create()
    there = root.conversations(made.sid)
    # The default service and a named one cannot both hold the same pair.
    person = THEIRS if "Service" not in type(root).__name__ else "+15557650099"
    there.participants.create(messaging_binding_address=person, messaging_binding_proxy_address=OURS)
    there.participants.create(identity="agent")
    return there


def template(stage: Stage, n: int) -> Any:
    request = {"friendly_name": str(n), "language": "en", "types": {"twilio/text": {"body": f"{n} {{{{1}}}}"}}}
    return stage.sdk.content.v1.contents.create(ContentList.ContentCreateRequest(request))


def sid(prefix: str) -> str:
    """One that nobody has."""
    return prefix + "f" * 32


def _delivered(stage: Stage, n: int) -> Any:
    """Only then it can be deleted."""
    message = stage.sdk.messages.create(to=THEIRS, from_=OURS, body=str(n))
    eventually(lambda: message.fetch().status == "delivered")
    return message


def _said(root: Any, stage: Stage) -> Any:
    """A message whose receipts are there."""
    talk = stage.talk(root)
    message = talk.messages(talk.messages.create(author="agent", body="x").sid)
    eventually(message.delivery_receipts.list)
    return message


def _in_service(root: Callable[[Stage], Any], form: str) -> dict[str, Resource]:
    """What is there for the default service and for a named one alike."""
    resources = {
        "Conversations": Resource(
            make=lambda s, n: root(s).conversations.create(friendly_name=str(n), unique_name=f"{form}-{n}"),
            rows=lambda s: root(s).conversations,
            change={"friendly_name": "changed"},
            lost=lambda s: root(s).conversations(sid("CH")).fetch(),
            bad=lambda s: root(s).conversations.create(state="closed"),
            twice=lambda s: [root(s).conversations.create(unique_name="twice") for _ in range(2)],
        ),
        "ConversationWithParticipants": Resource(
            make=lambda s, n: root(s).conversation_with_participants.create(participant=[f'{{"identity": "{n}"}}']),
            fetched=False, removed=False,
            bad=lambda s: root(s).conversation_with_participants.create(participant=["{"]),
            twice=lambda s: [root(s).conversation_with_participants.create(unique_name="both") for _ in range(2)],
        ),
        "Participants": Resource(
            make=lambda s, n: s.talk(root(s)).participants.create(identity=f"user {n}"),
            rows=lambda s: s.talk(root(s)).participants,
            change={"attributes": '{"a":1}', "last_read_message_index": 0},
            lost=lambda s: s.talk(root(s)).participants(sid("MB")).fetch(),
            bad=lambda s: s.talk(root(s)).participants.create(messaging_binding_address=THEIRS),
            twice=lambda s: [s.talk(root(s)).participants.create(identity="twin") for _ in range(2)],
        ),
        "Messages": Resource(
            make=lambda s, n: s.talk(root(s)).messages.create(author="agent", body=str(n)),
            rows=lambda s: s.talk(root(s)).messages,
            change={"body": "changed"},
            lost=lambda s: s.talk(root(s)).messages(sid("IM")).fetch(),
            bad=lambda s: s.talk(root(s)).messages.create(author="agent"),
        ),
        "Receipts": Resource(
            make=lambda s, n: s.once(f"said {form} {n}", lambda: _said(root(s), s)).delivery_receipts.list()[0],
            removed=False,
            lost=lambda s: s.talk(root(s)).messages(sid("IM")).delivery_receipts(sid("DY")).fetch(),
        ),
        "Conversation Webhooks": Resource(
            make=lambda s, n: s.talk(root(s)).webhooks.create(
                target="webhook", configuration_url=f"http://127.0.0.1:9/{n}", configuration_filters=["onMessageAdded"]
            ),
            rows=lambda s: s.talk(root(s)).webhooks,
            change={"configuration_url": "http://127.0.0.1:9/changed"},
            lost=lambda s: s.talk(root(s)).webhooks(sid("WH")).fetch(),
            bad=lambda s: s.talk(root(s)).webhooks.create(target="webhook"),
        ),
        "Users": Resource(
            make=lambda s, n: root(s).users.create(identity=f"{form} {n}"),
            rows=lambda s: root(s).users,
            change={"friendly_name": "changed"},
            lost=lambda s: root(s).users(sid("US")).fetch(),
            bad=lambda s: root(s).users.create(identity=""),
            twice=lambda s: [root(s).users.create(identity="twin user") for _ in range(2)],
        ),
        "User Conversations": Resource(
            make=lambda s, n: _membership(root(s), s, n),
            rows=lambda s: root(s).users("member").user_conversations,
            change={"notification_level": "muted"},
            lost=lambda s: root(s).users(sid("US")).user_conversations(sid("CH")).fetch(),
            bad=lambda s: _membership(root(s), s, 99).update(notification_level="loud"),
        ),
        "Roles": Resource(
            make=lambda s, n: root(s).roles.create(friendly_name=str(n), type="service", permission=["joinService"]),
            rows=lambda s: root(s).roles,
            change={"permission": ["createConversation"]},
            lost=lambda s: root(s).roles(sid("RL")).fetch(),
            bad=lambda s: root(s).roles.create(friendly_name="x", type="king", permission=["x"]),
        ),
        "ParticipantConversations": Resource(
            make=lambda s, n: s.talk(root(s)).participants.create(identity=f"alone {form} {n}"),
            one=lambda s: root(s).participant_conversations.list(identity="agent", page_size=2),
            removed=False, fetched=False,
        ),
    }  # fmt: skip
    return {f"{name} ({form})": resource for name, resource in resources.items()}


def _membership(root: Any, stage: Stage, n: int) -> Any:
    conversation = root.conversations.create(friendly_name=str(n))
    root.conversations(conversation.sid).participants.create(identity="member")
    return root.users("member").user_conversations(conversation.sid).fetch()


def _typing_v3(stage: Stage, **fields: str) -> Any:
    return stage.sdk.messaging.v3.typing_indicator.create(TypingIndicatorList.TypingIndicatorRequest(fields))


def _approved(stage: Stage, name: str = "order") -> Any:
    request = ApprovalCreateList.ContentApprovalRequest({"name": name, "category": "UTILITY"})
    return stage.sdk.content.v1.contents(stage.template.sid).approval_create.create(request)


RESOURCES: dict[str, Resource] = {
    "Account": Resource(
        one=lambda s: [s.sdk.api.v2010.accounts(s.sdk.account_sid).fetch(), s.sdk.api.v2010.accounts.list()],
        removed=False,
        lost=lambda s: s.sdk.api.v2010.accounts(sid("AC")).fetch(),
    ),
    "Messages": Resource(
        make=_delivered, rows=lambda s: s.sdk.messages, change={"body": ""},
        lost=lambda s: s.sdk.messages(sid("SM")).fetch(), bad=lambda s: s.sdk.messages.create(to=THEIRS, from_=OURS),
        twice=lambda s: s.sdk.messages(_on_its_way(s).sid).delete(),
    ),
    "Message Media": Resource(
        make=lambda s, n: s.sent.media.list()[n], rows=lambda s: s.sent.media, removed=True,
        lost=lambda s: s.sdk.messages(s.sent.sid).media(sid("ME")).fetch(),
    ),
    "Message Feedback": Resource(
        one=lambda s: s.sdk.messages(s.sent.sid).feedback.create(outcome="confirmed"), removed=False,
        lost=lambda s: s.sdk.messages(sid("SM")).feedback.create(outcome="confirmed"),
        bad=lambda s: s.sdk.messages(s.sent.sid).feedback.create(outcome="perhaps"),
    ),
    "IncomingPhoneNumbers": Resource(
        make=lambda s, n: s.sdk.incoming_phone_numbers.create(phone_number=f"+1555020000{n}"),
        rows=lambda s: s.sdk.incoming_phone_numbers, change={"sms_url": "http://127.0.0.1:9/sms"},
        lost=lambda s: s.sdk.incoming_phone_numbers(sid("PN")).fetch(),
        bad=lambda s: s.sdk.incoming_phone_numbers.create(phone_number=OURS),
    ),
    "IncomingPhoneNumbers by kind": Resource(
        one=lambda s: [_bought(getattr(s.sdk.incoming_phone_numbers, kind), f"+1555060000{n}")
                       for n, kind in enumerate(("local", "mobile", "toll_free"))],
        removed=False, bad=lambda s: s.sdk.incoming_phone_numbers.local.create(phone_number=OURS),
    ),
    "Messaging Services": Resource(
        make=lambda s, n: s.sdk.messaging.v1.services.create(friendly_name=str(n)),
        rows=lambda s: s.sdk.messaging.v1.services, change={"friendly_name": "changed"},
        lost=lambda s: s.sdk.messaging.v1.services(sid("MG")).fetch(),
        bad=lambda s: s.sdk.messaging.v1.services.create(friendly_name="x", validity_period=99999),
    ),
    "Messaging Service PhoneNumbers": Resource(
        make=lambda s, n: s.pool.phone_numbers.create(
            s.sdk.incoming_phone_numbers.create(phone_number=f"+1555030000{n}").sid
        ),
        rows=lambda s: s.pool.phone_numbers,
        lost=lambda s: s.pool.phone_numbers.create(sid("PN")),
        twice=lambda s: [s.pool.phone_numbers.create(s.sdk.incoming_phone_numbers.list()[0].sid) for _ in range(2)],
    ),
    "Messaging Service ChannelSenders": Resource(
        make=lambda s, n: s.pool.channel_senders.create(
            sid=s.sdk.messaging.v1.services("MG" + s.sdk.account_sid[2:]).channel_senders.list()[0].sid
        ),
        rows=lambda s: s.pool.channel_senders,
        lost=lambda s: s.pool.channel_senders(sid("XE")).fetch(),
    ),
    "Content": Resource(
        make=template, rows=lambda s: s.sdk.content.v1.contents,
        lost=lambda s: s.sdk.content.v1.contents(sid("HX")).fetch(),
        bad=lambda s: s.sdk.content.v1.contents.create(ContentList.ContentCreateRequest({"language": "en"})),
    ),
    "ContentAndApprovals": Resource(
        one=lambda s: [s.template, s.sdk.content.v1.content_and_approvals.list(page_size=2),
                       s.sdk.content.v2.content_and_approvals.list(), s.sdk.content.v2.contents.list()],
        removed=False,
    ),
    "Content ApprovalRequests": Resource(
        one=lambda s: [_approved(s), s.sdk.content.v1.contents(s.template.sid).approval_fetch().fetch()], removed=False,
        lost=lambda s: s.sdk.content.v1.contents(sid("HX")).approval_fetch().fetch(),
        bad=lambda s: _approved(s, "Not A Name"),
        twice=lambda s: [_approved(s), _approved(s)],
    ),
    "Typing v2": Resource(
        one=lambda s: s.sdk.messaging.v2.typing_indicator.create("whatsapp", s.text("x", channel="whatsapp")["sid"]),
        removed=False, lost=lambda s: s.sdk.messaging.v2.typing_indicator.create("whatsapp", sid("SM")),
        bad=lambda s: s.sdk.messaging.v2.typing_indicator.create("sms", sid("SM")),
    ),
    "Typing v3": Resource(
        one=lambda s: _typing_v3(s, channel="WHATSAPP", messageId=s.text("x", channel="whatsapp")["sid"]),
        removed=False, lost=lambda s: _typing_v3(s, channel="WHATSAPP", messageId=sid("SM")),
        bad=lambda s: _typing_v3(s, channel="FAX"),
    ),
    "Services": Resource(
        make=lambda s, n: s.v1.services.create(friendly_name=str(n)), rows=lambda s: s.v1.services,
        lost=lambda s: s.v1.services(sid("IS")).fetch(), bad=lambda s: s.v1.services.create(friendly_name=""),
    ),
    "Service Configuration": Resource(
        one=lambda s: [s.own.configuration().fetch(), s.own.configuration().update(reachability_enabled=True)],
        removed=False, lost=lambda s: s.own.configuration().update(default_conversation_role_sid=sid("RL")),
    ),
    "Service Notifications": Resource(
        one=lambda s: [s.own.configuration.notifications().fetch(),
                       s.own.configuration.notifications().update(log_enabled=True)],
        removed=False, lost=lambda s: s.v1.services(sid("IS")).configuration.notifications().fetch(),
    ),
    "Service Webhooks": Resource(
        one=lambda s: [s.own.configuration.webhooks().update(post_webhook_url="http://127.0.0.1:9/"),
                       s.own.configuration.webhooks().fetch()],
        removed=False, lost=lambda s: s.v1.services(sid("IS")).configuration.webhooks().fetch(),
        bad=lambda s: s.own.configuration.webhooks().update(method="PUT"),
    ),
    "Service Bindings": Resource(
        one=lambda s: s.own.bindings.list(), removed=False, lost=lambda s: s.own.bindings(sid("BS")).fetch(),
    ),
    "Configuration": Resource(
        one=lambda s: [s.v1.configuration().fetch(), s.v1.configuration().update(default_closed_timer="PT1H")],
        removed=False, lost=lambda s: s.v1.configuration().update(default_chat_service_sid=sid("IS")),
        bad=lambda s: s.v1.configuration().update(default_closed_timer="PT1S"),
    ),
    "Configuration Webhooks": Resource(
        one=lambda s: [s.v1.configuration.webhooks().update(filters=["onMessageAdded"]),
                       s.v1.configuration.webhooks().fetch()],
        removed=False, bad=lambda s: s.v1.configuration.webhooks().update(method="PUT"),
    ),
    "Configuration Addresses": Resource(
        make=lambda s, n: s.v1.address_configurations.create(type="sms", address=f"+1555040000{n}"),
        rows=lambda s: s.v1.address_configurations, change={"friendly_name": "changed"},
        lost=lambda s: s.v1.address_configurations(sid("IG")).fetch(),
        bad=lambda s: s.v1.address_configurations.create(type="fax", address=OURS),
        twice=lambda s: [s.v1.address_configurations.create(type="sms", address=OURS) for _ in range(2)],
    ),
    "Credentials": Resource(
        make=lambda s, n: s.v1.credentials.create(type="fcm", friendly_name=str(n)), rows=lambda s: s.v1.credentials,
        change={"friendly_name": "changed"}, lost=lambda s: s.v1.credentials(sid("CR")).fetch(),
        bad=lambda s: s.v1.credentials.create(type="pigeon"),
    ),
    **_in_service(lambda s: s.v1, "default"),
    **_in_service(lambda s: s.own, "in a service"),
}  # fmt: skip
"""Name -> resource."""


def _bought(kind: Any, number: str) -> None:
    assert kind.create(phone_number=number).sid in [row.sid for row in kind.list()]


def _on_its_way(stage: Stage) -> Any:
    """A message that is not complete, and so cannot be deleted yet."""
    return stage.sdk.messages.create(to="+15557650055", from_=OURS, body="x")
