"""What a person's phone may send, as `POST /_sim/inbound` takes it: checked, and made an Incoming."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.types import StringConstraints

from simulator import address, weburl
from simulator.arrivals import Incoming
from simulator.config import SimulatorConfig
from simulator.errors import ControlError
from simulator.sids import looks_like
from simulator.uploads import PATH as MEDIA_PATH

CHANNELS = ("sms", "whatsapp", "rcs", "messenger")
_MAX_BODY = 32 * 1024  # characters; https://www.twilio.com/docs/conversations/conversations-limits
_MAX_MEDIA = 10
_MAX_OTHERS = 8  # a group MMS has ten members: the sender, our number, and these
# What only some channels carry.
_CARRIED = {
    "button": ("whatsapp", "rcs", "messenger"),
    "location": ("whatsapp", "rcs", "messenger"),
    "referral": ("whatsapp",),
}
_BSUID = re.compile(r"(whatsapp:)?[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
_MAX_URL = 24 * 1024 * 1024  # characters: a file of 16 MB, WhatsApp's largest, as a data: URL


def _reachable(url: str) -> str:
    if url.lower().startswith(("http:", "https:")) and not weburl.is_web(url):
        raise ValueError("a URL with a host, and with a port up to 65535 if any, expected")
    return url


Url = Annotated[
    str,
    StringConstraints(pattern=rf"^([A-Za-z][A-Za-z0-9+.-]*:\S+|{MEDIA_PATH}ME[0-9a-f]{{32}})$", max_length=_MAX_URL),
    AfterValidator(_reachable),
]
Attach = Callable[[list[str], list[str]], list[dict[str, str]]]
"""URLs and their types, as far as they are known, to media of a message. Raises ValueError."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Button(_Strict):
    """A quick reply that the person tapped."""

    text: str = Field(min_length=1)
    payload: str = ""


class Location(_Strict):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    label: str = ""
    address: str = ""


class Media(_Strict):
    url: Url
    content_type: str = ""


class Referral(_Strict):
    """Where a click-to-WhatsApp advertisement led from."""

    body: str = ""
    headline: str = ""
    source_id: str = ""
    source_type: str = ""
    source_url: str = ""
    media_id: str = ""
    media_content_type: str = ""
    media_url: str = ""
    ctwa_clid: str = ""


class Text(_Strict):
    sender: str = Field("", alias="from")
    to: str = ""
    channel: Literal["", "sms", "whatsapp", "rcs", "messenger"] = ""
    body: str = Field("", max_length=_MAX_BODY)
    media: list[Url | Media] = Field(default_factory=list, max_length=_MAX_MEDIA)
    profile_name: str | None = None
    external_id: str = ""
    button: Button | None = None
    location: Location | None = None
    reply_to: str = ""
    others: list[str] = Field(default_factory=list, max_length=_MAX_OTHERS)
    referral: Referral | None = None


def read(fields: dict[str, Any], config: SimulatorConfig, attach: Attach) -> Incoming:
    """Raises ControlError that names the wrong field."""
    try:
        text = Text.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as problem:
        raise ControlError(*_first(problem)) from problem
    channel = text.channel or ("whatsapp" if text.external_id and not text.sender else address.channel(text.sender))
    if channel not in CHANNELS:
        raise ControlError("channel", f"one of {', '.join(CHANNELS)} expected")
    for name, channels in _CARRIED.items():
        if getattr(text, name) is not None and channel not in channels:
            raise ControlError(name, f"only by {', '.join(channels)}")
    if text.reply_to and not any(looks_like(prefix, text.reply_to) for prefix in ("SM", "MM")):
        raise ControlError("reply_to", "the SM or MM sid of a message expected")
    external = _external(text, channel)
    sender = _address("from", text.sender or external, channel)
    own = {
        "sms": config.phone_number,
        "whatsapp": config.whatsapp_number,
        "rcs": config.rcs_sender,
        "messenger": config.messenger_page,
    }
    if not (text.body or text.media or text.button or text.location):
        raise ControlError("body", "a text, media, button or location expected")
    given = [Media(url=item) if isinstance(item, str) else item for item in text.media]
    try:
        media = attach([item.url for item in given], [item.content_type for item in given])
    except ValueError as problem:
        raise ControlError("media", str(problem)) from problem
    return Incoming(
        sender=sender,
        recipient=_address("to", text.to or own[channel], channel),
        body=text.body or (text.button.text if text.button else ""),
        media=media,
        profile_name=text.profile_name or None,
        extras=_extras(text, external) | _others(text, channel, sender),
    )


def _external(text: Text, channel: str) -> str:
    """WhatsApp's id of a person, who may hide the phone number behind it."""
    if not text.external_id:
        return ""
    if channel != "whatsapp":
        raise ControlError("external_id", "only a person on WhatsApp has one")
    if not _BSUID.fullmatch(text.external_id):
        raise ControlError("external_id", "an id like US.1a2b3c expected")
    return address.on_channel("whatsapp", text.external_id)


def _extras(text: Text, external: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "button": text.button and text.button.model_dump(),
        "location": text.location and text.location.model_dump(),
        "referral": text.referral and text.referral.model_dump(),
        "reply_to": text.reply_to,
        "external_id": external,
    }
    return {name: value for name, value in found.items() if value}


def _others(text: Text, channel: str, sender: str) -> dict[str, list[str]]:
    """Who else is in the group that this was written to."""
    if not text.others:
        return {}
    if channel != "sms":
        raise ControlError("others", "only a group MMS has others")
    others = [_address("others", other, "sms") for other in text.others]
    if len({sender, *others}) <= len(others):
        raise ControlError("others", "each person once, the sender not among them")
    return {"others": others}


def _address(field: str, value: str, channel: str) -> str:
    value = address.normal(address.on_channel(channel, value))
    if not address.valid(value) or address.channel(value) != channel:
        raise ControlError(field, f"no valid {channel} address")
    return value


def _first(problem: ValidationError) -> tuple[str, str]:
    """The first wrong field, and what is wrong with it."""
    error = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    names = [str(part) for part in error["loc"] if not str(part)[:1].isupper() and "[" not in str(part)]
    field = names[0] if names[:1] == ["media"] else ".".join(names)
    return field or "body of the request", error["msg"]
