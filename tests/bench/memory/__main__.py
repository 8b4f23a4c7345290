"""`python -m tests.bench.memory`: exit code 1 if a figure is below what the product promises."""

from __future__ import annotations

import argparse
import asyncio

from rich.console import Console

from agents.offline import SAMPLE, OfflineEngine
from memory.embedders.cached import CachedEmbedder
from memory.embedders.minilm import MiniLmEmbedder
from memory.knowledge import KnowledgeBase
from tests.bench.memory import load, measure, report
from tests.bench.memory.measure import System
from tests.bench.memory.people import SETS, people
from tests.bench.memory.systems import Bm25, Latest, Ours
from tests.bench.memory.world import open_store
from workflows import policy

# As many messages as a conversation carries along.
MANY = policy.TRANSCRIPT_MESSAGES


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    for name, default, meaning in (
        ("people", 20, "people in the conversations"),
        ("seed", 7, "of what they say and ask"),
        ("memories", 100_000, "memories in the store that is searched for speed"),
        ("contacts", 5_000, "people whose memories those are"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{meaning} [{default}]")
    parser.add_argument("--set", choices=SETS, default="shop", help="what people speak of [shop]")
    parser.add_argument("--wrong", action="store_true", help="list the questions that were answered wrongly")
    return parser.parse_args()


async def _run(options: argparse.Namespace, console: Console) -> int:
    everybody = people(options.people, seed=options.seed, topics=SETS[options.set])
    embedder = CachedEmbedder(MiniLmEmbedder(), size=5_000)
    async with open_store(embedder) as store:
        ours = Ours(store)
        systems: list[System] = [ours, Bm25(), Latest(), Latest(top=MANY)]
        for system in systems:
            for person in everybody:
                await system.learn(person)
        found = {system.name: await measure.recall(system, everybody) for system in systems}
        engine = OfflineEngine(KnowledgeBase(SAMPLE, embedder), embedder)
        answered = await measure.answers(ours, engine, everybody)
    speed = await load.measure(embedder, memories=options.memories, people=options.contacts, seed=options.seed)
    report.show(console, everybody, found, answered, speed)
    for row in answered if options.wrong else ():
        if not row.right:
            told = row.question.answer or "(nothing)"
            console.print(f"{row.question.kind}: {row.question.text} {told} => {row.draft.text}", markup=False)
    reached = report.follow_ups(answered) >= report.FOLLOW_UPS and report.switched(answered) >= report.SWITCHED
    return 0 if reached else 1


def main() -> int:
    """Measure and print."""
    return asyncio.run(_run(_options(), Console()))


if __name__ == "__main__":
    raise SystemExit(main())
