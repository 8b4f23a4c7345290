"""Which texts are a word of consent, by channel and by whether the person has opted out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from messaging.model import Channel, OptOut
from workflows import consent
from workflows.inbox import Inbound
from workflows.policy import Rules


def _text(body: str, *, opt_out: str | None = None) -> Inbound:
    return Inbound(key="k", sid="SM1", text=body, at=datetime(2026, 1, 1, tzinfo=UTC), opt_out=opt_out)


STOPS_ANYWHERE = ("STOP", "STOPALL", "UNSUBSCRIBE", "OPTOUT")
STOPS_ON_SMS = ("CANCEL", "END", "QUIT", "REVOKE", "ARRET", "arrêt", "Arrête", "ARRETT")


@pytest.mark.parametrize("word", [*STOPS_ANYWHERE, "stop", "Stop", " stop\n", "uNsUbScRiBe"])
@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("opted_out", [False, True])
def test_a_word_to_stop_stops_on_every_channel(word: str, channel: Channel, opted_out: bool) -> None:
    assert consent.keyword(_text(word), channel=channel.value, opted_out=opted_out) is OptOut.STOP


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    ("word", "meaning"),
    [*((word, OptOut.STOP) for word in STOPS_ON_SMS), ("HELP", OptOut.HELP), ("info", OptOut.HELP)],
)
def test_words_that_only_carriers_listen_for_mean_something_only_there(
    word: str, meaning: OptOut, channel: Channel
) -> None:
    carried = channel in {Channel.SMS, Channel.MMS, Channel.RCS}
    found = consent.keyword(_text(word), channel=channel.value, opted_out=False)
    assert found is (meaning if carried else None)


@pytest.mark.parametrize(
    ("word", "channel", "opted_out", "meaning"),
    [
        ("START", Channel.SMS, True, OptOut.START),
        ("unstop", Channel.SMS, True, OptOut.START),
        ("Yes", Channel.SMS, True, OptOut.START),
        ("Yes", Channel.SMS, False, None),
        ("START", Channel.SMS, False, None),
        ("START", Channel.WHATSAPP, True, OptOut.START),
        ("yes", Channel.WHATSAPP, True, None),
        ("yes", Channel.WHATSAPP, False, None),
    ],
)
def test_a_word_to_start_is_one_only_from_who_has_opted_out(
    word: str, channel: Channel, opted_out: bool, meaning: OptOut | None
) -> None:
    assert consent.keyword(_text(word), channel=channel.value, opted_out=opted_out) is meaning


@pytest.mark.parametrize("body", ["", "please stop", "stop it", "STOP STOP", "S TOP", "don't cancel", "start over"])
@pytest.mark.parametrize("opted_out", [False, True])
def test_a_word_counts_only_as_the_whole_text(body: str, opted_out: bool) -> None:
    assert consent.keyword(_text(body), channel="sms", opted_out=opted_out) is None


@pytest.mark.parametrize("word", list(OptOut))
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_the_providers_word_counts_whatever_the_text_is(word: OptOut, channel: Channel) -> None:
    assert consent.keyword(_text("arrêt", opt_out=word.value), channel=channel.value, opted_out=False) is word


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
@pytest.mark.parametrize(
    ("typed", "opted_out", "meaning"),
    [
        ("baja", False, OptOut.STOP),
        (" Até logo ", False, OptOut.STOP),
        ("alta", True, OptOut.START),
        ("alta", False, None),
        ("ayuda", False, OptOut.HELP),
        ("baja por favor", False, None),
    ],
)
def test_a_deployments_own_words_count_in_any_case_and_with_or_without_accents(
    typed: str, opted_out: bool, meaning: OptOut | None, channel: Channel
) -> None:
    rules = Rules(stop_words=("BAJA", "ATE LOGO"), start_words=("ALTA",), help_words=("AYUDA",))
    text = replace(_text(typed), rules=rules)
    assert consent.keyword(text, channel=channel.value, opted_out=opted_out) is meaning
