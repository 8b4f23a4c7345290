"""The form fields of messaging webhooks, in Twilio's spelling.

Inbound: https://www.twilio.com/docs/messaging/guides/webhook-request
Status: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

import json
import mimetypes
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import zip_longest
from urllib.parse import urlsplit

from simulator import address
from simulator.records import Message
from simulator.sids import Sids
from simulator.signature import Params
from simulator.views import Urls

API_VERSION = "2010-04-01"
_QUOTABLE = 7 * 24 * 3600  # seconds; an older original is not named
_REFERRAL = {
    "body": "ReferralBody",
    "headline": "ReferralHeadline",
    "source_id": "ReferralSourceId",
    "source_type": "ReferralSourceType",
    "source_url": "ReferralSourceUrl",
    "media_id": "ReferralMediaId",
    "media_content_type": "ReferralMediaContentType",
    "media_url": "ReferralMediaUrl",
    "ctwa_clid": "ReferralCtwaClid",
}


def inbound(account: str, message: Message, urls: Urls, quoted: Message | None = None) -> Params:
    """`quoted`: the message that this one replies to."""
    fields = {
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsMessageSid": message.sid,
        "AccountSid": account,
        "From": message.sender,
        "To": message.recipient,
        "Body": message.body,
        "NumMedia": str(len(message.media)),
        "NumSegments": str(message.num_segments),
        "SmsStatus": "received",
        "ApiVersion": API_VERSION,
    }
    if message.messaging_service_sid:
        fields["MessagingServiceSid"] = message.messaging_service_sid
    for n, media in enumerate(message.media):
        fields[f"MediaContentType{n}"] = media["content_type"]
        fields[f"MediaUrl{n}"] = urls.media(message.sid, media["sid"])
    if message.channel == "whatsapp":
        fields |= _whatsapp(message)
    fields |= _brought(message, quoted)
    return tuple(fields.items())


def status(account: str, message: Message) -> Params:
    fields = {
        "AccountSid": account,
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": message.status,
        "SmsStatus": message.status,
        "From": message.sender,
        "To": message.recipient,
        "ApiVersion": API_VERSION,
    }
    if message.messaging_service_sid:
        fields["MessagingServiceSid"] = message.messaging_service_sid
    if message.error_code is not None:
        fields["ErrorCode"] = str(message.error_code)
        fields["ErrorMessage"] = message.error_message or ""
    if message.channel == "sms" and message.status in {"delivered", "undelivered"}:
        fields["RawDlrDoneDate"] = datetime.fromtimestamp(message.updated, UTC).strftime("%y%m%d%H%M")
    if message.channel == "whatsapp":
        fields["ChannelPrefix"] = "whatsapp"
        fields["ChannelToAddress"] = message.recipient
        if message.status == "read":
            fields["EventType"] = "READ"
    return tuple(fields.items())


def media(sids: Sids, urls: Iterable[str], kinds: Iterable[str] = ()) -> list[dict[str, str]]:
    """Media records for source URLs; a type that is not given is guessed by the name, as nothing is downloaded."""
    return [
        {
            "sid": sids.new("ME"),
            "url": url,
            "content_type": kind or mimetypes.guess_type(urlsplit(url).path)[0] or "application/octet-stream",
        }
        for url, kind in zip_longest(urls, kinds, fillvalue="")
    ]


def _whatsapp(message: Message) -> dict[str, str]:
    value = address.bare(message.sender)
    context = {"ProfileName": message.profile_name or ""} | ({"WaId": value[1:]} if value.startswith("+") else {})
    fields = {"MessageType": "text", **context}
    if message.media:
        fields["MessageType"] = message.media[0]["content_type"].partition("/")[0]
    if external := message.extras.get("external_id") or ("" if value.startswith("+") else message.sender):
        fields["ExternalUserId"] = context["ExternalUserId"] = external
    fields["ChannelMetadata"] = json.dumps({"type": "whatsapp", "data": {"context": context}}, separators=(",", ":"))
    return fields


def _brought(message: Message, quoted: Message | None) -> dict[str, str]:
    """What came with the text: a tapped button, a place, what it replies to, the advertisement it began with."""
    fields: dict[str, str] = {}
    extras = message.extras
    typed = message.channel == "whatsapp"
    if button := extras.get("button"):
        fields |= {"ButtonText": button["text"], "ButtonPayload": button["payload"], "ButtonType": "REPLY"}
        fields |= {"MessageType": "button"} if typed else {}
    if place := extras.get("location"):
        fields |= {name.capitalize(): str(value) for name, value in place.items() if value != ""}
        fields |= {"MessageType": "location"} if typed else {}
    if quoted is not None and message.created - quoted.created <= _QUOTABLE:
        fields |= {"OriginalRepliedMessageSid": quoted.sid, "OriginalRepliedMessageSender": quoted.sender}
    fields |= {f"OtherRecipients{n}": other for n, other in enumerate(extras.get("others", ()))}
    if referral := extras.get("referral"):
        fields |= {_REFERRAL[name]: value for name, value in referral.items() if value}
        fields["ReferralNumMedia"] = "1" if referral["media_url"] else "0"
    return fields
