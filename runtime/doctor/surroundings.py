"""What stands around Temporal: memory, the spool, the providers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from messaging import diagnosis, errors
from messaging.backend import ConversationalBackend
from messaging.diagnosis import Diagnoses, Finding
from messaging.model import Health
from runtime import providers as accounts
from runtime.remembering import qdrant_client
from runtime.settings import Settings, SettingsError
from runtime.spool import FILE, Spool, SpoolUnusable

_REFUSED = frozenset({401, 403})
# Temporal is asked four times a second whether it is back; a sender over budget may wait for minutes.
_LATE, _LOST = 60.0, 1800.0


async def qdrant(settings: Settings) -> list[Finding]:
    """Memory's server."""
    client = qdrant_client(settings, timeout=5)
    try:
        found = await client.get_collections()
    except UnexpectedResponse as error:
        if error.status_code in _REFUSED:
            return [diagnosis.fail("qdrant", f"refuses us with {error.status_code}", "set QDRANT_API_KEY")]
        do = "is QDRANT_URL right? Something else may answer there"
        return [diagnosis.fail("qdrant", f"answers with {error.status_code}", do)]
    except (ApiException, OSError) as error:
        do = "is it running, and is QDRANT_URL right? Answers go on, without what people said before"
        return [diagnosis.fail("qdrant", f"does not answer ({type(error).__name__})", do)]
    finally:
        await client.close()
    return [diagnosis.ok("qdrant", f"answers; {len(found.collections)} collections")]


async def spool(settings: Settings) -> list[Finding]:
    """Where texts wait while Temporal is away."""
    folder = settings.spool_folder
    do = "set MESSAGING_SPOOL to a folder that can be written, on a disk that lasts"
    if not (folder / FILE).exists():
        there = _nearest(folder)
        if there.is_dir() and os.access(there, os.W_OK):
            return [diagnosis.ok("spool", "there is none on this machine; the API makes it at its start")]
        return [diagnosis.fail("spool", "its folder cannot be made", do)]
    try:
        opened = Spool(folder, megabytes=settings.messaging_spool_megabytes)
    except SpoolUnusable as unusable:
        return [diagnosis.fail("spool", unusable.reason, do)]
    async with aclosing(opened):
        if wrong := await opened.check():
            return [diagnosis.fail("spool", wrong, do)]
        depth, late, refused = opened.depth(), opened.oldest(), opened.refused()
    found = [diagnosis.ok("spool", f"can be written; {depth} events wait")]
    if depth and late > _LATE:
        saw = f"{depth} events wait, the first for {late:.0f} s"
        do = "is Temporal back, and does an API process run on this machine? A sender over budget waits too"
        found = [(diagnosis.fail if late > _LOST else diagnosis.warn)("spool", saw, do)]
    if refused:
        do = f"look at them: docs/operations.md has the question to {FILE}"
        found.append(diagnosis.warn("spool-refused", f"Temporal refuses {refused} events for good", do))
    return found


def _nearest(folder: Path) -> Path:
    """What there is of the path."""
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)


async def providers(settings: Settings) -> list[Finding]:
    """Credentials, and what the provider would tell us."""
    try:
        backends = accounts.backends(settings, logged=False)
    except (SettingsError, errors.MessagingError) as wrong:
        return [diagnosis.fail("providers", str(wrong), "see .env.example")]
    found = await asyncio.gather(*(_provider(name, backend) for name, backend in backends.items()))
    return [finding for some in found for finding in some]


async def _provider(name: str, backend: ConversationalBackend) -> Sequence[Finding]:
    try:
        await backend.start()
    except (errors.AuthenticationError, errors.AuthorizationError) as refused:
        return [diagnosis.fail(name, f"refuses our credentials: {refused}", _CREDENTIALS)]
    except errors.MessagingError as away:
        return [diagnosis.fail(name, f"does not answer: {away}", "look at its status page, and at TWILIO_BASE_URL")]
    try:
        health = await backend.health_check()
        found = [diagnosis.ok(name, "answers, and takes our credentials")]
        if health.status is not Health.HEALTHY:
            told = "; ".join(health.errors) or f"slow or limited: {dict(health.details)}"
            found = [diagnosis.warn(name, f"{health.status.value}: {told}", "it is tried again by itself")]
        inner = getattr(backend, "wrapped", backend)
        return [*found, *(await inner.diagnose() if isinstance(inner, Diagnoses) else ())]
    finally:
        await backend.stop()


_CREDENTIALS = "set TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or TWILIO_API_KEY with TWILIO_API_SECRET"
