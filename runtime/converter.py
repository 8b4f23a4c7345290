"""How values become payloads: Temporal's pydantic converter, with one set of validators for the whole process.

The SDK makes a converter for each conversation in a worker's cache, and each builds its own validators. For all that a
first turn reads that takes about 25 ms of CPU, which every new and every evicted conversation would pay again.
"""

from __future__ import annotations

import functools
from typing import Any

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

_validator = functools.lru_cache(maxsize=256)(TypeAdapter)


def sharing(modules: tuple[str, ...]) -> DataConverter:
    """A converter that shares the validators of the classes of these modules, with all that is below them.

    They must be those that the workflow sandbox passes through. A class that the sandbox imports anew for each
    conversation must not be kept here: it would keep the conversation's modules alive.
    """

    class Json(PydanticJSONPlainPayloadConverter):
        def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
            if type(type_hint) is type and _is_below(type_hint.__module__, modules):
                return _validator(type_hint).validate_json(payload.data)
            return super().from_payload(payload, type_hint)

    class Payloads(CompositePayloadConverter):
        def __init__(self) -> None:
            known = DefaultPayloadConverter.default_encoding_payload_converters
            super().__init__(*(Json() if isinstance(one, JSONPlainPayloadConverter) else one for one in known))

    return DataConverter(payload_converter_class=Payloads)


def _is_below(module: str, modules: tuple[str, ...]) -> bool:
    return any(module == above or module.startswith(f"{above}.") for above in modules)
