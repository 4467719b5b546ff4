"""Commands and stored functions through the Log Search API."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_function_is_stored_and_called_over_http(service: Any) -> None:
    status, body = service.query(
        ".create-or-alter function Numbers(n:long = 3) { range x from 1 to n step 1 }"
    )
    assert (status, body["tables"][0]["rows"]) == (
        200,
        [["Numbers", "(n:long = 3)", "{ range x from 1 to n step 1 }", "", ""]],
    )
    assert service.query("Numbers(2)")[1]["tables"][0]["rows"] == [[1], [2]]
    assert service.query(".show functions | count")[1]["tables"][0]["rows"] == [[1]]
    status, body = service.query(".drop table X")
    assert status == 400
    assert "KQL412" in str(body)
