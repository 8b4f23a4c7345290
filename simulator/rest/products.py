"""Which Twilio product a request means. The same paths exist on several hosts: /v1/Services on four of them."""

from urllib.parse import unquote

from starlette.requests import Request

NAMES = ("api", "conversations", "messaging", "content", "mcs", "media", "chat", "verify")
_V1_OF_CONVERSATIONS = frozenset(
    {
        "Configuration", "Conversations", "ConversationWithParticipants", "Credentials", "ParticipantConversations",
        "Roles", "Services", "Users",
    }
)  # fmt: skip


def meant(request: Request) -> tuple[str, tuple[str, ...]]:
    """Product and path parts: by original host, by a prefix of the path, or by what the path looks like."""
    raw = request.scope["raw_path"].decode("latin-1").split("?")[0]
    parts = tuple(unquote(part) for part in raw.strip("/").split("/"))
    host = request.headers.get("x-sim-original-host") or request.headers.get("host", "")
    if host.partition(":")[0].endswith(".twilio.com"):
        return host.partition(".")[0], parts
    if parts[0] in NAMES:
        return parts[0], parts[1:]
    if parts[0] == "v1" and len(parts) > 1 and parts[1] in _V1_OF_CONVERSATIONS:
        return "conversations", parts
    if len(parts) > 1 and parts[1] in {"Content", "ContentAndApprovals"}:
        return "content", parts
    if len(parts) > 1 and parts[1] == "Indicators":
        return "messaging", parts
    return "api", parts


def speaks_xml(parts: tuple[str, ...]) -> bool:
    """Whether a path of the 2010 API has no `.json`, and is not that of a file's bytes."""
    return parts[0] == "2010-04-01" and not parts[-1].endswith(".json") and parts[-2:-1] != ("Media",)
