"""What a log shows of an exception."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from messaging.errors import RateLimit
from runtime.places import without_words


def _fails() -> None:
    try:
        int("my card is 4111")
    except ValueError as cause:
        raise ApplicationError("the agent raised an error that it did not classify", type="ValueError") from cause


def _logged(error: BaseException) -> str:
    return str(without_words(None, "error", {"event": "failed", "exc_info": error})["exception"])


def test_kinds_and_places_are_logged_and_the_words_of_a_person_are_not() -> None:
    try:
        _fails()
    except ApplicationError as error:
        logged = _logged(error)

    assert "4111" not in logged
    assert "ValueError" in logged
    assert "in _fails" in logged
    assert "did not classify" in logged


def test_the_words_of_a_user_s_own_application_error_are_not_logged() -> None:
    outer = ApplicationError("the agent raised an error that it did not classify")
    outer.__cause__ = ApplicationError("cannot parse: my card is 4111")

    assert "4111" not in _logged(outer)


def test_our_own_errors_keep_their_sentence() -> None:
    assert "slow down" in _logged(RateLimit("slow down"))


def test_an_event_without_an_exception_stays_as_it_is() -> None:
    assert without_words(None, "info", {"event": "up"}) == {"event": "up"}
