"""What a sender is told when the service can't take records in: never that his records are bad."""

from __future__ import annotations

import pytest

from workbench.base.diagnostics import access, repository
from workbench.base.errors import WorkbenchError
from workbench.server.guard import answer
from workbench.server.sender import retry_headers, status_of


@pytest.mark.parametrize(
    ("mistake", "status"),
    [
        (repository.too_much_waits(1), 429),
        (repository.reserve_reached("/w"), 503),
        (repository.not_synced("EIO"), 503),
        (repository.spool_closed(), 503),
        (repository.not_writable("/w", "no space"), 503),
        (repository.damaged("/w", "no JSON"), 503),
        (access.database_away("here", "locked"), 503),
    ],
    ids=lambda value: value.code if isinstance(value, WorkbenchError) else "",
)
def test_what_is_over_some_time_is_to_be_sent_again(mistake: WorkbenchError, status: int) -> None:
    assert status_of(mistake) == status
    assert int(retry_headers(mistake)["Retry-After"]) > 0


def test_what_is_wrong_with_the_records_is_not() -> None:
    bad = repository.bad_name("column", "a\0b", "it has a NUL")
    assert (status_of(bad), retry_headers(bad)) == (400, {})


def test_a_door_whose_database_is_away_says_when_to_come_again() -> None:
    found = answer(access.database_away("here", "locked"))
    assert (found.status_code, found.headers["retry-after"]) == (503, "5")
