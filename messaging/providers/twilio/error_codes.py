"""Twilio's error codes: which error of ours each one is, and what may be done about it.

https://www.twilio.com/docs/api/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from messaging import errors
from messaging.errors import Category
from messaging.providers.twilio.carrier_codes import CARRIER_ENTRIES
from messaging.providers.twilio.error_entry import Entry, entries

ENTRIES: Mapping[int, Entry] = dict(
    chain(
        CARRIER_ENTRIES.items(),
        entries(
            Category.RATE,
            errors.RateLimit,
            {
                14107: "Message rate limit between two numbers exceeded",
                20429: "Too Many Requests",
                21611: "The sender has exceeded its queue limit",
                50063: "Actions per second limit exceeded",
                50074: "Global actions per second limit exceeded",
            },
            retryable=True,
        ),
        entries(
            Category.AMBIGUOUS,
            errors.NetworkError,
            {
                20500: "Internal Server Error",
                20503: "Service Unavailable",
                20504: "Gateway Timeout",
            },
            ambiguous=True,
        ),
        entries(
            Category.CONFLICT,
            errors.ConversationFailed,
            {
                20409: "Conflict",
                50213: "Conflicting user modification",
                50391: "Conflicting conversation modification",
                50419: "Conflicting member modification",
                50449: "Conflicting channel modification",
            },
            retryable=True,
        ),
        entries(
            Category.CONFLICT,
            errors.InvalidConversation,
            {
                50353: "A conversation with this unique name already exists",
                50438: "A group conversation with these participants already exists",
            },
        ),
        entries(
            Category.CONFLICT,
            errors.InvalidParticipant,
            {
                50404: "Member already exists",
                50416: "The pair of address and proxy address is already in use",
                50433: "Participant already exists",
                50437: "Group participant already exists",
            },
        ),
        entries(
            Category.CONFIG,
            errors.AuthenticationError,
            {
                20003: "Authenticate",
                20004: "Method denied",
                20006: "Access denied",
            },
        ),
        entries(
            Category.CONFIG,
            errors.AuthorizationError,
            {
                20005: "Account not active",
                50107: "User not authorized for command",
                50385: "Conversations are disabled in this region",
                50413: "Account is not authorized to use the proxy address",
                50439: "Account is not authorized to use the projected address",
                50452: "Group MMS is not enabled for this account",
            },
        ),
        entries(
            Category.CONFIG,
            errors.MessageFailed,
            {
                21212: "Invalid 'From' number",
                21601: "'From' cannot send messages",
                21603: "'From' is required",
                21605: "'From' has reached its limit of segments",
                21606: "'From' is not owned or cannot send",
                21609: "StatusCallback is not a valid URL",
                21659: "'From' is not a number of the account",
                21660: "'From' does not belong to the account",
                21664: "FallbackFrom cannot go with 'From'",
                21665: "FallbackFrom is invalid",
                21666: "FallbackFrom needs a messaging service",
                21667: "Messaging service has no RCS sender",
                21702: "Messaging service has no such sender",
                21703: "Messaging service has no sender",
                21705: "Messaging service is invalid",
                21712: "'From' is not in the messaging service",
                35114: "SendAt is missing",
                35115: "SendAt is invalid",
                35117: "SendAt is too far ahead",
            },
        ),
        entries(
            Category.CONFIG,
            errors.InvalidConversation,
            {
                50340: "Messaging service SID not provided",
                50341: "Invalid messaging service SID",
                50342: "Messaging service does not belong to the account",
                50373: "No messaging service assigned to the conversation",
            },
        ),
        entries(
            Category.CONFIG,
            errors.InvalidParticipant,
            {
                50414: "The address and the proxy address are of different types",
                50415: "The proxy address is no WhatsApp sender",
            },
        ),
        entries(
            Category.NOT_FOUND,
            errors.NotFound,
            {
                20404: "Not Found",
                50200: "User not found",
                50500: "Message not found",
            },
        ),
        entries(
            Category.NOT_FOUND,
            errors.ConversationNotFound,
            {
                50300: "Channel not found",
                50350: "Conversation not found",
            },
        ),
        entries(
            Category.NOT_FOUND,
            errors.ParticipantNotFound,
            {
                50402: "Member not found",
                50430: "Not a member of the conversation",
                50432: "Participant not found",
            },
        ),
        entries(Category.CLOSED, errors.ConversationClosed, {50377: "The conversation is in its final closed state"}),
        entries(
            Category.PERMANENT,
            errors.InvalidMessage,
            {
                21211: "Invalid 'To' phone number",
                21214: "'To' phone number cannot be reached",
                21266: "'To' and 'From' are the same",
                21602: "Message body is required",
                21604: "'To' phone number is required",
                21612: "Message cannot be sent with this 'To' and 'From'",
                21614: "'To' is no mobile number",
                21617: "Message body exceeds 1600 characters",
                21620: "Invalid media URL",
                21623: "Number of media files exceeds the limit",
                21654: "ContentSid is required",
                21655: "ContentSid is invalid",
                21656: "ContentVariables are invalid",
                21658: "ContentVariables are too long",
                50503: "Message body not provided",
                50504: "Message body is too long",
                50506: "Media SID not provided",
                50507: "Media not found",
                50508: "Media already sent with another message",
                50510: "Invalid media SID",
                50511: "Invalid media content type",
                50512: "Media is too large",
                50513: "The author must take part in the group",
                50526: "Invalid content SID",
                50527: "Invalid content variables",
                50528: "Content SID is missing",
                50529: "Content variables are too long",
            },
        ),
        entries(
            Category.PERMANENT,
            errors.InvalidConversation,
            {
                50304: "Attributes not valid JSON",
                50374: "State must not be empty",
                50375: "The inactive timer must be at least 1 minute",
                50376: "The closed timer must be at least 10 minutes",
                50378: "State is invalid",
                50379: "The inactive timer's format is invalid",
                50380: "The closed timer's format is invalid",
                50382: "A timer needs a state",
                50384: "The initial state cannot be closed",
                50390: "The unique name must not look like a sid",
            },
        ),
        entries(
            Category.PERMANENT,
            errors.InvalidParticipant,
            {
                50407: "Invalid messaging binding address",
                50408: "Invalid proxy address",
                50409: "The address equals the proxy address",
                50410: "Invalid address",
                50411: "The address is empty",
                50412: "The proxy address is empty",
                50420: "The binding type does not support these parameters",
                50434: "Projected address not provided",
                50453: "The proxy address is not supported for this channel",
            },
        ),
        entries(
            Category.LIMIT,
            errors.InvalidConversation,
            {
                50003: "Friendly name too long",
                50004: "Unique name too long",
                50303: "Attributes too long",
                50361: "Too many webhooks",
                50362: "Too many webhook triggers",
            },
        ),
        entries(
            Category.LIMIT,
            errors.InvalidParticipant,
            {
                50207: "Identity too long",
                50208: "User conversation limit exceeded",
                50214: "User conversation limit exceeded",
                50403: "Member limit exceeded",
                50417: "Participant limit exceeded",
                50418: "Limit of participants without chat exceeded",
                50422: "Limit of participants without chat exceeded",
                50436: "Participant limit of a group exceeded",
            },
        ),
        entries(Category.LIMIT, errors.InvalidMessage, {50310: "Author is too long"}),
        entries(
            Category.BLOCKED,
            errors.RecipientBlocked,
            {
                21408: "Region not enabled for the account",
                21610: "Recipient has opted out",
            },
        ),
    )
)
