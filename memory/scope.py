"""Whose memories a request may touch. Every filter on Qdrant is made here; no caller, text or agent adds to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from qdrant_client import models

from memory.item import FACT

DEFAULT_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Scope:
    """One tenant's part of a collection that several may share."""

    tenant: str = DEFAULT_TENANT

    def of(self, contact_id: str, also: Collection[str] = ()) -> models.Filter:
        """All of one person; `also` are further ids of the same person."""
        return models.Filter(must=[self._tenant(), self._contact(contact_id, also)])

    def current(self, contact_id: str, also: Collection[str] = (), exclude: Collection[str] = ()) -> models.Filter:
        """As `of`, without superseded facts and without what comes from the sources in `exclude`."""
        holds = models.IsEmptyCondition(is_empty=models.PayloadField(key="invalid_at"))
        superseded = models.Filter(must=[_equals("kind", FACT)], must_not=[holds])
        theirs = models.FieldCondition(key="source", match=models.MatchAny(any=sorted(exclude)))
        return models.Filter(
            must=[self._tenant(), self._contact(contact_id, also)],
            must_not=[superseded, theirs] if exclude else [superseded],
        )

    def facts(self, contact_id: str, key: str) -> models.Filter:
        """Every fact about one thing, superseded or not."""
        return models.Filter(
            must=[self._tenant(), self._contact(contact_id), _equals("kind", FACT), _equals("key", key)]
        )

    def _tenant(self) -> models.FieldCondition:
        return _equals("tenant", self.tenant)

    @staticmethod
    def _contact(contact_id: str, also: Collection[str] = ()) -> models.FieldCondition:
        if not also:
            return _equals("contact_id", contact_id)
        return models.FieldCondition(key="contact_id", match=models.MatchAny(any=sorted({contact_id, *also})))


def _equals(key: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))
