"""The Log Search API as its own client uses it: `azure-monitor-query`, unchanged, against a running service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.monitor.query import LogsBatchQuery, LogsQueryClient, LogsQueryStatus

pytestmark = pytest.mark.slow
FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Bearer(SansIOHTTPPolicy[Any, Any]):
    """The client's own policy takes no token over plain http."""

    def __init__(self, token: str) -> None:
        self.token = token

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self.token}"


class NoCredential:
    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        return AccessToken("unused", 2**31)


@pytest.fixture(scope="module")
def filled(service: Any) -> Any:
    records = [
        {"TimeGenerated": f"2026-01-0{i + 1}T00:00:00Z", "Computer": f"web{i}", "Size": i} for i in range(5)
    ]
    assert service.ask("POST", "/api/agent/records", {"App": records})[0] == 200
    return service


@pytest.fixture(scope="module")
def client(filled: Any) -> Iterator[LogsQueryClient]:
    with LogsQueryClient(
        NoCredential(), endpoint=f"{filled.url}/v1", authentication_policy=Bearer(filled.token)
    ) as found:
        yield found


def test_rows_come_within_a_timespan(client: LogsQueryClient, filled: Any) -> None:
    asked = "App | project TimeGenerated, Computer, Size | sort by Size asc"
    found = client.query_workspace(filled.workspace_id, asked, timespan=(FIRST + DAY, DAY))
    assert found.status == LogsQueryStatus.SUCCESS
    (table,) = found.tables
    assert (table.name, table.columns) == ("PrimaryResult", ["TimeGenerated", "Computer", "Size"])
    assert [list(row) for row in table.rows] == [[FIRST + DAY, "web1", 1], [FIRST + 2 * DAY, "web2", 2]]


def test_statistics_and_what_was_drawn_come_where_they_are_asked_for(
    client: LogsQueryClient, filled: Any
) -> None:
    asked = "App | summarize n = count() by Computer | render barchart with (title = 'All')"
    plain = client.query_workspace(filled.workspace_id, asked, timespan=None)
    assert (plain.statistics, plain.visualization) == (None, None)
    found = client.query_workspace(
        filled.workspace_id, asked, timespan=None, include_statistics=True, include_visualization=True, server_timeout=60
    )  # fmt: skip
    assert found.statistics["query"]["executionTime"] > 0
    assert found.statistics["query"]["datasetStatistics"][0]["tableRowCount"] == 5
    assert (found.visualization["visualization"], found.visualization["title"]) == ("barchart", "All")


def test_the_wait_of_the_client_ends_a_query(client: LogsQueryClient, filled: Any) -> None:
    slow = "range x from 1 to 3000000 step 1 | where hash_sha256(hash_sha256(x)) startswith 'fff' | count"
    with pytest.raises(HttpResponseError) as caught:
        client.query_workspace(filled.workspace_id, slow, timespan=None, server_timeout=1, retry_total=0)
    assert caught.value.status_code == 504


def test_a_cut_result_is_partial(client: LogsQueryClient, filled: Any) -> None:
    found = client.query_workspace(filled.workspace_id, "set truncationmaxrecords = 2; App", timespan=None)
    assert found.status == LogsQueryStatus.PARTIAL
    assert len(found.partial_data[0].rows) == 2
    assert "cut after 2 rows" in str(found.partial_error.details)


def test_a_batch_answers_each_of_its_requests(client: LogsQueryClient, filled: Any) -> None:
    here, elsewhere = filled.workspace_id, "00000000-0000-0000-0000-000000000000"
    asked = [
        LogsBatchQuery(here, "App | count", timespan=None, include_statistics=True),
        LogsBatchQuery(here, "App | where Computr == 1", timespan=None),
        LogsBatchQuery(elsewhere, "App | count", timespan=None),
        LogsBatchQuery(here, "set truncationmaxrecords = 1; App", timespan=(FIRST, FIRST + 3 * DAY)),
    ]
    found = client.query_batch(asked)
    assert [f.status for f in found] == [
        LogsQueryStatus.SUCCESS, LogsQueryStatus.FAILURE, LogsQueryStatus.FAILURE, LogsQueryStatus.PARTIAL,
    ]  # fmt: skip
    assert found[0].tables[0].rows[0][0] == 5
    assert found[1].message == "no column named 'Computr'"


def test_further_workspaces_are_refused(client: LogsQueryClient, filled: Any) -> None:
    with pytest.raises(HttpResponseError, match="no workspace 'other'"):
        client.query_workspace(filled.workspace_id, "App", timespan=None, additional_workspaces=["other"])


def test_the_time_of_the_address_and_of_the_body_both_hold(filled: Any) -> None:
    path = f"/v1/workspaces/{filled.workspace_id}/query?timespan=2026-01-02/2026-01-04"
    status, body = filled.ask("POST", path, {"query": "App | count", "timespan": "2026-01-01/2026-01-03"})
    assert (status, body["tables"][0]["rows"]) == (200, [[2]])


def test_parameters_and_sql_come_in_the_body(filled: Any) -> None:
    status, body = filled.query("App | where Computer == who | project Size", parameters={"who": "web3"})
    assert (status, body["tables"][0]["rows"]) == (200, [[3]])
    status, body = filled.query('SELECT count(*) AS n FROM App WHERE "Size" > 2', sql=True)
    assert (status, body["tables"][0]["rows"]) == (200, [[2]])
