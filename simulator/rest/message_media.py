"""Media and feedback of a message. https://www.twilio.com/docs/messaging/api/media-resource"""

from typing import Any

from simulator.clock import rfc2822
from simulator.errors import TwilioError, not_found
from simulator.records import Message
from simulator.rest import messages, paging
from simulator.rest.call import GONE, Call, Reply

_OUTCOMES = ("confirmed", "unconfirmed")


class _Row:
    """One of a message's media, as a row that can be paged."""

    def __init__(self, media: dict[str, str]) -> None:
        self.sid = media["sid"]
        self.media = media


def listing(call: Call) -> Reply:
    message = messages.find(call)
    rows = [_Row(media) for media in message.media]
    return paging.v2010(call, "media_list", rows, lambda row: _show(call, message, row.media))


def fetch(call: Call) -> Reply:
    """With `.json` the description; without, a redirect to the bytes, as Twilio redirects to its storage."""
    message = messages.find(call)
    media = _find(call, message)
    if call.ids[2].endswith(".json"):
        return Reply(body=_show(call, message, media))
    location = media["url"]
    if call.world.store.uploads.get(media["sid"]) is not None:
        location = call.world.urls.of("media") + call.world.uploads.link(media["sid"])
    return Reply(status=307, headers={"Location": location})


def delete(call: Call) -> Reply:
    message = messages.find(call)
    media = _find(call, message)
    call.world.store.messages.change(message, media=[item for item in message.media if item is not media])
    return GONE


def feedback(call: Call) -> Reply:
    message, outcome, now = messages.find(call), call.text("Outcome") or "confirmed", call.world.clock.now()
    if outcome not in _OUTCOMES:
        raise TwilioError(20001, f"Invalid Outcome parameter: one of {', '.join(_OUTCOMES)} expected")
    call.world.store.messages.change(message, feedback=outcome)
    return Reply(
        body={
            "account_sid": call.world.config.account_sid,
            "message_sid": message.sid,
            "outcome": outcome,
            "date_created": rfc2822(now),
            "date_updated": rfc2822(now),
            "uri": f"{messages.uri(call, message)}/Feedback.json",
        }
    )


def _find(call: Call, message: Message) -> dict[str, str]:
    name = call.ids[2].partition(".")[0]
    media = next((media for media in message.media if media["sid"] == name), None)
    if media is None:
        raise not_found(call.path)
    return media


def _show(call: Call, message: Message, media: dict[str, str]) -> dict[str, Any]:
    return {
        "account_sid": call.world.config.account_sid,
        "content_type": media["content_type"],
        "date_created": rfc2822(message.created),
        "date_updated": rfc2822(message.updated),
        "parent_sid": message.sid,
        "sid": media["sid"],
        "uri": f"{messages.uri(call, message)}/Media/{media['sid']}.json",
    }
