"""X-Twilio-Signature, as Twilio makes it. https://www.twilio.com/docs/usage/webhooks/webhooks-security"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

Params = tuple[tuple[str, str], ...]


def sign(secret: str, url: str, params: Iterable[tuple[str, str]] = (), *, algorithm: str = "sha1") -> str:
    """Base64 HMAC over the whole URL (query included, fragment not) and the sorted form fields.

    Of a repeated field each distinct value counts once, in sorted order; a blank value counts with its name.
    """
    signed = url + "".join(name + value for name, value in sorted(set(params)))
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), algorithm)).decode()


def body_hash(body: bytes) -> str:
    """What `bodySHA256` in the URL says of a body that is no form."""
    return hashlib.sha256(body).hexdigest()
