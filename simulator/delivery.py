"""One webhook request, until its last attempt: a row of the store, so that it survives a restart."""

from dataclasses import dataclass

from simulator.signature import Params


@dataclass(slots=True, kw_only=True)
class Delivery:
    """`order`: deliveries of the same order key make their first attempts one after the other."""

    url: str
    event: str
    """message, status, a Conversations event, or what the control API was told."""
    subject: str
    """The sid it is about."""
    order: str
    params: Params = ()
    json: str = ""
    """A body that is no form; then there are no `params`."""
    method: str = "POST"
    conversations: bool = False
    twiml: bool = False
    """The answer may hold TwiML for the message `subject`."""
    fallback_url: str = ""
    fallback_method: str = "POST"
    sid: str = ""
    """The idempotency token, the same for all attempts."""
    attempt: int = 0
    """How many attempts were made."""
    due: float = 0.0
    """When the next attempt is made, once the first has failed."""
