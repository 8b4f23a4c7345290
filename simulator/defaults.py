"""What holds for an account's conversations unless one says otherwise: the Configuration of Conversations."""

from simulator.config import SimulatorConfig
from simulator.records import Setting
from simulator.store import Store

_KEY = "conversations"


class Defaults:
    """Every account has a default service of each kind; at first their sids follow from the account's."""

    def __init__(self, config: SimulatorConfig, store: Store) -> None:
        self._store = store
        self._first = {
            "chat_service": "IS" + config.account_sid[2:],
            "messaging_service": "MG" + config.account_sid[2:],
        }

    def __getitem__(self, name: str) -> str | None:
        """chat_service, messaging_service, inactive_timer, closed_timer."""
        kept = self._store.settings.get(_KEY)
        found = kept.value.get(name) if kept is not None else None
        return found or self._first.get(name)

    @property
    def first_chat_service(self) -> str:
        return self._first["chat_service"]

    @property
    def chat_service(self) -> str:
        return self["chat_service"] or ""

    @property
    def timers(self) -> dict[str, str]:
        found = {name: self[f"{name}_timer"] for name in ("inactive", "closed")}
        return {name: duration for name, duration in found.items() if duration}

    def change(self, fields: dict[str, str]) -> None:
        kept = self._store.settings.get(_KEY)
        self._store.settings.add(Setting(sid=_KEY, value=(kept.value if kept else {}) | fields))
