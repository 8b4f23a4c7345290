"""What people attach reaches the agent as references; voice notes as text, where something hears them."""

from __future__ import annotations

import pytest

from agents.transcriber import CannotTranscribe
from agents.turn import Media
from tests.integration.harness import Bench, bench_for
from workflows import media, policy
from workflows.inbox import Attachment
from workflows.policy import Rules
from workflows.state import Outcome

PICTURE = Attachment(url="https://api.twilio.com/ME1", content_type="image/jpeg")
CARD = Attachment(url="https://api.twilio.com/ME2", content_type="text/vcard")
VOICE = Attachment(url="where is my order", content_type="audio/ogg; codecs=opus")


class Ear:
    """Hears what the bench's provider has: the url, as bytes."""

    async def transcribe(self, audio: bytes, content_type: str) -> str:
        if b"noise" in audio:
            raise CannotTranscribe("only noise")
        return audio.decode()


async def test_an_image_reaches_the_agent_as_a_reference(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("what is this?", attachments=(PICTURE,))
    await person.turn(1)

    [message] = bench.agent.turns[0].messages
    assert message.media == (Media(kind="image", url=PICTURE.url, content_type="image/jpeg"),)
    assert message.text == "what is this? [attachment: image/jpeg]"


async def test_what_the_agent_cannot_read_gets_a_clear_reply_without_the_agent(bench: Bench) -> None:
    person = bench.conversation()
    await person.text("", attachments=(CARD,))
    turn = await person.turn(1)

    assert bench.outbox.bodies == [policy.UNREADABLE]
    assert bench.agent.turns == []
    assert turn.outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("body", "attachments", "rules"),
    [
        ("my card", (CARD,), Rules()),
        ("", (CARD, PICTURE), Rules()),
        ("", (CARD,), Rules(media=("other",))),
    ],
    ids=["with a text", "with a picture", "where the agent can read it"],
)
async def test_the_agent_gets_it_when_there_is_something_it_can_read(
    bench: Bench, body: str, attachments: tuple[Attachment, ...], rules: Rules
) -> None:
    person = bench.conversation(rules)
    await person.text(body, attachments=attachments)
    await person.turn(1)

    assert [m.kind for m in bench.agent.turns[0].messages[0].media] == [media.kind(a.content_type) for a in attachments]


async def test_a_voice_note_counts_as_what_it_says(client) -> None:
    async with bench_for(client, transcriber=Ear()) as bench:
        person = bench.conversation(Rules(transcribe=True))
        await person.text("", attachments=(VOICE,))
        turn = await person.turn(1)

        assert bench.outbox.bodies == ["re: where is my order [attachment: audio/ogg; codecs=opus]"]
        assert {s.name: s.status for s in turn.steps}["listen"] == "ran"
        assert "where is my order" in {item.text for item in bench.memory.items.values()}


async def test_a_voice_note_that_nobody_understands_is_answered_all_the_same(client) -> None:
    async with bench_for(client, transcriber=Ear()) as bench:
        person = bench.conversation(Rules(transcribe=True))
        await person.text("", attachments=(Attachment(url="noise", content_type="audio/ogg"),))

        assert (await person.turn(1)).outcome is Outcome.ANSWERED
        assert bench.outbox.bodies == ["re: [attachment: audio/ogg]"]


async def test_the_default_says_that_it_cannot_hear(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    person = bench.conversation(Rules(transcribe=True))
    await person.text("", attachments=(VOICE,))
    await person.turn(1)

    with pytest.raises(CannotTranscribe, match="set MESSAGING_TRANSCRIBER"):
        await bench.transcriber.transcribe(b"", "audio/ogg")
    assert bench.outbox.bodies == ["re: [attachment: audio/ogg; codecs=opus]"]


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/jpeg", "image"),
        ("Audio/OGG; codecs=opus", "audio"),
        ("video/mp4", "video"),
        ("application/pdf", "document"),
        ("text/plain", "document"),
        ("text/vcard", "other"),
        ("application/octet-stream", "other"),
        ("", "other"),
    ],
)
def test_a_content_type_is_of_one_kind(content_type: str, kind: str) -> None:
    assert media.kind(content_type) == kind
