"""What an account has beside numbers, texts and conversations: people and roles, pools of senders, files, templates.

Times are seconds since 1970; fields are plain JSON, because the journal keeps them.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Role:
    sid: str
    service: str
    friendly_name: str
    type: str
    """conversation or service"""
    permissions: list[str]
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class User:
    """Who an identity is, within a Conversations service."""

    sid: str
    service: str
    identity: str
    friendly_name: str | None = None
    attributes: str = "{}"
    role_sid: str | None = None
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class Credential:
    sid: str
    friendly_name: str | None = None
    type: str
    sandbox: bool = False
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class MessagingService:
    """A pool of senders (MG…) and what is common to their texts."""

    sid: str
    friendly_name: str
    inbound_request_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = True
    scan_message_content: str = "inherit"
    fallback_to_long_code: bool = True
    area_code_geomatch: bool = True
    synchronous_validation: bool = False
    validity_period: int = 36_000
    usecase: str = "undeclared"
    use_inbound_webhook_on_number: bool = False
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class Upload:
    """A file in the media service."""

    sid: str
    service: str
    content_type: str
    size: int
    filename: str | None = None
    author: str | None = None
    category: str | None = "media"
    message_sid: str | None = None
    conversation: str | None = None
    created: float
    updated: float


@dataclass(slots=True, kw_only=True)
class Template:
    """A content template (HX…) and how far WhatsApp's review of it has come."""

    sid: str
    friendly_name: str | None
    language: str
    variables: dict[str, str] = field(default_factory=dict)
    types: dict[str, dict[str, Any]] = field(default_factory=dict)
    approval: dict[str, Any] = field(default_factory=dict)
    """name, category, allow_category_change, once it was handed in."""
    status: str = "unsubmitted"
    """Of `content.STATUSES`."""
    created: float
    updated: float
