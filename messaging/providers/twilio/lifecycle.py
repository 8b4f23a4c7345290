"""What both Twilio backends have in common: opening, closing, and the frame around every call."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Self

from messaging import errors
from messaging.config import MessagingConfig
from messaging.diagnosis import Finding, State
from messaging.model import (
    Capabilities,
    Health,
    HealthStatus,
    InboundEvent,
    Media,
    MediaContent,
    Message,
    WebhookRequest,
)
from messaging.opaque import opaque_sid
from messaging.providers.twilio import config as twilio_config
from messaging.providers.twilio.webhooks import Parser, Webhooks
from messaging.providers.twilio.written import WRITTEN

# How long a rate limit keeps the health degraded: as long as Twilio's own advice lets one call back off in all.
_RECENT = timedelta(seconds=60)
# Twilio answers such a read in a few hundred milliseconds; ten times that is no longer well.
_SLOW = 2.0
# How long an account's settings are taken as read, and of how many addresses.
_SETTLED = timedelta(seconds=60)
_MOST_SETTINGS = 1_000
# Before Twilio's first message, and far enough from the ends of time.
_BEGINNING = datetime(2007, 1, 1, tzinfo=UTC)
_SID = re.compile(r"[A-Za-z0-9]{2,64}")

# What is wrong where a call could not even be written down.
_WRONG: Mapping[str, type[errors.InvalidInput]] = {
    "create_conversation": errors.InvalidConversation,
    "send_message": errors.InvalidMessage,
    "add_participant": errors.InvalidParticipant,
}

OpenTransport = Callable[..., Any]


class _Phase(Enum):
    NEW = auto()
    RUNNING = auto()
    STOPPED = auto()


class TwilioBackend:
    """One account by one product. Subclasses add the operations.

    Args:
        open_transport: Makes the SDK's HTTP client; tests put a scripted one in.
        now: Aware UTC time.
    """

    NAME: ClassVar[str]
    CAPABILITIES: ClassVar[Capabilities]
    ROUTES: ClassVar[Mapping[str, Parser]]
    PROBE: ClassVar[tuple[str, Mapping[str, str]]]
    """Path and form of a webhook that is genuine and starts nothing."""

    def __init__(
        self,
        config: MessagingConfig,
        *,
        open_transport: OpenTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._twilio = twilio_config.read(config)
        self._webhooks = Webhooks(provider=self.NAME, config=self._twilio, routes=self.ROUTES, now=now)
        self._open_transport = open_transport
        self._now = now
        self._phase = _Phase.NEW
        self._client: Any = None
        self._turning = asyncio.Lock()
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._stopping = asyncio.Event()
        self._rate_limits: deque[datetime] = deque(maxlen=100)
        self._settings: dict[str, tuple[datetime, bool | None]] = {}

    @property
    def name(self) -> str:
        """The registry name."""
        return self.NAME

    @property
    def capabilities(self) -> Capabilities:
        """What this product can do."""
        return self.CAPABILITIES

    async def start(self, *, verify: bool = True) -> None:
        """Load the SDK, open the client and prove the credentials by one cheap read.

        Raises:
            errors.AuthenticationError, errors.AuthorizationError, errors.NetworkError
            errors.ShutdownError: it has been stopped.
        """
        async with self._turning:
            if self._phase is _Phase.RUNNING:
                return
            self._require_not_stopped("start")
            try:
                self._client = await self._loaded()
                if verify:
                    await self._verify()
                self._require_not_stopped("start")  # it may have been, meanwhile
            except BaseException:
                await self._close_client()
                raise
            self._phase = _Phase.RUNNING

    async def stop(self) -> None:
        """Refuse new calls, end streams, wait for what is in flight as long as one call may take, then close."""
        self._phase = _Phase.STOPPED
        self._stopping.set()
        async with self._turning:  # a start that is on its way ends first
            if self._in_flight:
                self._idle.clear()
                with suppress(TimeoutError):  # every call ends by its own time-out, which is no longer than this one
                    await asyncio.wait_for(self._idle.wait(), self._config.timeout)
            await self._close_client()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def handle_webhook(self, request: WebhookRequest) -> list[InboundEvent]:
        """Verify, then parse.

        Raises:
            errors.InvalidSignature, errors.InvalidWebhook
        """
        return self._webhooks.handle(request)

    async def fetch_media(self, media: Media) -> MediaContent:
        """The bytes of an attachment, at most 16 MB.

        Raises:
            errors.InvalidInput: not Twilio's, too large, or a page instead of media.
            errors.NotFound: retryable, as Twilio may tell of media before it has them.
            errors.NetworkError
        """
        async with self._calling("fetch_media", repeatable=True):
            return await self._fetch(self._client.http_client, media)

    async def health_check(self) -> HealthStatus:
        """One cheap read, how long it took, and the rate limits of the last minute."""
        checked = self._now()
        details: dict[str, Any] = {"provider": self.NAME, "account_name": self._twilio.account_name}
        if self._phase is not _Phase.RUNNING:
            return HealthStatus(
                status=Health.UNHEALTHY, last_check=checked, details=details, errors=(self._phase.name.lower(),)
            )
        told = partial(HealthStatus, last_check=checked, details=details)
        began = time.perf_counter()
        try:
            async with self._calling("health_check", repeatable=True) as client:
                await self._probe(client)
        except errors.RateLimit as limited:
            return told(status=Health.DEGRADED, errors=(str(limited),))
        except errors.MessagingError as failure:
            # Twilio's own 404 says that it lives; a stranger's does not.
            if not isinstance(failure, errors.NotFound) or failure.provider_code is None:
                return told(status=Health.UNHEALTHY, errors=(str(failure),))
        seconds = time.perf_counter() - began
        recent = sum(1 for when in self._rate_limits if checked - when < _RECENT)
        details |= {"rate_limits_last_minute": recent, "latency_ms": round(seconds * 1000, 1)}
        return told(status=Health.DEGRADED if recent or seconds > _SLOW else Health.HEALTHY)

    async def diagnose(self) -> tuple[Finding, ...]:
        """Compare what the account tells whom with our settings, by reading and by a request to ourselves."""
        from messaging.providers.twilio import diagnosis as looks  # noqa: PLC0415 - late, for the webhook side

        self._require_running("diagnose")
        path, fields = self.PROBE
        check, account = self._account_check(looks)
        return (
            await looks.door(self._twilio, path, fields),
            await self._diagnosed(check, account),
            await looks.clock(self._twilio.base_url),
        )

    async def _diagnosed(self, check: str, look: Callable[..., Awaitable[Finding]]) -> Finding:
        try:
            async with self._calling("diagnose", repeatable=True):
                return await look(self._client, self._twilio)
        except errors.MessagingError as error:
            return Finding(check=check, state=State.WARN, saw=f"could not be looked at: {error}", do="see the error")

    def _account_check(self, looks: Any) -> tuple[str, Callable[..., Awaitable[Finding]]]:
        """What of the account's settings is this product's."""
        raise NotImplementedError

    def get_config(self) -> MessagingConfig:
        """The configuration with secrets redacted."""
        return self._config.model_copy(update={"provider_specific": self._twilio.redacted})

    async def _fetch(self, transport: Any, media: Media) -> MediaContent:
        from messaging.providers.twilio import media as attachments  # noqa: PLC0415 - late, for the webhook side

        return await attachments.fetch(transport, media, self._twilio.credentials)

    async def _probe(self, client: Any) -> None:
        """One cheap read."""
        raise NotImplementedError

    async def _verify(self) -> None:
        try:
            async with self._frame("start", repeatable=True) as client:
                await self._probe(client)
        except (errors.AuthenticationError, errors.AuthorizationError, errors.NetworkError, errors.InternalError):
            raise
        except errors.MessagingError as refused:
            # Twilio took the credentials and refused in its own words; a fake need not have every resource.
            if refused.provider_code is None and not isinstance(refused, errors.RateLimit):
                raise errors.NetworkError(
                    "what answers is not Twilio", op="start", provider=self.NAME, status=refused.status
                ) from None

    async def _loaded(self) -> Any:
        """The client. The SDK's modules take a noticeable time to load: not on the event loop."""
        loading = asyncio.ensure_future(asyncio.to_thread(self._load_client))
        try:
            return await asyncio.shield(loading)
        except asyncio.CancelledError:
            await (await loading).http_client.close()  # a thread cannot be stopped half-way
            raise

    def _load_client(self) -> Any:
        from twilio.rest import Client  # type: ignore[import-untyped] # noqa: PLC0415 - late, for the webhook side

        from messaging.providers.twilio.transport import Transport  # noqa: PLC0415 - late, for the webhook side

        open_transport = self._open_transport or Transport
        username, password = self._twilio.credentials
        client = Client(
            username,
            password,
            self._twilio.account_sid,
            http_client=open_transport(timeout=self._config.timeout, base_url=self._twilio.base_url),
        )
        self._resources(client)
        return client

    def _resources(self, client: Any) -> Any:
        """The product's resources; touching them loads their modules."""
        raise NotImplementedError

    async def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.http_client.close()

    def _require_running(self, op: str) -> None:
        if self._phase is _Phase.NEW:
            raise errors.NotStarted("start() has not been called", op=op, provider=self.NAME)
        self._require_not_stopped(op)

    def _require_not_stopped(self, op: str) -> None:
        if self._phase is _Phase.STOPPED:
            raise errors.ShutdownError("stopped", op=op, provider=self.NAME)

    @asynccontextmanager
    async def _calling(
        self, op: str, *, sid: str = "", repeatable: bool = False, missing: type[errors.NotFound] | None = None
    ) -> AsyncIterator[Any]:
        """The frame of a call: the client in, errors of the core out.

        Args:
            repeatable: Doing it twice is doing it once, so an unknown outcome is simply repeated.
            missing: What a bare 404 means here.
        """
        self._require_running(op)
        async with self._frame(op, sid=sid, repeatable=repeatable, missing=missing) as resources:
            yield resources

    @asynccontextmanager
    async def _frame(
        self, op: str, *, sid: str = "", repeatable: bool = False, missing: type[errors.NotFound] | None = None
    ) -> AsyncIterator[Any]:
        self._in_flight += 1
        WRITTEN.set(False)
        try:
            yield self._resources(self._client)
        except errors.MessagingError as error:
            if missing and type(error) is errors.NotFound:
                error = _as(missing, error)
            error.op, error.provider = op, self.NAME
            error.conversation_sid = opaque_sid(sid) or ""
            if error.ambiguous and repeatable:
                error.ambiguous, error.retryable = False, True
            if isinstance(error, errors.RateLimit):
                self._rate_limits.append(self._now())
            raise error from None
        except Exception as unread:  # noqa: BLE001 - only errors of the core leave a backend
            # Not chained: the texts of others may quote what they could not read or write.
            if not WRITTEN.get():
                raise _WRONG.get(op, errors.InvalidInput)(
                    f"{type(unread).__name__} while writing the request",
                    op=op,
                    provider=self.NAME,
                    conversation_sid=opaque_sid(sid) or "",
                ) from None
            # The SDK or we could not read a success: whatever was asked for has happened.
            raise errors.InternalError(
                f"{type(unread).__name__} while reading the answer",
                op=op,
                provider=self.NAME,
                conversation_sid=opaque_sid(sid) or "",
                retryable=repeatable,
                ambiguous=not repeatable,
            ) from None
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _stream(self, messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
        """A stream that ends when the backend stops, also in the middle of a look."""
        try:
            async for message in messages:
                yield message
        except errors.ShutdownError:
            if not self._stopping.is_set():
                raise

    async def _remembered(self, what: str, ask: Callable[[], Awaitable[bool | None]]) -> bool | None:
        """An answer about the account's own settings, asked for once a minute: thousands of messages need the same."""
        known = self._settings.get(what)
        if known is not None and self._now() - known[0] < _SETTLED:
            return known[1]
        answer = await ask()
        if len(self._settings) >= _MOST_SETTINGS:
            self._settings.clear()
        self._settings[what] = self._now(), answer
        return answer

    async def _pause(self) -> bool:
        """Wait for the next look of a stream; False when the backend stops."""
        try:
            await asyncio.wait_for(self._stopping.wait(), self._twilio.poll_seconds)
        except TimeoutError:
            return True
        return False


def instant(since: datetime) -> datetime:
    """A time that can be reckoned with.

    Raises:
        errors.InvalidInput: it does not say of which zone it is.
    """
    if since.tzinfo is None:
        raise errors.InvalidInput("since: a time with its zone expected")
    return max(since, _BEGINNING)


def require_period(since: datetime, until: datetime) -> None:
    """Raises errors.InvalidInput."""
    if since.tzinfo is None or until.tzinfo is None:
        raise errors.InvalidInput("since, until: times with their zone expected")
    if since > until:
        raise errors.InvalidInput("since: must not be after until")


def path_part(sid: str, missing: type[errors.NotFound]) -> str:
    """A sid that is safe in a URL's path.

    Raises:
        errors.NotFound: what cannot be a sid does not exist.
    """
    if not _SID.fullmatch(sid):
        raise missing("sid: not a sid")
    return sid


def _as(kind: type[errors.NotFound], error: errors.MessagingError) -> errors.MessagingError:
    return kind(error.message, provider_code=error.provider_code, status=error.status)
