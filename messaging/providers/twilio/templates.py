"""Messages by a template of Twilio's Content API: its sid, and the variables that fill it in.

https://www.twilio.com/docs/content/send-templates-created-with-the-content-template-builder
"""

from __future__ import annotations

import json
import re
from typing import Any

from messaging import errors
from messaging.model import Template

_SID = re.compile(r"HX[0-9a-fA-F]{32}")
# https://www.twilio.com/docs/conversations/conversations-limits
_MAX_VARIABLES, _MAX_NAME, _MAX_VALUE = 100, 16, 256


def parameters(template: Template) -> dict[str, Any]:
    """The SDK's arguments.

    Raises:
        errors.InvalidMessage
    """
    if not _SID.fullmatch(template.sid):
        raise errors.InvalidMessage("template.sid: HX and 32 hexadecimal digits expected")
    if len(template.variables) > _MAX_VARIABLES:
        raise errors.InvalidMessage(
            f"template.variables: {len(template.variables)} of them, at most {_MAX_VARIABLES} expected"
        )
    for name, value in template.variables.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise errors.InvalidMessage("template.variables: text by name expected")
        if not 0 < len(name) <= _MAX_NAME or len(value) > _MAX_VALUE:
            raise errors.InvalidMessage(
                f"template.variables: names of 1 to {_MAX_NAME} characters, values of at most {_MAX_VALUE} expected"
            )
    variables = {"content_variables": json.dumps(dict(template.variables))} if template.variables else {}
    return {"content_sid": template.sid, **variables}
