"""How conversations behave: the settings that travel with each text as `workflows.policy.Rules`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from messaging.model import Channel
from workflows import consent, media, quiet
from workflows.policy import ConsentScope, MessageClass, Rules, Stale, TurnPolicy

_DAY = 86400
_YEAR = 365 * _DAY

# The turn policy of the channels that are not named.
ELSE = ""


def _by_channel(value: Any) -> Any:
    """Read "coalesce", "sms=coalesce,whatsapp=interrupt", or a mix of both."""
    if not isinstance(value, str):
        return value
    found: dict[str, TurnPolicy] = {ELSE: TurnPolicy.COALESCE}
    for part in value.split(","):
        channel, equals, policy = part.rpartition("=")
        try:
            found[Channel(channel.strip()).value if equals else ELSE] = TurnPolicy(policy.strip())
        except ValueError:
            raise ValueError(
                f"must be {_either(TurnPolicy)}, or by channel as in sms=coalesce,whatsapp=interrupt; the channels are "
                f"{', '.join(channel.value for channel in Channel if channel is not Channel.UNKNOWN)}"
            ) from None
    return found


def _either(names: type[TurnPolicy]) -> str:
    *most, last = [name.value for name in names]
    return f"{', '.join(most)} or {last}"


def _listed(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _words(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in value)


def _spelled(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(consent.spelled(word) for word in value)


def _kinds(value: tuple[str, ...]) -> tuple[str, ...]:
    if set(value) - set(media.KINDS):
        raise ValueError(f"must be some of {', '.join(media.KINDS)}, by comma")
    return value


def _quiet(value: str) -> str:
    quiet.parse(value)
    return value


def _import_path(value: str) -> str:
    module, colon, name = value.partition(":")
    if not (module and colon and name):
        raise ValueError("must be an import path of the form module:name")
    return value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
ImportPath = Annotated[str, AfterValidator(_import_path)]
Seconds = Annotated[float, Field(ge=0, le=_YEAR)]
Said = Annotated[str, Field(min_length=1, max_length=1_600)]


class Conduct(BaseSettings):
    """Names are those of the environment variables, in lower case. Where 0 turns something off, it says so in Rules."""

    messaging_turn_policy: Annotated[Mapping[str, TurnPolicy], NoDecode, BeforeValidator(_by_channel)] = {
        ELSE: TurnPolicy.COALESCE
    }
    messaging_coalesce_quiet: Annotated[float, Field(ge=0, le=300)] = 0.0
    messaging_coalesce_longest: Annotated[float, Field(ge=0, le=3600)] = 30.0
    messaging_coalesce_most: Annotated[int, Field(ge=1, le=20)] = 20
    messaging_reject_text: Said = Rules().reject_text
    messaging_idle_close: Annotated[float, Field(ge=1, le=_YEAR)] = float(_DAY)
    messaging_inactive_after: Seconds = 0.0
    messaging_stale_after: Seconds = 3600.0
    messaging_stale: Stale = Stale.APOLOGISE
    messaging_sends_per_hour: Annotated[int, Field(ge=0, le=1_000)] = 500
    messaging_loop_turns: Annotated[int, Field(ge=0, le=1_000)] = 100
    messaging_sms_segments: Annotated[int, Field(ge=0, le=24)] = 10
    messaging_never_lost: Annotated[tuple[MessageClass, ...], NoDecode, BeforeValidator(_listed)] = ()
    messaging_consent: ConsentScope = ConsentScope.CONVERSATION
    messaging_stop_words: Annotated[Listed, AfterValidator(_spelled)] = ()
    messaging_start_words: Annotated[Listed, AfterValidator(_spelled)] = ()
    messaging_help_words: Annotated[Listed, AfterValidator(_spelled)] = ()
    messaging_whatsapp_template: Annotated[str, Field(pattern="^HX[0-9a-fA-F]{32}$")] | None = None
    messaging_whatsapp_template_variables: Mapping[str, str] = {}
    messaging_quiet_hours: Annotated[str, AfterValidator(_quiet)] | None = None
    messaging_time_zone: Annotated[str, AfterValidator(quiet.check_zone)] = "UTC"
    messaging_nudge_after: Seconds = 0.0
    messaging_nudge_text: Said = Rules().nudge_text
    messaging_sla: Seconds = 900.0
    messaging_handoff_words: Annotated[Listed, AfterValidator(_words)] = ()
    messaging_media: Annotated[Listed, AfterValidator(_kinds)] = Rules().media
    messaging_transcriber: ImportPath | None = None

    def conduct(self) -> Rules:
        """The rules of all channels, but for the turn policy of those that have one of their own."""
        return Rules(
            turn_policy=self.messaging_turn_policy.get(ELSE, TurnPolicy.COALESCE),
            idle_close=self.messaging_idle_close,
            inactive_after=self.messaging_inactive_after,
            quiet_period=self.messaging_coalesce_quiet,
            longest_wait=self.messaging_coalesce_longest,
            most_texts=self.messaging_coalesce_most,
            reject_text=self.messaging_reject_text,
            stale_after=self.messaging_stale_after,
            stale=self.messaging_stale,
            sends_per_hour=self.messaging_sends_per_hour,
            loop_turns=self.messaging_loop_turns,
            never_lost=self.messaging_never_lost,
            sms_segments=self.messaging_sms_segments,
            consent=self.messaging_consent,
            stop_words=self.messaging_stop_words,
            start_words=self.messaging_start_words,
            help_words=self.messaging_help_words,
            template=self.messaging_whatsapp_template or "",
            template_variables=self.messaging_whatsapp_template_variables,
            quiet_hours=self.messaging_quiet_hours or "",
            time_zone=self.messaging_time_zone,
            nudge_after=self.messaging_nudge_after,
            nudge_text=self.messaging_nudge_text,
            sla=self.messaging_sla,
            handoff_words=self.messaging_handoff_words,
            media=self.messaging_media,
            transcribe=bool(self.messaging_transcriber),
        )

    def turn_policies(self) -> Mapping[str, TurnPolicy]:
        """The turn policies of the channels that have one of their own."""
        return {channel: policy for channel, policy in self.messaging_turn_policy.items() if channel != ELSE}
