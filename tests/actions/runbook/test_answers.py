"""What a runbook's query gives is what the same query gives in a notebook, through the wire and back."""

from __future__ import annotations

import orjson
import pytest

from workbench.actions.runbook.answers import result_of
from workbench.query.frames import FrameTables
from workbench.query.run import run
from workbench.server import wire

QUERIES = [
    "print a=1, b=int(2), c=1.5, d=decimal(1.50), e='x', f=datetime(2026-11-28 01:02:03.123456), g=2d, "
    "h=dynamic({'a':[1,null]}), i=true, j=guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
    "print a=long(null), b=int(null), c=real(null), d=decimal(null), f=datetime(null), g=timespan(null), i=bool(null)",
    "print real(+inf), real(-inf), -1d - 3s, 0.0, datetime(0001-01-01), datetime(9999-12-31)",
    "range n from 1 to 0 step 1 | extend t = now(), s = 'x'",
    "print dynamic('text'), dynamic(3), dynamic(null), ''",
]


@pytest.mark.parametrize("query", QUERIES)
def test_rows_and_types_come_back(query: str) -> None:
    asked = run(query, FrameTables({}))
    told = orjson.loads(wire.dump(wire.log_search(asked)))
    found = result_of(told["tables"][0])
    assert found.frame.schema == asked.frame.schema
    assert found.schema == asked.schema
    assert found.frame.equals(asked.frame, null_equal=True)
