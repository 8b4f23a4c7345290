"""What holds for all conversations of an account. https://www.twilio.com/docs/conversations/api/configuration-resource"""

from simulator.errors import TwilioError
from simulator.rest import conversations
from simulator.rest.call import Call, Reply

_FIELDS = {
    "chat_service": "DefaultChatServiceSid",
    "messaging_service": "DefaultMessagingServiceSid",
    "inactive_timer": "DefaultInactiveTimer",
    "closed_timer": "DefaultClosedTimer",
}


def fetch(call: Call) -> Reply:
    defaults, base = call.world.talks.defaults, f"{call.world.urls.conversations}/v1"
    return Reply(
        body={
            "account_sid": call.world.config.account_sid,
            "default_chat_service_sid": defaults.chat_service,
            "default_messaging_service_sid": defaults["messaging_service"],
            "default_inactive_timer": defaults["inactive_timer"],
            "default_closed_timer": defaults["closed_timer"],
            "url": f"{base}/Configuration",
            "links": {
                "service": f"{base}/Services/{defaults.chat_service}/Configuration",
                "webhooks": f"{base}/Configuration/Webhooks",
            },
        }
    )


def update(call: Call) -> Reply:
    fields = call.given(**_FIELDS)
    if (sid := fields.get("chat_service")) is not None and call.world.store.services.get(sid) is None:
        raise TwilioError(50050, "Service Instance not found", 404)
    if (sid := fields.get("messaging_service")) is not None and call.world.pools.service(sid) is None:
        raise TwilioError(50341, "Invalid messaging service SID")
    for timer in ("inactive", "closed"):
        if text := fields.get(f"{timer}_timer"):
            conversations.check_timer(timer, text)
    call.world.talks.defaults.change(fields)
    return fetch(call)
