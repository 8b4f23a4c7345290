"""Fetches texts whose webhooks were lost: what the provider lists and no conversation has seen is handed in.

A schedule starts one sweep after the other; each goes on from where the one before ended. It is a workflow, so that a
crash in between costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from workflows.flow import call, reason_of
from workflows.policy import Call

SWEEP = "SweepWorkflow"
SCHEDULE = "messaging-sweep"

# A page is at most some thousand messages, and some hundred questions to conversations. A provider that is away for an
# hour is left to the next sweep, which begins where this one came to.
PAGE = Call(
    timeout=timedelta(minutes=10),
    total=timedelta(hours=1),
    heartbeat=timedelta(seconds=30),
    retry=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=1)),
)

# What was texted just now may still come by its webhook, or not be listed yet.
SETTLING = timedelta(seconds=60)
# What Twilio lists late, or dates by another clock.
OVERLAP = timedelta(minutes=5)
# Pages of one run, at 6 events each; what is left is for the run after it.
PAGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep found: `listed` messages, of which `recovered` were handed in, by provider.

    `reached` is up to when each provider was swept; the next sweep begins there. `left` are texts that wait
    for the next sweep: unseen ones of who has very many, and those of conversations that do not answer. `elsewhere`
    counts unseen messages that are not told to us: of other numbers, or of another product. `failed` says who was not
    swept, and why.
    """

    listed: Mapping[str, int] = field(default_factory=dict)
    recovered: Mapping[str, int] = field(default_factory=dict)
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    reached: Mapping[str, datetime] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPage:
    """One page of a provider's list."""

    provider: str
    since: datetime
    until: datetime
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOrder:
    """What to sweep. Without `since` it goes on from the sweep before, and the first looks back `first` seconds. None
    looks back further than `longest`: of what closed before, nobody knows any more whether it was answered.

    `pages` and `done` are a long sweep's own, from run to run: the page to come of each provider, and what was found.
    """

    providers: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    first: float = 3600.0
    longest: float = 86_400.0
    pages: tuple[SweepPage, ...] = ()
    done: Swept = field(default_factory=Swept)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptPage:
    """What was on it."""

    listed: int = 0
    recovered: int = 0
    elsewhere: int = 0
    left: int = 0
    next_cursor: str | None = None


class SweepActivities:
    """Who looks."""

    @activity.defn(name="sweep_page")
    async def sweep_page(self, page: SweepPage) -> SweptPage:
        """List, ask the conversations, and hand in what none has seen. Doing it again hands nothing in twice."""
        raise NotImplementedError


@workflow.defn(name=SWEEP)
class SweepWorkflow:
    """One sweep over all providers, one after the other."""

    def __init__(self) -> None:
        self._done = Swept()

    @workflow.run
    async def run(self, order: SweepOrder) -> Swept:
        """What was found. Raises nothing: a provider that cannot be swept is told in the result."""
        self._done = order.done
        pages = list(order.pages) or self._first_pages(order)
        for _ in range(PAGES):
            if not pages:
                return self._done
            pages[:1] = await self._sweep(pages[0])
        if pages:
            workflow.continue_as_new(replace(order, pages=tuple(pages), done=self._done))
        return self._done

    @workflow.query
    def progress(self) -> Swept:
        """What was found so far."""
        return self._done

    @staticmethod
    def _first_pages(order: SweepOrder) -> list[SweepPage]:
        """Of each provider, from where the sweep before this one came to, a little earlier; a sweep that is told since
        when goes by that."""
        until = order.until or workflow.now() - SETTLING
        last = workflow.get_last_completion_result(Swept) if workflow.has_last_completion_result() else None
        reached = last.reached if last else {}
        pages = []
        for provider in order.providers:
            known = reached.get(provider)
            begin = known - OVERLAP if known else until - timedelta(seconds=order.first)
            since = max(order.since or begin, until - timedelta(seconds=order.longest))
            pages.append(SweepPage(provider=provider, since=min(since, until), until=until))
        return pages

    async def _sweep(self, page: SweepPage) -> list[SweepPage]:
        """The provider's next page, if there is one."""
        done, provider = self._done, page.provider
        try:
            found: SweptPage = await call(PAGE, SweepActivities.sweep_page, page, summary=provider)
        except ActivityError as error:
            # What the next sweep begins with.
            self._done = replace(
                done,
                failed={**done.failed, provider: reason_of(error)},
                reached={**done.reached, provider: page.since},
            )
            return []
        self._done = replace(
            done,
            listed=_plus(done.listed, provider, found.listed),
            recovered=_plus(done.recovered, provider, found.recovered),
            elsewhere=_plus(done.elsewhere, provider, found.elsewhere),
            left=_plus(done.left, provider, found.left),
        )
        if found.next_cursor is not None:
            return [replace(page, cursor=found.next_cursor)]
        # With some left, the next sweep looks at all of it again: what was handed in by then is known.
        reached = page.since if self._done.left[provider] else page.until
        self._done = replace(self._done, reached={**done.reached, provider: reached})
        return []


def _plus(counts: Mapping[str, int], name: str, more: int) -> dict[str, int]:
    return {**counts, name: counts.get(name, 0) + more}
