"""A conversation and its participants in one call. https://www.twilio.com/docs/conversations/api/conversation-with-participants-resource"""

from simulator.errors import TwilioError
from simulator.rest import conversations, members
from simulator.rest.call import Call, Reply

_MOST = 10


async def create(call: Call) -> Reply:
    """201; or 202 for a group MMS, which is `initializing` until the carrier has set it up. All or nothing."""
    fields = await conversations.new(call)
    wanted = [members.from_json(text) for text in call.form.get("Participant", [])]
    if len(wanted) > _MOST:
        raise TwilioError(50417, f"Participants limit exceeded: at most {_MOST} at once")
    members.check_all(call, wanted)
    group = members.is_group(wanted)
    if group:
        fields["state"] = "initializing"
    conversation = call.world.talks.open(service=call.service, source=call.source, **fields)
    for member in wanted:
        call.world.talks.join(conversation, source=call.source, **member.fields())
    if group:
        call.world.groups.provision(conversation)
    return Reply(body=conversations.show(call, conversation), status=202 if group else 201)
