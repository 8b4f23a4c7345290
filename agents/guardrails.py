"""The checks around an agent: what a person's text must pass before the agent reads it, and a reply before it leaves.

Each check has a name of NAMES and looks at one direction or both. It lets a text pass, changes it, or blocks it, and
what it did is a Firing, which ends in the turn's record. Checks run where the agent runs, inside its activity: their
verdicts are recorded there, so that a change of a pattern never changes what an open conversation already did.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from agents import importing, languages, links, secret_marks
from agents.turn import BLOCKED, NOTED, REDACTED, Firing

LENGTH, LANGUAGE, LINKS = "length", "language", "links"
SECRETS, INJECTION, CANARY, MODERATION = "secrets", "injection", "canary", "moderation"
NAMES = (LENGTH, LANGUAGE, LINKS, SECRETS, INJECTION, CANARY, MODERATION)

IN, OUT = "in", "out"

# What the person gets in place of an answer; the first three can be mended by the person.
TOO_LONG = "That is too long for me, sorry. Please send me the important part again, in a few sentences."
OTHER_LANGUAGE = "Sorry, I can only answer in: {}."
DECLINED = "Sorry, I can't help with that. A colleague can."
WITHHELD = "Sorry, I cannot answer that. A colleague will get back to you."

Moderator = Callable[[str, str], "str | Awaitable[str | None] | None"]
"""Given a text and its direction ("in" or "out"), why it must not pass, or None. It may be async."""

# How texts begin that want the model's own instructions changed or shown. They are noted, not blocked: people write
# such things in good faith too, and what an agent may do is held elsewhere (tools, canary).
_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,30}\b(?:previous|prior|above|earlier|all|your|any)\b.{0,30}"
    r"\b(?:instructions?|rules?|prompts?|guidelines?)\b"
    r"|\b(?:reveal|show|print|repeat|output|tell me)\b.{0,30}\b(?:system prompt|your (?:instructions|prompt|rules))\b"
    r"|\byou are now\b.{0,40}\b(?:dan|jailbroken|unrestricted|developer mode|an? \w+ without)\b"
    r"|^\s*(?:system|assistant|developer)\s*:|</?(?:system|knowledge|memory|instructions)>",
    re.IGNORECASE | re.MULTILINE,
)

# A line of the instructions that is this long says enough to be recognised, and no answer contains it by chance.
_TELLING_LINE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """Which checks there are, and what they need.

    `input_chars` and `output_chars` are the longest texts. `languages` are codes of `agents.languages`; empty, any may
    be used. `hosts` are those that a reply may link to; None is any. `canary` is a mark that the agent's instructions
    hold, and `instructions` are those. `moderator` is a deployment's own.
    """

    enabled: frozenset[str] = frozenset(NAMES)
    input_chars: int = 8_000
    output_chars: int = 6_400
    languages: tuple[str, ...] = ()
    hosts: tuple[str, ...] | None = None
    canary: str = ""
    instructions: str = ""
    moderator: Moderator | None = None

    async def look(self, text: str, direction: str) -> Verdict:
        """What becomes of a text of this direction. What a moderator raises passes through."""
        verdict = Verdict(text=text)
        for name, directions, check in _CHECKS:
            if name in self.enabled and direction in directions:
                verdict = check(self, verdict, direction)
                if verdict.instead:
                    return verdict
        if MODERATION in self.enabled and self.moderator is not None:
            reason = self.moderator(verdict.text, direction)
            if inspect.isawaitable(reason):
                reason = await reason
            if reason:
                return verdict.blocked(MODERATION, str(reason)[:200], DECLINED if direction == IN else WITHHELD)
        return verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A text as it may pass, or, where it must not, what is said `instead`."""

    text: str
    instead: str = ""
    firings: tuple[Firing, ...] = ()

    def blocked(self, check: str, reason: str, instead: str) -> Verdict:
        """Nothing of it passes."""
        return replace(self, instead=instead, firings=(*self.firings, _firing(check, BLOCKED, reason)))

    def changed(self, check: str, text: str, reason: str) -> Verdict:
        """It passes as another text."""
        return replace(self, text=text, firings=(*self.firings, _firing(check, REDACTED, reason)))

    def noted(self, check: str, reason: str) -> Verdict:
        """It passes as it is, and somebody may want to know."""
        return replace(self, firings=(*self.firings, _firing(check, NOTED, reason)))


def _firing(check: str, action: str, reason: str) -> Firing:
    return Firing(check=check, action=action, reason=reason)


def _length(guardrails: Guardrails, verdict: Verdict, direction: str) -> Verdict:
    most = guardrails.input_chars if direction == IN else guardrails.output_chars
    if len(verdict.text) <= most:
        return verdict
    reason = f"{direction}: {len(verdict.text)} characters, at most {most}"
    return verdict.blocked(LENGTH, reason, TOO_LONG if direction == IN else WITHHELD)


def _language(guardrails: Guardrails, verdict: Verdict, direction: str) -> Verdict:
    found = languages.language_of(verdict.text)
    if not guardrails.languages or not found or found in guardrails.languages:
        return verdict
    instead = OTHER_LANGUAGE.format(", ".join(guardrails.languages)) if direction == IN else WITHHELD
    return verdict.blocked(LANGUAGE, f"{direction}: {found}, not {' or '.join(guardrails.languages)}", instead)


def _links(guardrails: Guardrails, verdict: Verdict, direction: str) -> Verdict:
    if guardrails.hosts is None:
        return verdict
    text, others = links.only_to(verdict.text, guardrails.hosts)
    return verdict.changed(LINKS, text, f"{direction}: {others} to other hosts") if others else verdict


def _secrets(_: Guardrails, verdict: Verdict, direction: str) -> Verdict:
    text, kinds = secret_marks.redacted(verdict.text)
    return verdict.changed(SECRETS, text, f"{direction}: {', '.join(kinds)}") if kinds else verdict


def _injection(_: Guardrails, verdict: Verdict, direction: str) -> Verdict:
    return verdict.noted(INJECTION, f"{direction}: speaks to the model") if _INJECTION.search(verdict.text) else verdict


def _canary(guardrails: Guardrails, verdict: Verdict, direction: str) -> Verdict:
    said = _bare(verdict.text)
    if guardrails.canary and _bare(guardrails.canary) in said:
        return verdict.blocked(CANARY, f"{direction}: holds the mark of its instructions", WITHHELD)
    lines = (_bare(row) for row in guardrails.instructions.splitlines())
    if any(len(line) >= _TELLING_LINE and line in said for line in lines):
        return verdict.blocked(CANARY, f"{direction}: repeats its instructions", WITHHELD)
    return verdict


def _bare(text: str) -> str:
    """Letters and digits alone: a leak with a space in every gap is one too."""
    return "".join(c for c in text.lower() if c.isalnum())


_CHECKS: Sequence[tuple[str, tuple[str, ...], Callable[[Guardrails, Verdict, str], Verdict]]] = (
    (LENGTH, (IN, OUT), _length),
    (CANARY, (OUT,), _canary),
    (LANGUAGE, (IN, OUT), _language),
    (SECRETS, (IN, OUT), _secrets),
    (LINKS, (OUT,), _links),
    (INJECTION, (IN,), _injection),
)


def load_moderator(path: str) -> Moderator:
    """The hook that `path` ("module:name") names.

    Raises ValueError naming MESSAGING_MODERATION and what is allowed.
    """
    setting, allowed = (
        "MESSAGING_MODERATION",
        'a function that takes a text and "in" or "out", and gives a reason or None',
    )
    module_name, name = importing.split(path, setting=setting, example="shop:moderate")
    module = importing.module_of(module_name, path, setting=setting)
    found: Moderator = importing.attribute(module, name, path, setting=setting, allowed=allowed)
    try:
        inspect.signature(found).bind("text", IN)
    except (TypeError, ValueError):
        raise ValueError(f"{setting}={path!r} is {type(found).__name__}, but must be {allowed}") from None
    return found
