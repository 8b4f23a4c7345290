"""The table of Twilio's codes, held against what each class promises."""

from __future__ import annotations

import pytest

from messaging import errors
from messaging.errors import Category
from messaging.providers.twilio import error_table
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
    retryable = {entry.category for entry in ENTRIES.values() if entry.retryable}
    assert retryable == {Category.RATE, Category.RETRY, Category.CONFLICT}
    assert all(entry.ambiguous is (entry.category is Category.AMBIGUOUS) for entry in ENTRIES.values())


# What each category asks for, with the codes that Twilio documents for it.
CATEGORIES = {
    Category.RETRY: "30001 30003 30008 30017 30036 63009 63010 63012 63019 63037",
    Category.AMBIGUOUS: "20500 20503 20504 30410",
    Category.RATE: "14107 20429 21611 30022 30023 30027 50063 50074 63017 63018 63038",
    Category.PERMANENT: (
        "21211 21214 21266 21602 21604 21612 21614 21617 21620 21623 21654 21655 21656 21658 30005 30006 30010 30011 "
        "30019 30038 50407 50408 50409 50410 50411 50412 50504 50511 50512 50526 50527 50528 50529 63003 63005 63006 "
        "63021 63024 63027 63028 63029 63030 63031 63034 63036 63040 63041 63042"
    ),
    Category.BLOCKED: (
        "21408 21610 30004 30007 30018 30024 30032 30033 30034 30035 30450 63013 63014 63026 63032 63033 63049 63062"
    ),
    Category.WINDOW: "63015 63016",
    Category.CONFIG: (
        "20003 20004 20005 20006 21212 21601 21603 21605 21606 21609 21659 21660 21664 21665 21666 21667 21702 21703 "
        "21705 21712 30002 30124 35114 35115 35117 50373 50385 50413 50414 50415 50452 63001 63002 63007 63008 63020 "
        "63022 63035 63051"
    ),
    Category.CONFLICT: "20409 50213 50353 50391 50416 50419 50433 50438 50449",
    Category.NOT_FOUND: "20404 50200 50300 50350 50402 50432 50500",
    Category.CLOSED: "50377",
    Category.LIMIT: "50208 50214 50303 50310 50361 50362 50403 50417 50418 50422 50436",
}


@pytest.mark.parametrize(("category", "codes"), CATEGORIES.items())
def test_every_code_has_the_category_that_says_what_to_do(category, codes):
    for code in map(int, codes.split()):
        assert translate(status=400, code=code, writes=True).category is category
        assert error_table.category(code) is category


@pytest.mark.parametrize(
    ("status", "code", "category"),
    [
        (401, None, Category.CONFIG),
        (404, None, Category.NOT_FOUND),
        (429, None, Category.RATE),
        (400, 99999, Category.PERMANENT),
        (502, None, Category.AMBIGUOUS),
        (503, 63016, Category.AMBIGUOUS),  # a known code does not tell what a failing server did
    ],
)
def test_without_a_known_code_the_status_says_the_category(status, code, category):
    assert translate(status=status, code=code, writes=True).category is category


def test_a_report_of_no_failure_has_no_category_and_one_of_an_unknown_has():
    assert error_table.category(None) is None
    assert error_table.category(12345) is Category.UNKNOWN


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (errors.NetworkError("why", ambiguous=True), Category.AMBIGUOUS),
        (errors.NetworkError("why", retryable=True), Category.RETRY),
        (errors.RateLimit("why", retryable=True), Category.RATE),
        (errors.InvalidConfig("why"), Category.CONFIG),
        (errors.InternalError("why"), Category.UNKNOWN),
        (errors.ConversationClosed("why"), Category.CLOSED),
    ],
)
def test_an_error_without_a_code_has_the_category_of_its_class_and_outcome(error, category):
    assert error.category is category
