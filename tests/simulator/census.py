"""How many calls each SDK has made of each resource, and what share of Twilio's own documents the answers match.

Printed at the end of a run.
"""

from collections import Counter

CALLS: Counter[tuple[str, str]] = Counter()
"""(SDK, resource) -> calls"""
LINES: list[str] = []
"""Whatever else a test has to report."""


def add(sdk: str, resource: str, calls: int) -> None:
    CALLS[sdk, resource] += calls


def report() -> list[str]:
    sdks = sorted({sdk for sdk, _ in CALLS})
    names = sorted({resource for _, resource in CALLS})
    table = [f"{'calls':<44}" + "".join(f"{sdk:>10}" for sdk in sdks)] if names else []
    table += [f"{name:<44}" + "".join(f"{CALLS[sdk, name]:>10}" for sdk in sdks) for name in names]
    if names:
        totals = [sum(count for (sdk, _), count in CALLS.items() if sdk == wanted) for wanted in sdks]
        table.append(f"{f'{len(names)} resources':<44}" + "".join(f"{total:>10}" for total in totals))
    return table + LINES
