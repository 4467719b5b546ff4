"""The seven questions, in each peer's own words. `{…}` are files, days and words filled in by `run`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question; `sql` serves DuckDB and chdb where they agree, `chdb` where it must differ."""

    name: str
    kql: str
    polars: str
    sql: str
    chdb: str
    goal: float  # of the best of DuckDB and chdb (DESIGN, numbers to build for)


QUESTIONS = (
    Question(
        "count by event, one day",
        "Event | where TimeGenerated >= datetime({day}) and TimeGenerated < datetime({next}) | summarize count() by EventID",
        "lf.filter((pl.col('TimeGenerated') >= day) & (pl.col('TimeGenerated') < next_day)).group_by('EventID').len()",
        "SELECT EventID, count(*) FROM {table} WHERE TimeGenerated >= TIMESTAMPTZ '{day} 00:00:00+00' AND TimeGenerated < TIMESTAMPTZ '{next} 00:00:00+00' GROUP BY EventID",
        "SELECT EventID, count() FROM {table} WHERE TimeGenerated >= toDateTime64('{day}', 6, 'UTC') AND TimeGenerated < toDateTime64('{next}', 6, 'UTC') GROUP BY EventID",
        1.0,
    ),
    Question(
        "count by hour and channel",
        "Event | summarize count() by bin(TimeGenerated, 1h), EventLog",
        "lf.group_by(pl.col('TimeGenerated').dt.truncate('1h'), 'EventLog').len()",
        "SELECT date_trunc('hour', TimeGenerated) AS h, EventLog, count(*) FROM {table} GROUP BY h, EventLog",
        "SELECT toStartOfHour(TimeGenerated) AS h, EventLog, count() FROM {table} GROUP BY h, EventLog",
        1.0,
    ),
    Question(
        "word, any case",
        "Event | where RenderedDescription has '{word}' | count",
        "lf.filter(pl.col('RenderedDescription').str.contains(r'(?i)(?:^|[^\\p{{L}}\\p{{N}}]){word}(?:$|[^\\p{{L}}\\p{{N}}])')).select(pl.len())",
        "SELECT count(*) FROM {table} WHERE regexp_matches(RenderedDescription, '(?i)(^|[^a-z0-9]){word}($|[^a-z0-9])')",
        "SELECT count() FROM {table} WHERE hasTokenCaseInsensitive(RenderedDescription, '{word}')",
        0.05,
    ),
    Question(
        "substring, any case",
        "Event | where RenderedDescription contains '{part}' | count",
        "lf.filter(pl.col('RenderedDescription').str.contains('(?i){part}')).select(pl.len())",
        "SELECT count(*) FROM {table} WHERE RenderedDescription ILIKE '%{part}%'",
        "SELECT count() FROM {table} WHERE positionCaseInsensitive(RenderedDescription, '{part}') > 0",
        0.6,
    ),
    Question(
        "distinct users by host, top 10",
        "Event | summarize Users = dcount(UserName) by Computer | top 10 by Users",
        "lf.group_by('Computer').agg(pl.col('UserName').n_unique()).top_k(10, by='UserName')",
        "SELECT Computer, count(DISTINCT UserName) AS u FROM {table} GROUP BY Computer ORDER BY u DESC LIMIT 10",
        "SELECT Computer, uniqExact(UserName) AS u FROM {table} GROUP BY Computer ORDER BY u DESC LIMIT 10",
        1.0,
    ),
    Question(
        "group by a path of EventData",
        "Event | summarize count() by Path = tostring(EventData.LogonType)",
        "lf.group_by(pl.col('EventData').str.json_path_match('$.LogonType')).len()",
        "SELECT json_extract_string(EventData, '$.LogonType') AS p, count(*) FROM {table} GROUP BY p",
        "SELECT JSONExtractString(EventData, 'LogonType') AS p, count() FROM {table} GROUP BY p",
        0.1,
    ),
    Question(
        "newest 50 of one host",
        "Event | where Computer == '{host}' | top 50 by TimeGenerated",
        "lf.filter(pl.col('Computer') == host).sort('TimeGenerated', descending=True).head(50)",
        "SELECT * FROM {table} WHERE Computer = '{host}' ORDER BY TimeGenerated DESC LIMIT 50",
        "SELECT * FROM {table} WHERE Computer = '{host}' ORDER BY TimeGenerated DESC LIMIT 50",
        0.5,
    ),
)
