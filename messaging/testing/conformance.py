"""What every provider must do, as tests. Subclass it, give it a backend, and pytest runs the rest.

    class TestMine(BackendConformance):
        @pytest.fixture
        def backend(self):
            return MyBackend(new_config("mine", ...))

`backend` is a fixture that returns one that is not started yet; the suite starts and stops it. The other hooks
(`messaging.testing.hooks`) have defaults that suit a provider with conversations of its own.
"""

# ruff: noqa: S101 - assertions are what this is for, and the names of tests say what they hold

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
import pytest_asyncio

from messaging import errors
from messaging.backend import ConversationalBackend
from messaging.model import (
    ConversationConfig,
    ConversationState,
    Health,
    Media,
    Message,
    Participant,
    SendOutcome,
)
from messaging.testing.hooks import ConformanceHooks

Given = TypeVar("Given")

# How long a message of others may take to come out of `receive_messages`; a hang, not a performance, ends here.
_PATIENCE = 20.0


class BackendConformance(ConformanceHooks):
    """The suite."""

    # Life cycle.

    @pytest_asyncio.fixture
    async def running(self, backend: ConversationalBackend) -> AsyncIterator[ConversationalBackend]:
        async with backend:
            yield backend

    @pytest.mark.asyncio
    async def test_calls_before_start_are_refused(self, backend: ConversationalBackend) -> None:
        for call in _calls(backend, self.missing_sid()):
            with pytest.raises(errors.NotStarted):
                await call()
        await backend.stop()

    @pytest.mark.asyncio
    async def test_calls_after_stop_are_refused(self, backend: ConversationalBackend) -> None:
        await backend.start()
        await backend.stop()
        for call in _calls(backend, self.missing_sid()):
            with pytest.raises(errors.ShutdownError):
                await call()

    @pytest.mark.asyncio
    async def test_stopping_twice_is_stopping_once(self, backend: ConversationalBackend) -> None:
        await backend.start()
        await backend.stop()
        await backend.stop()

    @pytest.mark.asyncio
    async def test_starting_twice_is_starting_once(self, backend: ConversationalBackend) -> None:
        await asyncio.gather(backend.start(), backend.start())
        await backend.start()
        assert (await backend.health_check()).status is Health.HEALTHY
        await backend.stop()

    @pytest.mark.asyncio
    async def test_what_was_stopped_does_not_start_again(self, backend: ConversationalBackend) -> None:
        await backend.start()
        await backend.stop()
        with pytest.raises(errors.ShutdownError):
            await backend.start()

    @pytest.mark.asyncio
    async def test_a_stop_wins_over_a_start_that_is_on_its_way(self, backend: ConversationalBackend) -> None:
        starting = asyncio.ensure_future(backend.start())
        await asyncio.sleep(0)
        await backend.stop()
        await asyncio.gather(starting, return_exceptions=True)
        with pytest.raises(errors.ShutdownError):
            await backend.send_message(self.missing_sid(), Message(body="hello"))
        assert (await backend.health_check()).status is Health.UNHEALTHY

    @pytest.mark.asyncio
    async def test_a_running_backend_is_healthy(self, running: ConversationalBackend) -> None:
        assert (await running.health_check()).status is Health.HEALTHY

    @pytest.mark.asyncio
    async def test_the_health_of_one_that_does_not_run_is_told_not_raised(self, backend: ConversationalBackend) -> None:
        assert (await backend.health_check()).status is Health.UNHEALTHY
        await backend.stop()

    @pytest.mark.asyncio
    async def test_no_secret_is_shown(self, running: ConversationalBackend) -> None:
        shown = repr(running.get_config()) + running.get_config().model_dump_json() + repr(running)
        assert not [secret for secret in self.secrets() if secret in shown]

    # Conversations.

    @pytest.mark.asyncio
    async def test_a_unique_name_makes_one_conversation(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        name = f"conformance-{uuid.uuid4().hex}"
        config = ConversationConfig(unique_name=name, friendly_name="Ada & Bo", attributes={"topic": "a"})
        first = await running.create_conversation(config)
        second = await running.create_conversation(config)
        assert first.sid == second.sid
        assert second.attributes == {"topic": "a"}
        found = await running.get_conversation(first.sid)
        assert (found.unique_name, found.friendly_name) == (name, "Ada & Bo")

    @pytest.mark.asyncio
    async def test_a_conversation_is_found_by_its_sid(self, running: ConversationalBackend) -> None:
        sid = await self.open_sid(running)
        found = await running.get_conversation(sid)
        assert (found.sid, found.state) == (sid, ConversationState.ACTIVE)
        if running.capabilities.conversations:  # what it says is never what it said before
            await running.close_conversation(sid)
            assert (await running.get_conversation(sid)).state is ConversationState.CLOSED

    @pytest.mark.asyncio
    async def test_a_missing_conversation_is_not_found(self, running: ConversationalBackend) -> None:
        with pytest.raises(errors.ConversationNotFound):
            await running.get_conversation(self.missing_sid())
        with pytest.raises(errors.ConversationNotFound):
            await running.send_message(self.missing_sid(), Message(body="hello"))
        with pytest.raises(errors.ConversationNotFound):
            await running.close_conversation(self.missing_sid())
        with pytest.raises(errors.ConversationNotFound):
            await running.find_message(self.missing_sid(), "turn-1")
        with pytest.raises(errors.ConversationNotFound):
            await anext(running.receive_messages(self.missing_sid()))
        if running.capabilities.participants:
            with pytest.raises(errors.ConversationNotFound):
                await running.add_participant(self.missing_sid(), Participant(identity="ada"))
            with pytest.raises(errors.ConversationNotFound):
                await running.remove_participant(self.missing_sid(), "MB" + "0" * 32)

    @pytest.mark.asyncio
    async def test_a_conversation_that_only_looks_like_one_is_not_found(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        sid = await self.open_sid(running)
        for other in (_neighbour(sid), sid[:-1], sid + "0", ""):
            with pytest.raises(errors.ConversationNotFound):
                await running.get_conversation(other)
            with pytest.raises(errors.ConversationNotFound):
                await running.send_message(other, Message(body="hello"), key="turn-1")

    @pytest.mark.asyncio
    async def test_pages_hold_everything_once(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        made = {await self.open_sid(running) for _ in range(5)}
        listed: list[str] = []
        cursor = None
        for _ in range(50):
            page = await running.list_conversations(limit=2, cursor=cursor)
            listed += [conversation.sid for conversation in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert made <= set(listed)
        assert len(listed) == len(set(listed))

    @pytest.mark.asyncio
    async def test_a_list_by_state_holds_no_other(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        active, closed = await self.open_sid(running), await self.open_sid(running)
        await running.close_conversation(closed)
        for state, inside, outside in (
            (ConversationState.ACTIVE, active, closed),
            (ConversationState.CLOSED, closed, active),
        ):
            listed = await running.list_conversations(state=state, limit=100)
            assert {conversation.state for conversation in listed.items} == {state}
            sids = {conversation.sid for conversation in listed.items}
            assert inside in sids
            assert outside not in sids

    @pytest.mark.asyncio
    async def test_attributes_come_back_as_they_went(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        attributes = {"topic": "bikes", "nested": {"n": 1, "none": None}, "list": ["é", "\N{BICYCLE}"]}
        made = await running.create_conversation(ConversationConfig(attributes=attributes))
        assert (await running.get_conversation(made.sid)).attributes == attributes

    @pytest.mark.asyncio
    async def test_an_impossible_page_is_refused(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        for options in ({"limit": 0}, {"cursor": "\n"}):
            with pytest.raises(errors.InvalidInput):
                await running.list_conversations(**options)

    @pytest.mark.asyncio
    async def test_a_closed_conversation_stays_closed_and_takes_nothing(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        sid = await self.open_sid(running)
        await running.close_conversation(sid)
        await running.close_conversation(sid)
        assert (await running.get_conversation(sid)).state is ConversationState.CLOSED
        with pytest.raises(errors.ConversationClosed):
            await running.send_message(sid, Message(body="hello"))

    # Messages.

    @pytest.mark.asyncio
    async def test_a_sent_message_is_confirmed_by_its_key(self, running: ConversationalBackend) -> None:
        sid, since, message = await self.open_sid(running), datetime.now(UTC), Message(body="a look at the sky")
        sent = await running.send_message(sid, message, key="turn-1")
        assert sent.sid
        assert sent.body == message.body
        proof = await running.find_message(sid, "turn-1", message=message, since=since)
        assert proof.outcome is SendOutcome.CONFIRMED
        assert proof.message is not None
        assert (proof.message.sid, proof.message.body) == (sent.sid, message.body)

    @pytest.mark.asyncio
    async def test_what_was_never_sent_is_not_confirmed(self, running: ConversationalBackend) -> None:
        sid, since, message = await self.open_sid(running), datetime.now(UTC), Message(body="a look at the sea")
        await running.send_message(sid, Message(body="something else"), key="turn-1")
        long_ago = since - timedelta(minutes=10)
        proof = await running.find_message(sid, "turn-2", message=message, since=long_ago)
        allowed = {SendOutcome.ABSENT} if running.capabilities.proves_absence else set(SendOutcome)
        assert proof.outcome in allowed - {SendOutcome.CONFIRMED}

    @pytest.mark.asyncio
    async def test_equal_texts_of_two_turns_are_two_sends(self, running: ConversationalBackend) -> None:
        sid, since, message = await self.open_sid(running), datetime.now(UTC), Message(body="ok")
        first = await running.send_message(sid, message, key="turn-1")
        proof = await running.find_message(sid, "turn-2", message=message, since=since, known={first.sid})
        assert proof.outcome is not SendOutcome.CONFIRMED
        second = await running.send_message(sid, message, key="turn-2")
        proof = await running.find_message(sid, "turn-2", message=message, since=since, known={first.sid})
        assert proof.message is not None
        assert proof.message.sid == second.sid

    @pytest.mark.asyncio
    async def test_an_impossible_message_is_refused(self, running: ConversationalBackend) -> None:
        sid = await self.open_sid(running)
        for body in ("", "x" * (running.capabilities.max_body + 1)):
            with pytest.raises(errors.InvalidMessage):
                await running.send_message(sid, Message(body=body))

    @pytest.mark.asyncio
    async def test_a_picture_goes_out_and_is_found_again(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.outbound_media)
        sid, since = await self.open_sid(running), datetime.now(UTC)
        for key, body in (("turn-1", "a picture of the sky"), ("turn-2", "")):
            message = Message(body=body, media=(self.to_attach(running),))
            sent = await running.send_message(sid, message, key=key)
            assert sent.sid
            proof = await running.find_message(sid, key, message=message, since=since)
            assert proof.outcome is SendOutcome.CONFIRMED

    @pytest.mark.asyncio
    async def test_more_pictures_than_fit_are_refused(self, running: ConversationalBackend) -> None:
        sid, capabilities = await self.open_sid(running), running.capabilities
        most = capabilities.max_media if capabilities.outbound_media else 0
        with pytest.raises((errors.InvalidMessage, errors.UnsupportedProvider)):
            await running.send_message(sid, Message(body="look", media=(self.to_attach(running),) * (most + 1)))

    @pytest.mark.asyncio
    async def test_messages_of_others_are_received(self, running: ConversationalBackend) -> None:
        sid = await self.open_sid(running)
        await self.write_as_person(running, sid, "before anybody listened")
        await asyncio.sleep(self.tick())
        stream = running.receive_messages(sid)
        waiting = asyncio.ensure_future(anext(stream))
        try:
            await asyncio.sleep(0.2)  # let it find out where it starts
            for author in ("", "Bo, who is one of us"):
                await running.send_message(sid, Message(body="ours", author=author))
            if not await self.write_as_person(running, sid, "theirs"):
                pytest.skip("no way to write as a person")
            received = await asyncio.wait_for(asyncio.shield(waiting), _PATIENCE)
            assert received.body == "theirs"
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await _leave(stream)

    @pytest.mark.asyncio
    async def test_a_stream_ends_with_its_conversation(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.conversations)
        sid = await self.open_sid(running)
        listening = asyncio.ensure_future(_listen(running, sid))
        await asyncio.sleep(0.2)
        await running.close_conversation(sid)
        assert await asyncio.wait_for(listening, _PATIENCE) == []

    @pytest.mark.asyncio
    async def test_a_stream_ends_when_the_backend_stops(self, backend: ConversationalBackend) -> None:
        await backend.start()
        sid = await self.open_sid(backend)
        listening = asyncio.ensure_future(_listen(backend, sid))
        await asyncio.sleep(0.2)
        await backend.stop()
        assert await asyncio.wait_for(listening, _PATIENCE) == []

    # Media.

    @pytest.mark.asyncio
    async def test_what_a_person_attached_is_fetched_with_its_type(self, running: ConversationalBackend) -> None:
        media, data = _given(await self.attached(running))
        content = await running.fetch_media(media)
        assert content.data == data
        assert content.content_type == content.content_type.lower().partition(";")[0]
        assert "/" in content.content_type

    @pytest.mark.asyncio
    async def test_an_attachment_that_is_not_there_is_not_found(self, running: ConversationalBackend) -> None:
        media, _ = _given(await self.attached(running))
        # Found by its URL, or where there is none by its sid alone.
        other = replace(media, url=media.url + "0", sid=None) if media.url else replace(media, sid=f"{media.sid}0")
        with pytest.raises(errors.NotFound):
            await running.fetch_media(other)

    @pytest.mark.asyncio
    async def test_an_attachment_that_is_elsewhere_is_not_asked_for(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.inbound_media)
        for url in ("", "https://elsewhere.example/1.png", "http://127.0.0.1:9/1.png", "file:///etc/hosts", "//"):
            with pytest.raises((errors.InvalidInput, errors.NotFound)):
                await running.fetch_media(Media(url=url))

    # Participants.

    @pytest.mark.asyncio
    async def test_adding_a_participant_twice_is_adding_once(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.participants)
        sid = await self.open_sid(running)
        first = await running.add_participant(sid, Participant(identity="ada"))
        second = await running.add_participant(sid, Participant(identity="ada"))
        assert first.sid == second.sid
        await running.remove_participant(sid, first.sid)
        with pytest.raises(errors.ParticipantNotFound):
            await running.remove_participant(sid, first.sid)

    @pytest.mark.asyncio
    async def test_somebody_with_an_address_is_added_once_too(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.participants)
        sid, wanted = await self.open_sid(running), _given(self.bound())
        first, second = await running.add_participant(sid, wanted), await running.add_participant(sid, wanted)
        assert first.sid == second.sid
        assert (first.binding, first.conversation_sid) == (wanted.binding, sid)
        await running.remove_participant(sid, first.sid)

    @pytest.mark.asyncio
    async def test_nobody_is_no_participant(self, running: ConversationalBackend) -> None:
        _needs(running.capabilities.participants)
        with pytest.raises(errors.InvalidParticipant):
            await running.add_participant(await self.open_sid(running), Participant())

    @pytest.mark.asyncio
    async def test_what_it_cannot_do_it_says(self, running: ConversationalBackend) -> None:
        if not running.capabilities.participants:
            with pytest.raises(errors.UnsupportedProvider):
                await running.add_participant(await self.open_sid(running), Participant(identity="ada"))
        if not running.capabilities.conversations:
            with pytest.raises(errors.UnsupportedProvider):
                await running.list_conversations()
        if not running.capabilities.inbound_media:
            with pytest.raises(errors.UnsupportedProvider):
                await running.fetch_media(Media(url="https://elsewhere.example/1.png"))

    # Webhooks.

    @pytest.mark.asyncio
    async def test_a_webhook_needs_no_connection_and_repeats_its_keys(self, backend: ConversationalBackend) -> None:
        request = _given(self.webhook())
        first, second = await backend.handle_webhook(request), await backend.handle_webhook(request)
        assert [event.event_key for event in first] == [event.event_key for event in second]
        assert all(event.event_key and event.provider == backend.name for event in first)
        await backend.stop()

    @pytest.mark.asyncio
    async def test_a_genuine_webhook_of_nonsense_is_named_so(self, backend: ConversationalBackend) -> None:
        for request in _given(self.nonsense()):
            with pytest.raises(errors.InvalidWebhook) as refused:
                await backend.handle_webhook(request)
            assert type(refused.value) is errors.InvalidWebhook
        await backend.stop()

    @pytest.mark.asyncio
    async def test_a_forged_or_unsigned_webhook_is_refused(self, backend: ConversationalBackend) -> None:
        request = _given(self.webhook())
        for forged in (self.forged(request), replace(request, headers={})):
            with pytest.raises(errors.InvalidSignature):
                await backend.handle_webhook(forged)
        await backend.stop()


def _calls(backend: ConversationalBackend, sid: str) -> tuple[Callable[[], Awaitable[object]], ...]:
    """Every method that needs a running backend."""

    async def receive() -> None:
        await anext(backend.receive_messages(sid))

    return (
        lambda: backend.create_conversation(ConversationConfig()),
        lambda: backend.get_conversation(sid),
        backend.list_conversations,
        lambda: backend.close_conversation(sid),
        lambda: backend.send_message(sid, Message(body="hello")),
        lambda: backend.find_message(sid, "key"),
        receive,
        lambda: backend.fetch_media(Media(url="https://elsewhere.example/1.png")),
        lambda: backend.add_participant(sid, Participant(identity="ada")),
        lambda: backend.remove_participant(sid, "MB" + "0" * 32),
    )


async def _listen(backend: ConversationalBackend, sid: str) -> list[Message]:
    return [message async for message in backend.receive_messages(sid)]


def _neighbour(sid: str) -> str:
    """Of the same form, and not there."""
    last = sid[-1]
    return sid[:-1] + (("0" if last != "0" else "1") if last.isalnum() else last)


def _needs(capability: bool) -> None:
    if not capability:
        pytest.skip("not a capability of this provider")


def _given(hook: Given | None) -> Given:
    if hook is None:
        pytest.skip("the hook of this test gives nothing")
    return hook


async def _leave(stream: object) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
