"""Providers by name. They announce themselves as entry points, so a third party's needs no line of ours.

    [project.entry-points."messaging.providers"]
    example = "example.messaging:backend"

A factory takes a `MessagingConfig` and returns a `ConversationalBackend`: a function, or the backend's class itself.
One that has the attribute `CAPABILITIES` can be described to somebody who has no credentials yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from messaging import errors
from messaging.backend import ConversationalBackend
from messaging.config import MessagingConfig, new_config
from messaging.model import Capabilities

GROUP = "messaging.providers"

Factory = Callable[[MessagingConfig], ConversationalBackend]


def providers() -> Mapping[str, EntryPoint]:
    """The installed providers. Nothing of theirs is imported."""
    return {found.name: found for found in entry_points(group=GROUP)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """An installed provider. `capabilities` is None where it does not tell them, or `error` says why it cannot."""

    name: str
    entry_point: str
    distribution: str = ""
    version: str = ""
    capabilities: Capabilities | None = None
    error: str = ""


def describe() -> tuple[Description, ...]:
    """The installed providers by name, as far as can be told without credentials. Imports them; one that is broken
    says so and hides no other."""
    return tuple(_description(entry_point) for _, entry_point in sorted(providers().items()))


def _description(entry_point: EntryPoint) -> Description:
    from_whom = entry_point.dist
    known = Description(
        name=entry_point.name,
        entry_point=entry_point.value,
        distribution=from_whom.name if from_whom else "",
        version=from_whom.version if from_whom else "",
    )
    try:
        found = getattr(entry_point.load(), "CAPABILITIES", None)
    except Exception as broken:  # noqa: BLE001 - code of others, which may fail in any way while it is imported
        return replace(known, error=f"cannot be loaded, {type(broken).__name__}")
    return replace(known, capabilities=found if isinstance(found, Capabilities) else None)


def new_backend(provider: str, **options: Any) -> ConversationalBackend:
    """Build a backend, with spans, metrics and logs around it as configured. It is not started.

    Args:
        options: Fields of `MessagingConfig`; every other keyword goes into its `provider_specific`.

    Raises:
        errors.ProviderNotFound: lists what there is.
        errors.InvalidConfig
    """
    from messaging.instrumented import InstrumentedBackend  # noqa: PLC0415 - listing providers needs no telemetry

    return InstrumentedBackend(_made(provider, _factory(provider), _config(provider, options)))


def _made(provider: str, factory: Factory, config: MessagingConfig) -> ConversationalBackend:
    try:
        backend = factory(config)
        _ = backend.name, backend.get_config  # as every backend has them
    except errors.MessagingError:
        raise
    except Exception as broken:  # noqa: BLE001 - code of others
        # Its words stay out: they may quote an option, which may be a secret.
        raise errors.InvalidConfig(
            f"provider: what its entry point names builds no backend, {type(broken).__name__}",
            op="new_backend",
            provider=provider,
        ) from None
    return backend


def _factory(provider: str) -> Factory:
    known = providers()
    if provider not in known:
        there = ", ".join(sorted(known)) or "none"
        raise errors.ProviderNotFound(f"provider: not registered; there is {there}", op="new_backend")
    try:
        factory: Factory = known[provider].load()
    except Exception as broken:  # noqa: BLE001 - code of others, which may fail in any way while it is imported
        raise errors.ProviderNotFound(
            f"provider: its entry point {known[provider].value} cannot be loaded, {type(broken).__name__}",
            op="new_backend",
            provider=provider,
        ) from None
    return factory


def _config(provider: str, options: Mapping[str, Any]) -> MessagingConfig:
    ours = MessagingConfig.model_fields.keys() - {"provider", "provider_specific"}
    common = {name: value for name, value in options.items() if name in ours}
    own = {name: value for name, value in options.items() if name not in {*ours, "provider_specific"}}
    given = options.get("provider_specific", {})
    if not isinstance(given, Mapping):
        raise errors.InvalidConfig("provider_specific: options by name expected", op="new_backend", provider=provider)
    return new_config(provider, **common, provider_specific={**given, **own})
