"""The spool keeps what it acknowledged, in order, through kills; and says at once when it cannot."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from runtime.spool import FILE, Spool, Spooled, SpoolUnusable


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    async with aclosing(Spool(tmp_path / "spool", megabytes=64)) as spool:
        yield spool


def one(key: int | str, conversation: str = "a", size: int = 10) -> Spooled:
    return Spooled(key=str(key), conversation=conversation, event=b"x" * size)


def keys(spool: Spool) -> list[str]:
    return [waiting.key for waiting in spool.peek(100_000)]


async def test_what_is_kept_comes_out_in_order_and_once(spool: Spool) -> None:
    await spool.put([one(1), one(2, "b")])
    await spool.put([one(3), one(1)])

    assert keys(spool) == ["1", "2", "3"]
    assert (spool.depth(), spool.holds("a"), spool.holds("b"), spool.holds("c")) == (3, True, True, False)
    assert spool.oldest() >= 0
    await spool.remove([waiting.id for waiting in spool.peek(2)])
    assert (keys(spool), spool.holds("b")) == (["3"], False)


async def test_hundreds_at_once_are_all_kept(spool: Spool) -> None:
    await asyncio.gather(*(spool.put([one(number)]) for number in range(500)))

    assert sorted(keys(spool), key=int) == [str(number) for number in range(500)]


async def test_one_that_is_set_aside_holds_up_no_other_and_is_still_there(spool: Spool) -> None:
    await spool.put([one(1), one(2)])
    await spool.refuse(spool.peek(1)[0].id, "too large")

    assert (keys(spool), spool.depth(), spool.refused()) == (["2"], 1, 1)


async def test_a_full_spool_says_so_at_once_and_takes_again_when_it_has_drained(tmp_path: Path) -> None:
    async with aclosing(Spool(tmp_path, megabytes=1)) as spool:
        taken = 0
        while not await spool.check():
            await spool.put([one(taken, size=60_000)])
            taken += 1
        with pytest.raises(SpoolUnusable, match=r"full; .* MESSAGING_SPOOL_MEGABYTES"):
            await spool.put([one(number, size=60_000) for number in ("one", "too many")])
        assert 10 <= taken < 17
        assert "full" in await spool.check()
        assert len(keys(spool)) == taken  # a failed one leaves nothing behind
        await spool.remove([waiting.id for waiting in spool.peek(5)])
        await spool.put([one("again", size=60_000)])
        assert await spool.check() == ""


async def test_looking_whether_it_could_keep_something_keeps_nothing(spool: Spool) -> None:
    assert await spool.check() == ""
    assert spool.depth() == 0


def test_a_folder_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolUnusable, match="a folder that can be written expected"):
        Spool(tmp_path / "file" / "spool", megabytes=1)


async def test_a_file_that_is_no_spool_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    with pytest.raises(SpoolUnusable, match="cannot be written"):
        Spool(tmp_path, megabytes=1)


async def test_only_its_owner_may_read_it(spool: Spool, tmp_path: Path) -> None:
    await spool.put([one(1)])

    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "spool").iterdir()}
    assert modes
    assert {name for name, mode in modes.items() if mode and name.startswith(FILE)} == set()


async def test_a_folder_that_was_deleted_is_made_anew_and_what_is_acknowledged_is_in_it(
    spool: Spool, tmp_path: Path
) -> None:
    await spool.put([one(1)])
    shutil.rmtree(tmp_path / "spool")
    await spool.put([one(2)])

    async with aclosing(Spool(tmp_path / "spool", megabytes=1)) as other:
        assert keys(other) == ["2"]


async def test_a_folder_that_cannot_be_made_anew_is_said_and_mended_later(spool: Spool, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "spool")
    (tmp_path / "spool").write_text("in the way")
    with pytest.raises(SpoolUnusable):
        await spool.put([one(1)])
    assert not spool.holds("a")
    (tmp_path / "spool").unlink()
    await spool.put([one(1)])
    assert keys(spool) == ["1"]


async def test_a_lock_that_somebody_keeps_is_not_waited_for(spool: Spool, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "spool" / FILE)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SpoolUnusable, match="cannot be written"):
        await spool.put([one(1)])
    other.rollback()
    other.close()
    await spool.put([one(1)])


async def test_one_process_drains_at_a_time(spool: Spool, tmp_path: Path) -> None:
    async with aclosing(Spool(tmp_path / "spool", megabytes=1)) as other:
        with spool.draining() as first, other.draining() as second:
            assert (first, second) == (True, False)
        with other.draining() as second:
            assert second


KEEPS = """
import asyncio, sys
from pathlib import Path
from runtime.spool import Spool, Spooled

async def main():
    spool = Spool(Path(sys.argv[1]), megabytes=64)
    with spool.draining() as ours:
        assert ours
        number = 0
        while True:
            await spool.put([Spooled(key=str(number), conversation="a", event=b"x")])
            print(number, flush=True)
            number += 1

asyncio.run(main())
"""


async def test_a_kill_loses_nothing_that_was_acknowledged_and_frees_the_lock(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    writing = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KEEPS, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert writing.stdout is not None
    acknowledged = [(await writing.stdout.readline()).decode().strip() for _ in range(50)]
    writing.kill()
    acknowledged += (await writing.stdout.read()).decode().split()
    await writing.wait()

    async with aclosing(Spool(folder, megabytes=64)) as spool:
        assert keys(spool)[: len(acknowledged)] == acknowledged
        with spool.draining() as ours:
            assert ours


async def test_a_file_of_an_older_version_is_gone_on_with(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as old:
        old.execute(
            "CREATE TABLE spooled (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, "
            "conversation TEXT NOT NULL, event BLOB NOT NULL, at REAL NOT NULL, refused TEXT NOT NULL DEFAULT '')"
        )
        old.execute("INSERT INTO spooled (key, conversation, event, at) VALUES ('old', 'a', x'00', 1.0)")
    old.close()
    async with aclosing(Spool(tmp_path, megabytes=1)) as spool:
        await spool.put([Spooled(key="new", conversation="a", event=b"x", trace="00-1-2-01")])

        assert [(one.key, one.trace) for one in spool.peek(9)] == [("old", ""), ("new", "00-1-2-01")]
