"""What Twilio does differently from account to account, or what is not settled: to be switched while running."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from simulator.config import SimulatorConfig
from simulator.errors import ControlError
from simulator.records import Setting
from simulator.store import Store

_SETTING = "switches"


@dataclass(slots=True, kw_only=True)
class Switches:
    """Begins as configured; what was switched stays so over a restart."""

    dual_delivery: bool
    """An inbound text that a conversation takes still fires its number's own webhook."""
    carrier_events_at_service: bool
    """A service's own hook hears of texts from phones (onMessageAdded). One live account was seen where it does not."""
    whatsapp_window: bool
    """Free-form WhatsApp more than 24 h after the person's last text fails with 63016."""
    opt_out: bool
    """Twilio heeds STOP and START."""
    opt_out_async: bool
    """A send to somebody who opted out is taken and fails later (21610), not refused at once."""

    @classmethod
    def of(cls, config: SimulatorConfig, store: Store) -> "Switches":
        kept = store.settings.get(_SETTING)
        given = {field.name: getattr(config, field.name) for field in fields(cls)}
        return cls(**(given | (kept.value if kept is not None else {})))

    def restore(self, config: SimulatorConfig) -> None:
        """As configured again."""
        for field in fields(self):
            setattr(self, field.name, getattr(config, field.name))

    def set(self, given: dict[str, Any], store: Store) -> None:
        """Raises ControlError that names the wrong field."""
        for name, value in given.items():
            if name not in self.__slots__:
                raise ControlError(name, f"unknown; one of {', '.join(self.__slots__)} expected")
            if not isinstance(value, bool):
                raise ControlError(name, "true or false expected")
        for name, value in given.items():
            setattr(self, name, value)
        store.settings.add(Setting(sid=_SETTING, value=asdict(self)))
