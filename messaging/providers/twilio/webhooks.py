"""From a raw request to events: limits, then the signature, then the parser of the route it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from messaging import errors
from messaging.model import InboundEvent, WebhookRequest
from messaging.providers.twilio import conversation_events, form, message_events, signature
from messaging.providers.twilio.arrival import Arrival
from messaging.providers.twilio.config import TwilioConfig

Parser = Callable[[Arrival], InboundEvent]

# A route that a backend does not serve would be answered by the wrong product, so it is refused.
CONVERSATIONS_ROUTES: Mapping[str, Parser] = {"conversations": conversation_events.parse}
MESSAGING_ROUTES: Mapping[str, Parser] = {
    "messages": message_events.parse_inbound,
    "status": message_events.parse_status,
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Verifies and parses for one backend. Needs no connection and no SDK."""

    provider: str
    config: TwilioConfig
    routes: Mapping[str, Parser]
    now: Callable[[], datetime] = field(default=_utc_now)

    def handle(self, request: WebhookRequest) -> list[InboundEvent]:
        """Verify, then parse.

        Raises:
            errors.InvalidSignature: nothing was parsed.
            errors.InvalidWebhook: names the field.
            errors.InvalidConfig: we could not verify anything, for want of a `webhook_url` or a secret.
        """
        try:
            return [self._event(request)]
        except errors.MessagingError as error:
            error.op, error.provider = "handle_webhook", self.provider
            raise

    def _event(self, request: WebhookRequest) -> InboundEvent:
        parser = self.routes.get(request.route)
        if parser is None:
            raise errors.InvalidWebhook(f"route: {self.provider} serves {', '.join(sorted(self.routes))} only")
        if not request.headers.get(signature.HEADER):
            raise errors.InvalidSignature("X-Twilio-Signature: missing")
        content = form.read(request)
        self._require_signature(request, content)
        form.require_clean(content)
        if not form.is_form(request) and request.method.upper() != "GET":
            return self._untold(request)
        fields = content.first
        account = fields.get("AccountSid")
        if account != self.config.account_sid:
            raise errors.InvalidWebhook(f"AccountSid: {'not our account' if account else 'missing'}")
        return parser(
            Arrival(
                provider=self.provider,
                received_at=self.now(),
                fields=fields,
                query=form.query(request).first,
                author=self.config.author,
            )
        )

    def _untold(self, request: WebhookRequest) -> InboundEvent:
        """A signed body that is no form: none of the events we know come so, and none is dropped."""
        text = request.body.decode("utf-8", "replace").replace("\0", "")
        arrival = Arrival(provider=self.provider, received_at=self.now(), fields={"body": text})
        return replace(arrival.unknown(), account_sid=self.config.account_sid)

    def _require_signature(self, request: WebhookRequest, content: form.Form) -> None:
        if self.config.webhook_url is None:
            raise errors.InvalidConfig("webhook_url: needed to verify webhooks")
        tokens = [token.get_secret_value() for token in self.config.auth_token]
        shared = {name: secret.get_secret_value() for name, secret in self.config.shared_keys.items()}
        if not tokens and not shared:
            raise errors.InvalidConfig("auth_token: needed to verify webhooks, an API key signs none")
        get = request.method.upper() == "GET"
        genuine = signature.verify(
            url=self.config.webhook_url + request.path + (f"?{request.query}" if request.query else ""),
            headers=request.headers,
            fields=content.pairs if content.signed else (() if get else None),
            body=request.body,
            tokens=tokens,
            shared_keys=shared,
        )
        if not genuine:
            raise errors.InvalidSignature("X-Twilio-Signature: does not fit the configured webhook_url, path and body")
