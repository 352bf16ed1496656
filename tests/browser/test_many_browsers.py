"""B8: fifty people at once over the real server; how fast is ``benchmarks/browsers.py``'s."""

import asyncio
from types import ModuleType
from typing import Any

import psutil
import pytest

from benchmarks.browsers import PAGES, opened, seconds_of, tag, wrong
from gapwise.ledger.ledger import Ledger
from gapwise.settings import Settings

PEOPLE = 50
MOST_MIB = 50.0


async def person(address: str, run: str) -> int:
    """Open every page, tag after each; return how many tags were acknowledged."""
    async with opened(address) as (session, socket):
        examples = await wrong(session, address, run)
        for place, page in enumerate(PAGES):
            await seconds_of(socket, page)
            await tag(session, address, run, examples[place % len(examples)])
    return len(PAGES)


async def crowd(address: str, run: str, people: int) -> int:
    return sum(await asyncio.gather(*(person(address, run) for _ in range(people))))


@pytest.mark.faults
def test_b8_fifty_browsers_each_get_their_pages_and_keep_their_tags(
    address: str, server: Any, made: ModuleType, settings: Settings
) -> None:
    run = made.make_group(settings, 1)[0]
    process = psutil.Process(server.pid)
    assert asyncio.run(crowd(address, run, 1)) == len(PAGES)
    before = process.memory_info().rss
    kept = asyncio.run(crowd(address, run, PEOPLE))
    grown = (process.memory_info().rss - before) / 2**20
    assert kept == PEOPLE * len(PAGES)
    assert grown < PEOPLE * MOST_MIB
    ledger = Ledger(settings.ledger_url)
    assert sum(event.kind == "tag" for event in ledger.events()) == kept + len(PAGES)
    assert ledger.verify() == ledger.revision()
