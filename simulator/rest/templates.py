"""Content templates and their approval by WhatsApp. JSON in, JSON out. https://www.twilio.com/docs/content/content-api-resources"""

from typing import Any

from simulator.assets import Template
from simulator.clock import iso
from simulator.errors import TwilioError, not_found
from simulator.rest import paging
from simulator.rest.call import GONE, Call, Reply

_CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")
_TYPES = frozenset(
    {
        "twilio/text", "twilio/media", "twilio/location", "twilio/list-picker", "twilio/call-to-action",
        "twilio/quick-reply", "twilio/card", "twilio/catalog", "twilio/carousel", "twilio/flows", "twilio/schedule",
        "whatsapp/card", "whatsapp/authentication", "whatsapp/flows",
    }
)  # fmt: skip


def create(call: Call) -> Reply:
    fields, now = _fields(call.json()), call.world.clock.now()
    if "language" not in fields or "types" not in fields:
        raise TwilioError(20001, "language, types: both required")
    fields.setdefault("friendly_name", None)
    template = Template(sid=call.world.sids.new("HX"), created=now, updated=now, **fields)
    call.world.store.templates.add(template)
    return Reply(body=_show(call, template), status=201)


def listing(call: Call) -> Reply:
    return paging.v1(call, "contents", _newest(call), lambda row: _show(call, row), most=500)


def list_with_approvals(call: Call) -> Reply:
    """Both names of the listing: /v1/ContentAndApprovals and /v2/ContentAndApprovals."""

    def show(row: Template) -> dict[str, Any]:
        shown = _show(call, row)
        del shown["url"], shown["links"]
        return shown | {"approval_requests": _approval(call, row)}

    return paging.v1(call, "contents", _newest(call), show, most=500)


def fetch(call: Call) -> Reply:
    return Reply(body=_show(call, _find(call)))


def update(call: Call) -> Reply:
    """A template under review or approved stays as it is."""
    template, fields = _find(call), _fields(call.json())
    if template.status in {"received", "approved"}:
        raise TwilioError(20001, "A template that was submitted for approval cannot be changed")
    call.world.store.templates.change(template, updated=call.world.clock.now(), **fields)
    return Reply(body=_show(call, template))


def delete(call: Call) -> Reply:
    call.world.store.templates.remove(_find(call).sid)
    return GONE


def fetch_approval(call: Call) -> Reply:
    template = _find(call)
    url = f"{call.world.urls.of('content')}/v1/Content/{template.sid}/ApprovalRequests"
    whatsapp = _approval(call, template)
    return Reply(
        body={
            "sid": template.sid,
            "account_sid": call.world.config.account_sid,
            "url": url,
            "whatsapp": {"type": "whatsapp", **whatsapp},
        }
    )


def create_approval(call: Call) -> Reply:
    """Hands the template in; the review ends well after `template_review` seconds."""
    template, fields = _find(call), call.json()
    name, category = fields.get("name"), fields.get("category")
    if not isinstance(name, str) or not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_"):
        raise TwilioError(20001, "name: lower-case letters, digits and underscores expected")
    if category not in _CATEGORIES:
        raise TwilioError(20001, f"category: one of {', '.join(_CATEGORIES)} expected")
    if template.status in {"received", "approved"}:
        raise TwilioError(20409, "This template has been submitted for approval already", 409)
    approval = {"name": name, "category": category, "allow_category_change": fields.get("allow_category_change", True)}
    call.world.store.templates.change(template, approval=approval, status="received", updated=call.world.clock.now())
    return Reply(body=_approval(call, template, status="received"), status=201)


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """Those that are there, checked. SDKs send a null for each type that is not used."""
    fields: dict[str, Any] = {}
    for name in ("friendly_name", "language"):
        if given.get(name) is not None:
            if not isinstance(given[name], str) or not given[name]:
                raise TwilioError(20001, f"{name}: a text expected")
            fields[name] = given[name]
    if given.get("variables") is not None:
        if not isinstance(given["variables"], dict):
            raise TwilioError(20001, "variables: an object expected")
        fields["variables"] = {str(name): str(value) for name, value in given["variables"].items()}
    if given.get("types") is not None:
        types = given["types"] if isinstance(given["types"], dict) else {}
        found = {kind: _without_nulls(shape) for kind, shape in types.items() if shape is not None}
        if not found or not found.keys() <= _TYPES or not all(isinstance(shape, dict) for shape in found.values()):
            raise TwilioError(20001, f"types: an object of {', '.join(sorted(_TYPES))} expected")
        fields["types"] = found
    return fields


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _newest(call: Call) -> list[Template]:
    return list(reversed(call.world.store.templates.rows.values()))


def _find(call: Call) -> Template:
    template = call.world.store.templates.get(call.ids[0])
    if template is None:
        raise not_found(f"/Content/{call.ids[0]}")
    return template


def _show(call: Call, template: Template) -> dict[str, Any]:
    url = f"{call.world.urls.of('content')}/v1/Content/{template.sid}"
    return {
        "sid": template.sid,
        "account_sid": call.world.config.account_sid,
        "friendly_name": template.friendly_name,
        "language": template.language,
        "variables": template.variables,
        "types": template.types,
        "date_created": iso(template.created),
        "date_updated": iso(template.updated),
        "url": url,
        "links": {
            "approval_create": f"{url}/ApprovalRequests/whatsapp",
            "approval_fetch": f"{url}/ApprovalRequests",
        },
    }


def _approval(call: Call, template: Template, status: str | None = None) -> dict[str, Any]:
    return {
        "name": template.approval.get("name", ""),
        "category": template.approval.get("category", ""),
        "content_type": next(iter(template.types)),
        "status": status or call.world.reviewed(template),
        "rejection_reason": "",
        "allow_category_change": template.approval.get("allow_category_change", True),
    }
