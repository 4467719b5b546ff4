"""The tables of alerts in the control database. SQLAlchemy is loaded when they are asked for; times in µs since 1970."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


@cache
def metadata() -> MetaData:
    """Rules and their versions, what each combination of dimensions is in, positions, alerts, who evaluates."""
    import sqlalchemy as sa
    from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, String, Text

    found = sa.MetaData()
    sa.Table(
        "alert_rules",
        found,
        Column("id", String(36), primary_key=True),
        Column("name", String(200), nullable=False, unique=True),
        Column("version", Integer, nullable=False),
        # `Rule.as_json`, as it is now; `alert_rule_versions` has those of before.
        Column("rule", Text, nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("changed_by", Text, nullable=False),
        # The first moment of its grid that was not dealt with; none while it is disabled.
        Column("next_due", BigInteger, index=True),
        # The moment of its last evaluation that could ask.
        Column("last_due", BigInteger),
        # How its last evaluation went, and since when so: OK, NoData or Error; "" before the first.
        Column("health", String(16), nullable=False),
        Column("health_since", BigInteger),
        Column("error_code", String(16), nullable=False),
        Column("error", Text, nullable=False),
        # How many evaluations in a row failed in a way that only a change of the rule mends.
        Column("failures", Integer, nullable=False),
        # Its last evaluations as JSON, the newest first.
        Column("recent", Text, nullable=False),
    )
    sa.Table(
        "alert_rule_versions",
        found,
        Column("rule", String(36), primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("text", Text, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("changed_by", Text, nullable=False),
    )
    sa.Table(
        "alert_series",
        found,
        Column("rule", String(36), primary_key=True),
        # The digest of its dimensions; "" where a rule has none.
        Column("series", String(32), primary_key=True),
        Column("dimensions", Text, nullable=False),
        Column("state", String(16), nullable=False),
        Column("since", BigInteger, nullable=False),
        Column("history", String(100), nullable=False),
        Column("clean", Integer, nullable=False),
        Column("missing", Integer, nullable=False),
        Column("muted_until", BigInteger, nullable=False),
        Column("alert", String(36), nullable=False),
        Column("told", Boolean, nullable=False),
        Column("fired_at", BigInteger),
        Column("value", Float),
    )
    sa.Table(
        "alert_positions",
        found,
        Column("rule", String(36), primary_key=True),
        # The evaluations from `at` to `through` found the tables at this position: {table: {writer: sequence}}.
        Column("at", BigInteger, primary_key=True),
        Column("through", BigInteger, nullable=False),
        Column("position", Text, nullable=False),
    )
    sa.Table(
        "alerts",
        found,
        Column("id", String(36), primary_key=True),
        Column("rule", String(36), nullable=False, index=True),
        Column("rule_name", String(200), nullable=False),
        Column("severity", String(16), nullable=False),
        Column("dimensions", Text, nullable=False),
        Column("condition", String(16), nullable=False),
        Column("fired_at", BigInteger, nullable=False, index=True),
        Column("resolved_at", BigInteger),
        Column("reason", Text, nullable=False),
        Column("value", Float),
        Column("count", BigInteger, nullable=False),
        # Whether its firing was told to the action groups.
        Column("told", Boolean, nullable=False),
        # What people made of it: New, Acknowledged or Closed.
        Column("response", String(16), nullable=False),
        Column("responder", Text, nullable=False),
        Column("comments", Text, nullable=False),
    )
    sa.Table(
        "alert_evaluator",
        found,
        Column("id", Integer, primary_key=True),
        Column("holder", String(36), nullable=False),
        Column("until", BigInteger, nullable=False),
    )
    return found


def table(name: str) -> Table:
    return metadata().tables[name]
