"""The table of Twilio's codes, held against what each class promises."""

from __future__ import annotations

import pytest

from messaging import errors
from messaging.providers.twilio.error_codes import ENTRIES
from messaging.providers.twilio.error_table import translate


@pytest.mark.parametrize("code", ENTRIES)
def test_no_code_is_both_retryable_and_ambiguous(code):
    entry = ENTRIES[code]
    assert not (entry.retryable and entry.ambiguous)
    assert entry.title


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (20003, errors.AuthenticationError),
        (20429, errors.RateLimit),
        (50063, errors.RateLimit),
        (63038, errors.QuotaExceeded),
        (21610, errors.RecipientBlocked),
        (30034, errors.RecipientBlocked),
        (63016, errors.WindowClosed),
        (21617, errors.InvalidMessage),
        (21606, errors.MessageFailed),
        (50350, errors.ConversationNotFound),
        (50432, errors.ParticipantNotFound),
        (50377, errors.ConversationClosed),
        (50353, errors.InvalidConversation),
        (50416, errors.InvalidParticipant),
        (63010, errors.ChannelFailed),
    ],
)
def test_codes_that_decide_what_happens_next(code, kind):
    made = translate(status=400, code=code, writes=True)
    assert type(made) is kind
    assert made.provider_code == code


def test_only_what_was_certainly_not_taken_is_retryable():
    retryable = {code for code, entry in ENTRIES.items() if entry.retryable}
    allowed = (errors.RateLimit, errors.ConversationFailed, errors.ChannelFailed)
    assert all(issubclass(ENTRIES[code].kind, allowed) for code in retryable)
