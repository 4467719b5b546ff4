"""Requests that wait for something to happen: woken by threads that say so, each looks whether it was for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio.to_thread

T = TypeVar("T")
LONGEST = 2.0
"""Seconds between two looks without news: another process may have changed something."""


class News:
    """Wakes who waits. `tell` is for any thread, `until` for the service's event loop."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._closed = False

    def tell(self) -> None:
        """Something happened."""
        for loop, event in list(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def close(self) -> None:
        """The service ends: nobody is to wait any more."""
        self._closed = True
        self.tell()

    async def until(
        self, look: Callable[[], T | None], seconds: float, gone: Callable[[], Awaitable[bool]] | None = None
    ) -> T | None:
        """What `look` (run on a thread) finds, as soon as it finds something; None after so many seconds.

        It looks no more once `gone` says that nobody waits: what it found would be lost.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        event = asyncio.Event()
        me = (loop, event)
        self._waiting.add(me)
        try:
            while True:
                event.clear()
                if gone is not None and await gone():
                    return None
                found = await anyio.to_thread.run_sync(look)
                left = ends - loop.time()
                if found is not None or left <= 0 or self._closed:
                    return found
                try:
                    await asyncio.wait_for(event.wait(), min(left, LONGEST))
                except TimeoutError:
                    continue
        finally:
            self._waiting.discard(me)
