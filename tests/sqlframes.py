"""Small tables of the SQL cases, for Workbench and for the oracle alike; no text in them is null."""

from __future__ import annotations

import datetime as dt

import polars as pl

from workbench.base.dtypes import Column, ScalarType, Schema

T = ScalarType
_DAY = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)


def _at(*minutes: int) -> list[dt.datetime]:
    return [_DAY + dt.timedelta(minutes=m) for m in minutes]


_TYPES = {
    T.LONG: pl.Int64(), T.REAL: pl.Float64(), T.BOOL: pl.Boolean(), T.STRING: pl.String(), T.DYNAMIC: pl.String(),
    T.DATETIME: pl.Datetime("us", "UTC"),
}  # fmt: skip
_TABLES: dict[str, dict[str, tuple[ScalarType, list[object]]]] = {
    "Events": {
        "TimeGenerated": (T.DATETIME, [*_at(0, 15, 61, 75, 121, 1441, 44641), None]),
        "Computer": (T.STRING, ["web1", "web1", "web2", "db1", "web1", "db1", "DB2", ""]),
        "EventID": (T.LONG, [4624, 4625, 4624, 4625, 4625, 4688, None, 4624]),
        "Level": (T.LONG, [1, 2, None, 3, 2, 1, None, 2]),
        "Score": (T.REAL, [1.5, -2.5, 0.0, None, 4.0, 2.25, 10.0, None]),
        "Ok": (T.BOOL, [True, False, None, True, False, True, None, False]),
        "Details": (
            T.DYNAMIC,
            ['{"user":"amy","n":1}', '{"user":"bob","n":2}', '{"user":"amy"}', None, '{"ip":{"v4":"10.0.0.1"}}',
             '{"user":"eve","tags":["x","y"]}', "{}", '{"user":null}'],
        ),
    },
    "Machines": {
        "Name": (T.STRING, ["web1", "web2", "db1", "spare"]),
        "Site": (T.STRING, ["north", "south", "north", "west"]),
        "Cores": (T.LONG, [4, 8, 16, None]),
    },
    "Codes": {
        "EventID": (T.LONG, [4624, 4625, None, 1]),
        "Meaning": (T.STRING, ["logon", "failed logon", "nothing", "one"]),
    },
}  # fmt: skip

FRAMES: dict[str, tuple[pl.DataFrame, Schema]] = {
    name: (
        pl.DataFrame({c: pl.Series(c, values, _TYPES[t]) for c, (t, values) in columns.items()}),
        tuple(Column(c, t) for c, (t, _) in columns.items()),
    )
    for name, columns in _TABLES.items()
}
