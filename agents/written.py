"""What a language model fills in: the form of its answer."""

from __future__ import annotations

from pydantic import BaseModel, Field

from agents.loading import MAX_REPLY


class WrittenFact(BaseModel):
    """Something that the person said about themselves, worth remembering for years."""

    about: str = Field(max_length=40, description="What it is about, in one or two words: name, address, allergy.")
    text: str = Field(max_length=300, description="The statement, in the person's words.")


class Written(BaseModel):
    """The reply to the person's newest messages."""

    text: str = Field(max_length=MAX_REPLY, description="The message to send, and nothing else.")
    known: bool = Field(default=True, description="False if the message says that you do not know.")
    handoff: str = Field(
        default="",
        max_length=200,
        description="Why a human colleague should go on from here: the person asks for one, complains, or needs what "
        "you cannot do. Empty otherwise.",
    )
    facts: list[WrittenFact] = Field(
        default_factory=list, max_length=5, description="What the person newly told about themselves."
    )
    sources: list[int] = Field(
        default_factory=list, max_length=10, description="Numbers of the entries of <knowledge> that the message uses."
    )
