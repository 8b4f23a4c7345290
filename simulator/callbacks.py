"""The form fields of messaging webhooks, in Twilio's spelling.

Inbound: https://www.twilio.com/docs/messaging/guides/webhook-request
Status: https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

import mimetypes
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from simulator import address
from simulator.records import Message
from simulator.sids import Sids
from simulator.views import Urls
from simulator.webhooks import Params

API_VERSION = "2010-04-01"


def inbound(account: str, message: Message, urls: Urls) -> Params:
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
    for n, media in enumerate(message.media):
        fields[f"MediaContentType{n}"] = media["content_type"]
        fields[f"MediaUrl{n}"] = urls.media(message.sid, media["sid"])
    if message.channel == "whatsapp":
        fields |= _whatsapp(message)
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


def media(sids: Sids, urls: Iterable[str]) -> list[dict[str, str]]:
    """Media records for source URLs; the type is guessed by the name, as nothing is downloaded."""
    return [
        {
            "sid": sids.new("ME"),
            "url": url,
            "content_type": mimetypes.guess_type(urlsplit(url).path)[0] or "application/octet-stream",
        }
        for url in urls
    ]


def _whatsapp(message: Message) -> dict[str, str]:
    value = address.bare(message.sender)
    fields = {"MessageType": "text", "ProfileName": message.profile_name or ""}
    if message.media:
        fields["MessageType"] = message.media[0]["content_type"].partition("/")[0]
    if value.startswith("+"):
        fields["WaId"] = value[1:]
    else:
        fields["ExternalUserId"] = message.sender
    return fields
