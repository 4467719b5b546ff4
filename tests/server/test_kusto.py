"""Kusto's REST API as its own client uses it: `azure-kusto-data`, unchanged, over plain http with a bearer token."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from azure.kusto.data import ClientRequestProperties, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.exceptions import KustoApiError, KustoMultiApiError, KustoServiceError

pytestmark = pytest.mark.slow
DATABASE = "NetDefaultDB"
EVERY_TYPE = (
    "print b = true, i = int(1), l = 2, r = 0.5, x = real(nan), d = decimal(1.5), s = 'é', "
    "t = datetime(2024-02-29 13:14:15.1234567), p = time(1.02:03:04), g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), "
    "j = dynamic({'a': [1, null]}), n = long(null)"
)


@pytest.fixture(scope="module")
def filled(service: Any) -> Any:
    records = [
        {"TimeGenerated": f"2026-01-0{i + 1}T00:00:00Z", "Computer": f"web{i}", "Size": i} for i in range(5)
    ]
    assert service.ask("POST", "/api/agent/records", {"App": records})[0] == 200
    return service


@pytest.fixture(scope="module")
def client(filled: Any) -> Iterator[KustoClient]:
    how = KustoConnectionStringBuilder.with_aad_user_token_authentication(filled.url, filled.token)
    with KustoClient(how) as found:
        yield found


def _with(**options: Any) -> ClientRequestProperties:
    found = ClientRequestProperties()
    for name, value in options.items():
        found.set_option(name, value)
    return found


def test_a_query_gives_rows_of_every_type(client: KustoClient) -> None:
    (table,) = client.execute(DATABASE, EVERY_TYPE).primary_results
    types = [c.column_type for c in table.columns]
    assert types == [
        "bool", "int", "long", "real", "real", "decimal", "string", "datetime", "timespan", "guid", "dynamic", "long",
    ]  # fmt: skip
    row = table[0]
    assert (row["b"], row["i"], row["l"], row["r"], row["d"], row["s"], row["n"]) == (True, 1, 2, 0.5, Decimal("1.5"), "é", None)  # fmt: skip
    assert row["t"] == dt.datetime(2024, 2, 29, 13, 14, 15, 123456, tzinfo=dt.UTC)
    assert row["p"] == dt.timedelta(days=1, hours=2, minutes=3, seconds=4)
    assert row["j"] == {"a": [1, None]}


def test_stored_rows_are_counted_by_both_versions(client: KustoClient) -> None:
    query = "App | summarize n = count(), last = max(Computer)"
    assert client.execute_query(DATABASE, query).primary_results[0][0].to_list() == [5, "web4"]
    streamed = client.execute_streaming_query(DATABASE, query)
    assert [row.to_list() for row in next(streamed.iter_primary_results())] == [[5, "web4"]]


def test_several_tables_keep_their_names(client: KustoClient) -> None:
    found = client.execute(DATABASE, "App | fork a = (count) b = (take 1 | project Size)")
    assert [t.columns[0].column_name for t in found.primary_results] == ["Count", "Size"]


def test_commands_are_answered(client: KustoClient) -> None:
    (table,) = client.execute(DATABASE, ".show tables").primary_results
    assert "App" in [row["TableName"] for row in table]
    with pytest.raises(KustoApiError, match="begin with a dot"):
        client.execute_query(DATABASE, ".show tables")
    with pytest.raises(KustoApiError, match="queries go to"):
        client.execute_mgmt(DATABASE, "App | count")


def test_parameters_are_bound_as_values(client: KustoClient) -> None:
    properties = ClientRequestProperties()
    properties.set_parameter("who", "web2' or true")
    properties.set_parameter("least", "long(1)")
    properties.set_parameter("since", "datetime(2026-01-02)")
    query = (
        "declare query_parameters(who:string, least:long, since:datetime);"
        "App | where Size >= least and TimeGenerated > since | summarize n = count(), s = take_any(who)"
    )
    assert client.execute(DATABASE, query, properties).primary_results[0][0].to_list() == [3, "web2' or true"]


def test_options_of_the_request_hold_as_set_does(client: KustoClient) -> None:
    scope = _with(query_datetimescope_from="2026-01-02", query_datetimescope_to="2026-01-03", query_datetimescope_column="TimeGenerated")  # fmt: skip
    assert client.execute(DATABASE, "App | count", scope).primary_results[0][0][0] == 2
    (table,) = client.execute(DATABASE, "App | project Size", _with(query_take_max_records=2)).primary_results
    assert len(table) == 2


def test_a_result_that_is_cut_says_so_behind_its_rows(client: KustoClient, filled: Any) -> None:
    with pytest.raises(KustoMultiApiError, match="cut after 2 rows"):
        client.execute(DATABASE, "App", _with(truncationmaxrecords=2))
    body = {"db": DATABASE, "csl": "set truncationmaxrecords = 2; App | project Size"}
    status, frames = filled.ask("POST", "/v2/rest/query", body)
    (table,) = [f for f in frames if f.get("TableKind") == "PrimaryResult"]
    assert (status, len(table["Rows"]), frames[-1]["HasErrors"]) == (200, 3, True)
    assert "OneApiErrors" in table["Rows"][-1]


def test_a_query_that_takes_too_long_is_504(filled: Any) -> None:
    csl = "set servertimeout = 1s; range x from 1 to 3000000 step 1 | where hash_sha256(hash_sha256(x)) startswith 'fff' | count"  # fmt: skip
    status, body = filled.ask("POST", "/v2/rest/query", {"db": DATABASE, "csl": csl})
    assert (status, body["error"]["innererror"]["code"]) == (504, "KQL304")


def test_a_mistake_has_its_code_place_and_caret(client: KustoClient) -> None:
    with pytest.raises(KustoApiError) as caught:
        client.execute(DATABASE, "App\n| where Computr == 'x'")
    error = caught.value.get_api_error()
    assert (error.code, error.permanent) == ("BadRequest_SemanticError", True)
    assert "KQL101 at 2:9" in error.description
    with pytest.raises(KustoApiError, match="KQL0"):
        client.execute(DATABASE, "App | where (")


def test_what_was_drawn_and_used_is_told(client: KustoClient) -> None:
    found = client.execute(
        DATABASE, "App | summarize n = count() by Computer | render piechart with (title = 'All')"
    )
    drawn = json.loads(found["@ExtendedProperties"][0]["Value"])
    assert (drawn["Visualization"], drawn["Title"], drawn["Kind"]) == ("piechart", "All", None)
    assert found.errors_count == 0
    used = found["QueryCompletionInformation"][1]
    assert json.loads(used["Payload"])["ExecutionTime"] > 0


def test_version_1_has_a_table_of_contents(filled: Any) -> None:
    status, body = filled.ask("POST", "/v1/rest/query", {"db": "", "csl": "print a = 1, b = 'x'"})
    tables = body["Tables"]
    assert (status, [t["TableName"] for t in tables]) == (200, [f"Table_{i}" for i in range(4)])
    assert tables[0]["Columns"][0] == {"ColumnName": "a", "DataType": "Int64", "ColumnType": "long"}
    assert [row[1] for row in tables[3]["Rows"]] == ["QueryResult", "QueryProperties", "QueryStatus"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "csl"), ({"csl": 5}, "csl"), ({"csl": "print 1", "db": "elsewhere"}, "no database"),
        ({"csl": "print 1", "properties": "{"}, "no JSON"), ({"csl": "print 1", "properties": {"Options": 5}}, "names"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_question_is_400(filled: Any, body: Any, said: str) -> None:
    status, answer = filled.ask("POST", "/v2/rest/query", body)
    assert (status, answer["error"]["innererror"]["code"]) == (400, "SRV013")
    assert said in answer["error"]["@message"]


def test_without_a_token_there_is_no_entry(filled: Any) -> None:
    how = KustoConnectionStringBuilder.with_aad_user_token_authentication(filled.url, "wrong")
    with KustoClient(how) as stranger, pytest.raises(KustoServiceError):
        stranger.execute(DATABASE, "print 1")


def test_a_reader_may_ask_but_not_store(filled: Any) -> None:
    from workbench.base.access import Access, Role
    from workbench.base.database import Database

    database = Database.open(filled.workspace / "state")
    _, token = Access(database, filled.workspace_id).create_token(Role.READER)
    how = KustoConnectionStringBuilder.with_aad_user_token_authentication(filled.url, token)
    with KustoClient(how) as reader:
        assert reader.execute(DATABASE, "print x = 1").primary_results[0][0][0] == 1
        with pytest.raises(KustoApiError, match="KQL418"):
            reader.execute(DATABASE, ".create function F() { print 1 }")
    status, body = filled.ask("POST", f"/v1/workspaces/{filled.workspace_id}/query", {"query": ".drop function F ifexists"}, token=token)  # fmt: skip
    assert (status, body["error"]["innererror"]["innererror"]["code"]) == (400, "KQL418")
