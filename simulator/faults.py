"""Things that go wrong on purpose. Each fault is armed for a number of times and then gone.

On sending (POST Messages, and a conversation's Messages):
  status         answers `status` (429, 500, 503) and takes nothing; `retry_after` seconds go in the header
  after_commit   takes the message, then answers `status` (500)
  hang           takes the message, then answers only after `seconds`
  reset          takes the message, then cuts the connection
On webhooks (`event`, when given, is `message`, `status` or a Conversations event):
  webhook_duplicate   sends the whole request once more
  webhook_drop        never sends it
  webhook_signature   signs it wrongly
  webhook_delay       waits `seconds` before the first attempt
On delivery:
  delivery       the next outbound message ends as `outcome` (failed, undelivered) with `code`
"""

from dataclasses import asdict, dataclass
from typing import Any

from simulator.errors import ControlError

SEND = ("status", "after_commit", "hang", "reset")
WEBHOOK = ("webhook_duplicate", "webhook_drop", "webhook_signature", "webhook_delay")
KINDS = (*SEND, *WEBHOOK, "delivery")


@dataclass(slots=True, kw_only=True)
class Fault:
    kind: str
    times: int = 1
    status: int = 500
    retry_after: float | None = None
    seconds: float = 1.0
    event: str | None = None
    outcome: str = "undelivered"
    code: int = 30003


class Faults:
    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, fields: dict[str, Any]) -> Fault:
        """Raises ControlError that names the wrong field."""
        fault = Fault(kind=_one_of("kind", fields.get("kind"), KINDS))
        for name, value in fields.items():
            if name not in Fault.__annotations__:
                raise ControlError(name, f"unknown; a fault has {', '.join(Fault.__annotations__)}")
            setattr(fault, name, value)
        if not isinstance(fault.times, int) or fault.times < 1:
            raise ControlError("times", "a whole number from 1 expected")
        if not isinstance(fault.seconds, int | float) or fault.seconds < 0:
            raise ControlError("seconds", "a number from 0 expected")
        if fault.kind == "status":
            _one_of("status", fault.status, (429, 500, 502, 503, 504))
        elif fault.kind == "after_commit":
            _one_of("status", fault.status, (500, 502, 503, 504))
        elif fault.kind == "delivery":
            _one_of("outcome", fault.outcome, ("failed", "undelivered"))
        self._armed.append(fault)
        return fault

    def take(self, kinds: tuple[str, ...], event: str | None = None) -> Fault | None:
        """The first armed fault that fits, used up by one."""
        for fault in self._armed:
            if fault.kind in kinds and (fault.event is None or fault.event == event):
                fault.times -= 1
                if fault.times == 0:
                    self._armed.remove(fault)
                return fault
        return None

    def armed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._armed]

    def clear(self) -> None:
        self._armed.clear()


def _one_of(field: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    if value not in allowed:
        raise ControlError(field, f"one of {', '.join(map(str, allowed))} expected")
    return value
