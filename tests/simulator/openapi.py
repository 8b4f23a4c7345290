"""Twilio's own OpenAPI documents: which operation a call is, and whether its answer is what the document says.

https://github.com/twilio/twilio-oai
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

# What a `format` stands for, where the validator does not know it.
_FORMATS = {
    "date-time": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
    "date-time-rfc-2822": r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$",
    "uri": r"^((https?:/)?/\S+)?$",  # an unset callback is an empty text, and the 2010 API's own are relative
    "currency": r"^[A-Z]{3}$",
    "http-method": r"^(GET|POST)$",
    "phone-number": r"^(\w+:)?\+?\w+$",
}
_METHODS = ("get", "post", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    method: str
    path: str
    answers: dict[str, Any]
    """status -> schema, None for an empty body"""


@dataclass
class Document:
    """One product, and what has been seen of it."""

    name: str
    operations: list[Operation]
    components: dict[str, Any]
    called: set[tuple[str, str]] = field(default_factory=set)
    matching: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    """What is wrong -> how often: properties missing, unknown or of another kind."""

    @property
    def share(self) -> float:
        return self.matching / max(1, self.matching + self.differing.total())

    def operation(self, method: str, path: str) -> Operation | None:
        """The one with the fewest placeholders, as `…/Local.json` goes before `…/{Sid}.json`."""
        found = [op for op in self.operations if op.method == method.lower() and _pattern(op.path).fullmatch(path)]
        return min(found, key=lambda op: op.path.count("{"), default=None)

    def check(self, operation: Operation, status: int, body: Any) -> None:
        self.called.add((operation.method, operation.path))
        where = f"{operation.method} {operation.path}"
        if str(status) not in operation.answers:
            self.differing[f"{where}: status {status} instead of {', '.join(operation.answers)}"] += 1
            return
        schema = operation.answers[str(status)]
        if schema is None:
            if body is not None:
                self.differing[f"{where}: a body that should not be"] += 1
            return
        self._compare(where, schema, body)

    def _compare(self, where: str, schema: dict[str, Any], value: Any) -> None:
        """Property by property, through lists and references; where the document ends, so does the comparison."""
        schema = self._resolved(schema)
        properties: dict[str, Any] = schema.get("properties", {})
        if not properties or not isinstance(value, dict):
            if isinstance(value, list) and "items" in schema:
                for item in value:
                    self._compare(where, schema["items"], item)
                return
            self._validate(where, schema, value)
            return
        for name in value.keys() - properties.keys():
            self.differing[f"{where}: {name} is unknown"] += 1
        for name, wanted in properties.items():
            if name not in value:
                self.differing[f"{where}: {name} is missing"] += 1
            else:
                self._compare(f"{where}: {name}", wanted, value[name])

    def _validate(self, where: str, schema: dict[str, Any], value: Any) -> None:
        errors = [error.message for error in self._validator(schema).iter_errors(value)]
        for error in errors:
            self.differing[f"{where}: {error}"] += 1
        self.matching += not errors

    def _validator(self, schema: dict[str, Any]) -> Any:
        return jsonschema_rs.validator_for({**_json_schema(schema), "components": {"schemas": self.components}})

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.components[name] if name else schema


def read(path: Path) -> Document:
    whole = json.loads(path.read_text())
    components = {name: _json_schema(schema) for name, schema in whole["components"]["schemas"].items()}
    operations = [
        Operation(method=method, path=route, answers={s: _body(a) for s, a in item[method]["responses"].items()})
        for route, item in whole["paths"].items()
        for method in _METHODS
        if method in item
    ]
    return Document(path.stem, operations, components)


def _body(answer: dict[str, Any]) -> Any:
    content = answer.get("content", {}).get("application/json", {}).get("schema")
    return None if content is None else _json_schema(content)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def _json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 in the words of JSON Schema: `nullable` becomes a type, a known `format` a pattern."""
    if isinstance(schema, list):
        return [_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _json_schema(value) for name, value in schema.items() if name not in {"nullable", "format"}}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        found["type"] = [schema["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    if isinstance(schema.get("format"), str) and schema["format"] in _FORMATS and "pattern" not in found:
        found["pattern"] = _FORMATS[schema["format"]]
    return found
