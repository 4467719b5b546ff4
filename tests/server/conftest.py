"""A real service for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running_service import Running, serving


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service; a module that has `SERVE` (or a function of that name that gives them) adds these arguments."""
    more = getattr(request.module, "SERVE", ())
    with serving(tmp_path_factory.mktemp("service"), *(more() if callable(more) else more)) as running:
        yield running
