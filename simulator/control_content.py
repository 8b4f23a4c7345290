"""`/_sim/media` and `/_sim/templates`: files on phones, and what WhatsApp thinks of a template."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.content import STATUSES
from simulator.errors import ControlError
from simulator.rest import media
from simulator.uploads import attachment
from simulator.world import World


async def add_media(world: World, request: Request) -> dict[str, str]:
    """A file from a person's phone: the body is its bytes. What comes back may be named as media of an inbound."""
    content, kind = await request.body(), request.headers.get("content-type", "application/octet-stream")
    if not content:
        raise ControlError("body of the request", "the bytes of a file expected")
    if len(content) > media.MAX_UPLOAD:
        raise ControlError("body of the request", f"at most {media.MAX_UPLOAD} bytes", 413)
    filename = request.query_params.get("filename")
    return attachment(world.uploads.add(world.talks.defaults.chat_service, content, kind, filename=filename))


def open_media(world: World, sid: str) -> Response:
    """The bytes of a file, for phones."""
    upload, content = world.store.uploads.get(sid), world.uploads.content(sid)
    if upload is None or content is None:
        raise ControlError("sid", "no such file", 404)
    return Response(content, headers=media.headers(upload.content_type))


def set_template(world: World, fields: dict[str, Any]) -> dict[str, str]:
    template = world.store.templates.get(str(fields.get("sid")))
    if template is None:
        raise ControlError("sid", "no such template", 404)
    status = fields.get("status")
    if status not in STATUSES:
        raise ControlError("status", f"one of {', '.join(STATUSES)} expected")
    world.store.templates.change(template, status=status)
    return {"sid": template.sid, "status": template.status}
