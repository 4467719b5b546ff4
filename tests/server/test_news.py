"""Requests that wait: woken by news, and by the end of the service."""

from __future__ import annotations

import asyncio
import threading

import pytest

from workbench.server.news import News


@pytest.mark.parametrize("closed_before", [True, False])
def test_nobody_waits_for_a_service_that_ends(closed_before: bool) -> None:
    news, looked = News(), threading.Event()

    async def ask() -> object:
        waiting = asyncio.ensure_future(news.until(looked.set, 3600))
        if closed_before:
            news.close()
        else:
            await asyncio.to_thread(looked.wait, 60)
            news.close()
        return await asyncio.wait_for(waiting, 60)

    assert asyncio.run(ask()) is None


def test_who_waits_is_woken_by_a_thread() -> None:
    news, found = News(), []

    async def ask() -> object:
        waiting = asyncio.ensure_future(news.until(lambda: found[0] if found else None, 3600))
        await asyncio.sleep(0)
        found.append("it")
        threading.Thread(target=news.tell).start()
        return await asyncio.wait_for(waiting, 60)

    assert asyncio.run(ask()) == "it"
