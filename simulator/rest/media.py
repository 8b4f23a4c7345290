"""The media service: files that conversations' messages carry. https://www.twilio.com/docs/conversations/api/media-resource"""

import mimetypes
import re
from email import message_from_bytes
from email.message import Message as Part
from typing import Any

from simulator.assets import Upload
from simulator.clock import iso_ms
from simulator.errors import TwilioError, not_found
from simulator.rest.call import GONE, Call, Reply

MAX_UPLOAD = 150 * 1024 * 1024  # bytes; https://www.twilio.com/docs/conversations/conversations-limits
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


def create(call: Call) -> Reply:
    """The body is the file itself, or a multipart form with one."""
    content, kind, filename = call.body, call.content_type, call.asked("Filename") or call.asked("FileName")
    if kind.startswith("multipart/"):
        content, kind, found = _first_file(call)
        filename = filename or found
    kind = kind.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(kind):
        raise TwilioError(50511, "Invalid message media content type")
    if not content:
        raise TwilioError(20001, "The media must not be empty")
    if len(content) > MAX_UPLOAD:
        raise TwilioError(50512, "Message media size is too large", 413)
    upload = call.world.uploads.add(
        call.ids[0],
        content,
        kind,
        filename=filename,
        author=call.asked("Author"),
        category=call.asked("Category") or "media",
    )
    return Reply(body=_show(call, upload), status=201)


def fetch(call: Call) -> Reply:
    upload = _find(call)
    body = _show(call, upload)
    body["links"]["content_direct_temporary"] = call.world.urls.of("media") + call.world.uploads.link(upload.sid)
    return Reply(body=body)


def content(call: Call) -> Reply:
    """Redirects to the bytes."""
    link = call.world.uploads.link(_find(call).sid)
    return Reply(status=307, headers={"Location": call.world.urls.of("media") + link})


def delete(call: Call) -> Reply:
    call.world.uploads.remove(_find(call).sid)
    return GONE


def download(call: Call) -> Reply:
    """The bytes; the URL's signature stands for credentials."""
    sid = call.ids[0]
    if not call.world.uploads.opens(sid, call.asked("Expires") or "", call.asked("Signature") or ""):
        raise TwilioError(20003, "Access denied: this link is not valid, or not any more", 403)
    upload, found = call.world.store.uploads.get(sid), call.world.uploads.content(sid)
    if upload is None or found is None:
        raise not_found(call.path)
    return Reply(content=found, headers=headers(upload.content_type))


def headers(content_type: str) -> dict[str, str]:
    """Of a file's bytes: it never opens as a page of the simulator's own."""
    found = {"Content-Type": content_type, "X-Content-Type-Options": "nosniff"}
    if not content_type.startswith(("image/", "audio/", "video/")) or "svg" in content_type:
        found["Content-Disposition"] = "attachment"
    return found


def _first_file(call: Call) -> tuple[bytes, str, str | None]:
    """Content, type and name of the first part that is a file."""
    whole = message_from_bytes(b"Content-Type: " + call.content_type.encode() + b"\r\n\r\n" + call.body)
    parts = whole.get_payload() if whole.is_multipart() else []
    for part in parts:
        if isinstance(part, Part) and (name := part.get_filename()):
            payload = part.get_payload(decode=True)
            guess = mimetypes.guess_type(name)[0] or "application/octet-stream"
            kind = part.get_content_type() if part.get("content-type") else guess
            return payload if isinstance(payload, bytes) else b"", kind, name
    raise TwilioError(20001, "The form has no file")


def _find(call: Call) -> Upload:
    upload = call.world.store.uploads.get(call.ids[1])
    if upload is None or upload.service != call.ids[0]:
        raise not_found(call.path.removeprefix("/v1"))
    return upload


def _show(call: Call, upload: Upload) -> dict[str, Any]:
    path = f"/v1/Services/{upload.service}/Media/{upload.sid}"
    return {
        "sid": upload.sid,
        "account_sid": call.world.config.account_sid,
        "service_sid": upload.service,
        "date_created": iso_ms(upload.created),
        "date_upload_updated": iso_ms(upload.updated),
        "date_updated": iso_ms(upload.updated),
        "links": {"content": f"{path}/Content"},
        "size": upload.size,
        "content_type": upload.content_type,
        "filename": upload.filename,
        "author": upload.author,
        "category": upload.category,
        "message_sid": upload.message_sid,
        "channel_sid": upload.conversation,
        "url": path,
        "is_multipart_upstream": False,
    }
