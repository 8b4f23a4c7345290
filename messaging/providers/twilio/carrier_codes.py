"""The codes of carriers and channels: most come after the send was taken, in a status callback or a receipt.

https://www.twilio.com/docs/api/errors
https://www.twilio.com/docs/whatsapp/api/error-code-mapping
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from messaging import errors
from messaging.errors import Category
from messaging.providers.twilio.error_entry import Entry, entries

CARRIER_ENTRIES: Mapping[int, Entry] = dict(
    chain(
        entries(
            Category.RATE,
            errors.RateLimit,
            {
                30022: "Rate limit of the sender exceeded",
                63017: "Rate limit of the channel exceeded",
                63018: "Rate limit of the channel exceeded",
            },
            retryable=True,
        ),
        entries(
            Category.RATE,
            errors.QuotaExceeded,
            {
                30023: "Daily message cap of the brand reached",
                30027: "Daily message cap of T-Mobile reached",
                63038: "Daily message limit of the account exceeded",
            },
            retryable=True,
        ),
        entries(Category.AMBIGUOUS, errors.NetworkError, {30410: "Provider timeout"}, ambiguous=True),
        entries(
            Category.RETRY,
            errors.MessageFailed,
            {
                30001: "Queue overflow",
                30003: "Handset cannot be reached now",
                30008: "Unknown failure at the carrier",
                30017: "Carrier network is congested",
                30036: "Validity period expired",
            },
            retryable=True,
        ),
        entries(
            Category.RETRY,
            errors.ChannelFailed,
            {
                63009: "Channel provider failed",
                63010: "Internal failure of the channel",
                63012: "Channel unavailable",
                63019: "Media could not be downloaded",
                63037: "Media could not be uploaded",
            },
            retryable=True,
        ),
        entries(Category.CONFIG, errors.AuthorizationError, {30002: "Account suspended"}),
        entries(Category.CONFIG, errors.MessageFailed, {30124: "Sender is not set up for this"}),
        entries(
            Category.CONFIG,
            errors.ChannelFailed,
            {
                63001: "Channel could not authenticate",
                63002: "Channel sender not found",
                63007: "Channel sender not found for 'From'",
                63008: "Channel module misconfigured",
                63020: "Business account not accepted",
                63022: "Invalid certificate",
                63035: "Channel sender not launched",
                63051: "Business account locked",
            },
        ),
        entries(
            Category.PERMANENT,
            errors.InvalidMessage,
            {
                30005: "Handset does not exist",
                30006: "Landline, or a carrier that cannot be reached",
                30010: "Price exceeds the highest allowed",
                30011: "Handset takes no MMS",
                30019: "Content size exceeds the carrier's limit",
                30038: "One-time passcode filtered",
                63005: "Channel did not accept the content",
                63006: "Content cannot be formatted for the channel",
                63021: "Invalid content for the channel",
                63027: "Template does not exist for this language",
                63028: "Number of template variables is wrong",
                63029: "Template could not be downloaded",
                63030: "Parameter not supported by the channel",
                63031: "Sender and recipient are the same",
                63034: "Media is too large for the channel",
                63040: "Template rejected",
                63041: "Template paused",
                63042: "Template disabled",
            },
        ),
        entries(
            Category.PERMANENT,
            errors.ChannelFailed,
            {
                63003: "Channel recipient not found",
                63024: "Invalid recipient",
                63036: "Recipient not reachable by the channel",
            },
        ),
        entries(
            Category.BLOCKED,
            errors.RecipientBlocked,
            {
                30004: "Message blocked",
                30007: "Message filtered",
                30018: "Destination carrier requires registration",
                30024: "Sender not provisioned by the carrier",
                30032: "Toll-free number not verified",
                30033: "Campaign suspended",
                30034: "Number not registered for A2P 10DLC",
                30035: "Number being configured",
                30450: "Message blocked by policy",
                63013: "Channel policy violation",
                63014: "Blocked by the user",
                63026: "Blocked for the recipient",
                63032: "Limit for this recipient reached",
                63033: "Blocked by the recipient",
                63049: "Meta chose not to deliver",
                63062: "Recipient blocked by policy",
            },
        ),
        entries(
            Category.WINDOW,
            errors.WindowClosed,
            {
                63015: "Sandbox not joined by the recipient",
                63016: "Free-form message outside the allowed window",
            },
        ),
    )
)
