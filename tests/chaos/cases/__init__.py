"""The fault table of the promises, line by line."""

from __future__ import annotations

from tests.chaos.case import Case
from tests.chaos.cases import away, conduct, deploys, killed, provider, webhooks

CASES: tuple[Case, ...] = (
    *killed.CASES,
    *away.CASES,
    *provider.CASES,
    *webhooks.CASES,
    *conduct.CASES,
    *deploys.CASES,
)
