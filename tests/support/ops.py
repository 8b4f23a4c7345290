"""What the dashboards and alert rules of `ops/` ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

OPS = Path(__file__).parents[2] / "ops"
_STRINGS, _BY = re.compile(r'"[^"]*"'), re.compile(r"\bby\s*\(([^)]*)\)")
_LABELS = re.compile(r"\{([^}]*)\}")
_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")
_FUNCTIONS = {"histogram_quantile", "increase", "rate", "absent"}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((OPS / "prometheus" / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [
        panel
        for dashboard in (OPS / "grafana" / "dashboards").glob("*.json")
        for panel in json.loads(dashboard.read_text())["panels"]
        if panel["type"] != "row"
    ]


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


def metrics() -> set[str]:
    """The samples that are asked for, by their full names."""
    return {name for row in expressions() for name in _NAME.findall(_bare(row))} - _FUNCTIONS


def labels() -> set[str]:
    """The labels that are selected or grouped by."""
    found = set[str]()
    for row in expressions():
        plain = _STRINGS.sub("", row)
        found |= {label.strip() for group in _BY.findall(plain) for label in group.split(",")}
        found |= {label for group in _LABELS.findall(plain) for label in re.findall(r"(\w+)\s*[=!]", group)}
    return found - {"le"}


def _bare(expression: str) -> str:
    return _LABELS.sub("", _BY.sub("", _STRINGS.sub("", expression)))
