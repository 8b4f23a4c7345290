"""X-Twilio-Signature, as Twilio makes it. https://www.twilio.com/docs/usage/webhooks/webhooks-security"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

Params = Iterable[tuple[str, str]]


def sign(token: str, url: str, params: Params = ()) -> str:
    """Base64 HMAC-SHA1 over the whole URL (query included, fragment not) and the sorted form fields.

    Of a repeated field each distinct value counts once, in sorted order; a blank value counts with its name.
    """
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
