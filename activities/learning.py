"""Finds facts in what a person said, and sums up what the window lets go of."""

from __future__ import annotations

from temporalio import activity

from activities import failures
from agents.learning import FactExtractor, Heard
from agents.summary import Summariser
from workflows import contracts
from workflows.contracts import LearningActivities, LearnRequest, Lesson


class Learning(LearningActivities):
    """Runs the one extractor and the one summariser of this worker."""

    def __init__(self, extractor: FactExtractor, summariser: Summariser) -> None:
        self._extractor = extractor
        self._summariser = summariser

    @activity.defn(name="learn")
    async def learn(self, request: LearnRequest) -> Lesson:
        """Raises ApplicationError."""
        facts = []
        try:
            for heard in request.heard:
                found = await self._extractor.extract(Heard(text=heard.fact.text, preceding=heard.preceding))
                facts += [contracts.Told(source=heard.source, fact=fact) for fact in found]
            summary = request.summary
            if request.leaving:
                summary = await self._summariser.summarise(summary, request.leaving)
        except Exception as error:
            raise failures.of_agent(error, attempt=activity.info().attempt) from error
        return Lesson(facts=tuple(facts), summary=summary)
