"""Everything a backend may raise: one tree, classified where it is made.

    MessagingError
    ├── InvalidConfig            invalid_config
    │   ├── UnsupportedProvider, ProviderNotFound
    ├── NotStarted             not_started
    ├── ShutdownError          shutdown_error
    ├── NetworkError         network_error
    │   └── Timeout           timeout
    ├── RateLimit            rate_limit
    │   └── QuotaExceeded      quota_exceeded
    ├── AuthenticationError, AuthorizationError
    ├── NotFound               not_found
    │   ├── ConversationNotFound, ParticipantNotFound
    ├── InvalidInput           invalid_input
    │   ├── InvalidConversation, InvalidMessage, InvalidParticipant
    ├── ConversationFailed     conversation_failed
    │   ├── ConversationClosed, CloseFailed
    ├── MessageFailed          message_failed
    │   ├── RecipientBlocked, WindowClosed
    ├── ChannelFailed          channel_failed
    ├── InvalidWebhook           invalid_webhook
    │   └── InvalidSignature   invalid_signature
    └── InternalError          internal_error

`retryable`: the same call may succeed later and has certainly not happened. `ambiguous`: it may have happened; look
before any repeat. What nobody classified is neither. `category` says in one word what to do about it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """The stable names of the errors, for labels and clients."""

    INVALID_CONFIG = "invalid_config"
    NETWORK_ERROR = "network_error"
    TIMEOUT = "timeout"
    RATE_LIMIT = "rate_limit"
    AUTHENTICATION_ERROR = "authentication_error"
    AUTHORIZATION_ERROR = "authorization_error"
    NOT_FOUND = "not_found"
    INTERNAL_ERROR = "internal_error"
    INVALID_INPUT = "invalid_input"
    UNSUPPORTED_PROVIDER = "unsupported_provider"
    PROVIDER_NOT_FOUND = "provider_not_found"
    CONVERSATION_NOT_FOUND = "conversation_not_found"
    CONVERSATION_FAILED = "conversation_failed"
    INVALID_CONVERSATION = "invalid_conversation"
    CONVERSATION_CLOSED = "conversation_closed"
    CLOSE_FAILED = "close_failed"
    INVALID_MESSAGE = "invalid_message"
    MESSAGE_FAILED = "message_failed"
    CHANNEL_FAILED = "channel_failed"
    RECIPIENT_BLOCKED = "recipient_blocked"
    WINDOW_CLOSED = "window_closed"
    PARTICIPANT_NOT_FOUND = "participant_not_found"
    INVALID_PARTICIPANT = "invalid_participant"
    INVALID_WEBHOOK = "invalid_webhook"
    INVALID_SIGNATURE = "invalid_signature"
    QUOTA_EXCEEDED = "quota_exceeded"
    NOT_STARTED = "not_started"
    SHUTDOWN_ERROR = "shutdown_error"


class Category(StrEnum):
    """What to do about a failure, whichever provider it comes from."""

    RETRY = "retry"
    """Passing, and nothing was processed: later."""
    AMBIGUOUS = "ambiguous"
    """It may have happened: look first."""
    RATE = "rate"
    """Slow down."""
    PERMANENT = "permanent"
    """Not to this address, or not this content."""
    BLOCKED = "blocked"
    """The person, their carrier or a policy does not want it."""
    WINDOW = "window"
    """Not free-form now: a template, or wait until they write."""
    CONFIG = "config"
    """Ours to mend; the next send fails too."""
    CONFLICT = "conflict"
    """Somebody else changed it, or it is there already: read again."""
    NOT_FOUND = "not_found"
    CLOSED = "closed"
    """Closed for good: open another."""
    LIMIT = "limit"
    """Too long, too large or too many."""
    UNKNOWN = "unknown"


class MessagingError(Exception):
    """The root. `message` names the field or the rule, never a body, a phone number or a secret.

    Args:
        op: The backend operation that failed.
        provider_code: The provider's own error number.
        status: The HTTP status, where there was a response.
        retry_after: Seconds the provider asked us to wait.
        category: Where the provider's code tells more than the class does.
    """

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL_ERROR
    usual: ClassVar[Category] = Category.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        op: str = "",
        provider: str = "",
        conversation_sid: str = "",
        message_sid: str = "",
        participant_sid: str = "",
        provider_code: int | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
        ambiguous: bool = False,
        category: Category | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.op = op
        self.provider = provider
        self.conversation_sid = conversation_sid
        self.message_sid = message_sid
        self.participant_sid = participant_sid
        self.provider_code = provider_code
        self.status = status
        self.retry_after = retry_after
        self.retryable = retryable
        self.ambiguous = ambiguous
        self._category = category

    @property
    def category(self) -> Category:
        """The provider's where it told one; else by what is known of the outcome, else the class's."""
        if self.ambiguous:
            return Category.AMBIGUOUS
        if self._category is not None:
            return self._category
        return Category.RETRY if self.retryable and self.usual is Category.UNKNOWN else self.usual

    def __str__(self) -> str:
        known = (
            ("op", self.op),
            ("provider", self.provider),
            ("provider_code", self.provider_code),
            ("status", self.status),
        )
        detail = " ".join(f"{name}={value}" for name, value in known if value)
        return f"{self.code.value}: {self.message}" + (f" ({detail})" if detail else "")


class InvalidConfig(MessagingError):
    """A setting is missing or out of its range."""

    code = ErrorCode.INVALID_CONFIG
    usual = Category.CONFIG


class UnsupportedProvider(InvalidConfig):
    """The provider cannot do this."""

    code = ErrorCode.UNSUPPORTED_PROVIDER


class ProviderNotFound(InvalidConfig):
    """No provider of that name is registered."""

    code = ErrorCode.PROVIDER_NOT_FOUND


class NotStarted(MessagingError):
    """An operation was called before `start()`."""

    code = ErrorCode.NOT_STARTED


class ShutdownError(MessagingError):
    """The backend is stopping or has stopped."""

    code = ErrorCode.SHUTDOWN_ERROR


class NetworkError(MessagingError):
    """No usable response came. Retryable when the request was never written, ambiguous when it may have been."""

    code = ErrorCode.NETWORK_ERROR


class Timeout(NetworkError):
    """The provider did not answer in time."""

    code = ErrorCode.TIMEOUT


class RateLimit(MessagingError):
    """The provider refused to take the request now; it was not processed."""

    code = ErrorCode.RATE_LIMIT
    usual = Category.RATE


class QuotaExceeded(RateLimit):
    """A daily or account-wide limit is used up."""

    code = ErrorCode.QUOTA_EXCEEDED


class AuthenticationError(MessagingError):
    """The credentials are wrong."""

    code = ErrorCode.AUTHENTICATION_ERROR
    usual = Category.CONFIG


class AuthorizationError(MessagingError):
    """The credentials are right, the permission is missing."""

    code = ErrorCode.AUTHORIZATION_ERROR
    usual = Category.CONFIG


class NotFound(MessagingError):
    """Something the call names does not exist."""

    code = ErrorCode.NOT_FOUND
    usual = Category.NOT_FOUND


class ConversationNotFound(NotFound):
    """The conversation does not exist."""

    code = ErrorCode.CONVERSATION_NOT_FOUND


class ParticipantNotFound(NotFound):
    """The participant does not exist."""

    code = ErrorCode.PARTICIPANT_NOT_FOUND


class InvalidInput(MessagingError):
    """An argument is not acceptable; the message names it and what is allowed."""

    code = ErrorCode.INVALID_INPUT
    usual = Category.PERMANENT


class InvalidConversation(InvalidInput):
    """The conversation cannot be as asked."""

    code = ErrorCode.INVALID_CONVERSATION


class InvalidMessage(InvalidInput):
    """The message cannot be sent as it is."""

    code = ErrorCode.INVALID_MESSAGE


class InvalidParticipant(InvalidInput):
    """The participant cannot be added as given."""

    code = ErrorCode.INVALID_PARTICIPANT


class ConversationFailed(MessagingError):
    """The provider refused something about the conversation."""

    code = ErrorCode.CONVERSATION_FAILED


class ConversationClosed(ConversationFailed):
    """The conversation is closed for good at the provider."""

    code = ErrorCode.CONVERSATION_CLOSED
    usual = Category.CLOSED


class CloseFailed(ConversationFailed):
    """The conversation could not be closed."""

    code = ErrorCode.CLOSE_FAILED


class MessageFailed(MessagingError):
    """The provider refused the message."""

    code = ErrorCode.MESSAGE_FAILED


class RecipientBlocked(MessageFailed):
    """The person has opted out, or policy forbids writing to them."""

    code = ErrorCode.RECIPIENT_BLOCKED
    usual = Category.BLOCKED


class WindowClosed(MessageFailed):
    """The channel allows no free-form message now (WhatsApp's 24 hours)."""

    code = ErrorCode.WINDOW_CLOSED
    usual = Category.WINDOW


class ChannelFailed(MessagingError):
    """The channel behind the provider failed."""

    code = ErrorCode.CHANNEL_FAILED


class InvalidWebhook(MessagingError):
    """A webhook's content is not acceptable; the message names the field."""

    code = ErrorCode.INVALID_WEBHOOK
    usual = Category.PERMANENT


class InvalidSignature(InvalidWebhook):
    """A webhook is not signed by the provider."""

    code = ErrorCode.INVALID_SIGNATURE


class InternalError(MessagingError):
    """Something nobody classified."""

    code = ErrorCode.INTERNAL_ERROR
