"""The Logs Ingestion door of a running service: the unchanged client, what is found again, an answer to each bad post."""

from __future__ import annotations

import datetime as dt
import gzip
import http.client
import json
import ssl
import subprocess
import sys
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.monitor.ingestion import LogsIngestionClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.base.access import Access, Role
from workbench.base.database import Database

pytestmark = pytest.mark.slow
LIMIT = 1 << 20
COLUMNS = {
    "TimeGenerated": "datetime", "Run": "string", "Number": "long", "Text": "string", "Share": "real", "Ok": "boolean",
    "Extra": "dynamic", "Small": "int",
}  # fmt: skip
RULE = {
    "name": "app",
    "streamDeclarations": {"Custom-App": {"columns": [{"name": n, "type": t} for n, t in COLUMNS.items()]}},
    "destinations": {"logAnalytics": [{"name": "here"}]},
    "dataFlows": [
        {"streams": ["Custom-App"], "destinations": ["here"], "outputStream": "Custom-App_CL"},
        {
            "streams": ["Custom-App"], "destinations": ["here"], "outputStream": "Custom-Large_CL",
            "transformKql": "source | where Number >= 100 | extend Half = Number / 2, Kind = tostring(Extra.kind) | project-away Ok, Share",
        },
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def rule(service: Any) -> str:
    status, answer = service.ask("POST", "/api/rules", RULE)
    assert status == 201, answer
    return str(answer["immutable_id"])


@pytest.fixture(scope="module")
def contributor(service: Any) -> str:
    access = Access(Database.open(service.workspace / "state"), service.workspace_id)
    return access.create_token(Role.CONTRIBUTOR, "collector")[1]


Post = Callable[..., tuple[int, dict[str, str], Any]]


@pytest.fixture
def post(service: Any, rule: str, contributor: str) -> Post:
    def send(
        body: object,
        *,
        stream: str = "Custom-App",
        to: str = rule,
        version: str = "?api-version=2023-01-01",
        token: str = contributor,
        **headers: str,
    ) -> tuple[int, dict[str, str], Any]:
        parts = urllib.parse.urlsplit(service.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        given |= {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request("POST", f"/dataCollectionRules/{to}/streams/{stream}{version}", data, given)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), json.loads(text) if text else None

    return send


def rows(service: Any, query: str) -> list[list[Any]]:
    status, body = service.query(query)
    assert status == 200, body
    found: list[list[Any]] = body["tables"][0]["rows"]
    return found


# ---- the unchanged client ---------------------------------------------------------------------


class Bearer(SansIOHTTPPolicy[Any, Any]):
    def __init__(self, token: str) -> None:
        self.token = token

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self.token}"


class Given:
    def __init__(self, token: str) -> None:
        self.token = token

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        return AccessToken(self.token, 2**40)


def some(run: str, count: int) -> list[dict[str, Any]]:
    start = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    return [
        {
            "TimeGenerated": (start + dt.timedelta(seconds=n)).isoformat(),
            "Run": run,
            "Number": n,
            "Text": f"é {n} " + "x" * (n % 700),
            "Share": n / 8,
            "Ok": n % 2 == 0,
            "Extra": {"kind": f"k{n % 3}", "list": [n]},
            "Small": -n,
        }
        for n in range(count)
    ]


def is_all_there(service: Any, run: str, records: list[dict[str, Any]]) -> None:
    found = rows(service, f"App_CL | where Run == '{run}' | sort by Number asc | project TimeGenerated, Run, Number, Text, Share, Ok, Extra, Small")  # fmt: skip
    assert len(found) == len(records)
    for (time, *values), record in zip(found, records, strict=True):
        assert dt.datetime.fromisoformat(time) == dt.datetime.fromisoformat(record["TimeGenerated"])
        *before, extra, small = values
        extra = json.loads(extra) if isinstance(extra, str) else extra
        assert [*before, extra, small] == [v for k, v in record.items() if k != "TimeGenerated"]


def test_the_client_over_plain_http(service: Any, rule: str, contributor: str) -> None:
    run, records = uuid.uuid4().hex, some("", 5_000)
    records = [{**r, "Run": run} for r in records]
    client = LogsIngestionClient(service.url, Given(""), authentication_policy=Bearer(contributor))
    with client:
        client.upload(rule, "Custom-App", records)
    is_all_there(service, run, records)
    large = rows(service, f"Large_CL | where Run == '{run}' | sort by Number asc | project Number, Half, Kind | summarize count(), min(Number), max(Half), dcount(Kind)")  # fmt: skip
    assert large == [[4_900, 100, 2_499, 3]]


@pytest.fixture
def with_tls(service: Any, tmp_path: Path) -> Iterator[tuple[str, Path, Path]]:
    """Another service, over TLS: its URL, its certificate and its workspace."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    command = [sys.executable, "-m", "workbench.cli", "serve", "--workspace", tmp_path / "w", "--tls-cert", certificate, "--tls-key", key]  # fmt: skip
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"], certificate, tmp_path / "w"
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(20) == 0


def test_the_client_over_tls(with_tls: tuple[str, Path, Path], tmp_path: Path) -> None:
    url, certificate, workspace = with_tls
    (tmp_path / "rule.json").write_text(json.dumps(RULE))
    said = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "rule", "create", str(tmp_path / "rule.json"), "--json", "--workspace", str(workspace)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    token = (workspace / "state" / "owner.token").read_text().strip()
    client = LogsIngestionClient(url, Given(token), connection_verify=str(certificate))
    with client:
        client.upload(json.loads(said.stdout)["immutable_id"], "Custom-App", some("tls", 10))
    host = urllib.parse.urlsplit(url)
    connection = http.client.HTTPSConnection(
        "localhost", host.port, context=ssl.create_default_context(cafile=str(certificate))
    )
    workspace_id = json.loads((workspace / "state" / "service.json").read_text())["workspace_id"]
    connection.request("POST", f"/v1/workspaces/{workspace_id}/query", json.dumps({"query": "App_CL | count"}),
                       {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})  # fmt: skip
    assert json.loads(connection.getresponse().read())["tables"][0]["rows"] == [[10]]
    connection.close()


def test_the_client_is_told_what_is_wrong(service: Any, rule: str, contributor: str) -> None:
    client = LogsIngestionClient(service.url, Given(""), authentication_policy=Bearer(contributor))
    with client:
        with pytest.raises(HttpResponseError) as caught:
            client.upload(rule, "Custom-Nope", [{"Number": 1}])
        assert caught.value.status_code == 400
        assert caught.value.error is not None
        assert caught.value.error.code == "InvalidStream"
        with pytest.raises(HttpResponseError) as caught:
            client.upload("dcr-" + "0" * 32, "Custom-App", [{"Number": 1}])
        assert caught.value.status_code == 404


# ---- what is posted is found equal ------------------------------------------------------------

LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6)
DYNAMIC = st.dictionaries(st.text(max_size=4), LEAVES | st.lists(LEAVES, max_size=3), max_size=3) | st.lists(LEAVES, max_size=3)  # fmt: skip
RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "Text": st.text(max_size=12),
            "Number": st.integers(-(2**63), 2**63 - 1),
            "Share": st.floats(allow_nan=False, allow_infinity=False),
            "Ok": st.booleans(),
            "Extra": DYNAMIC,
            "Small": st.integers(-(2**31), 2**31 - 1) | st.none(),
        },
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS, st.booleans())
def test_what_is_posted_is_found_equal(
    service: Any, post: Post, records: list[dict[str, Any]], packed: bool
) -> None:
    run = uuid.uuid4().hex
    sent = [{**r, "Run": f"{run}-{n}"} for n, r in enumerate(records)]
    body = json.dumps(sent).encode()
    headers = {"Content_Encoding": "gzip"} if packed else {}
    assert post(gzip.compress(body) if packed else body, **headers)[0] == 204
    found = rows(service, f"App_CL | where Run startswith '{run}' | project Run, Text, Number, Share, Ok, Extra = tostring(Extra), Small")  # fmt: skip
    assert len(found) == len(sent)
    by_run = {row[0]: row[1:] for row in found}
    for record in sent:
        text, number, share, ok, extra, small = by_run[record["Run"]]
        assert text == record.get("Text", "")
        assert (number, share, ok, small) == tuple(record.get(n) for n in ("Number", "Share", "Ok", "Small"))
        assert (json.loads(extra) if extra else None) == record.get("Extra")


def test_a_post_as_large_as_may_be(service: Any, post: Post) -> None:
    run = uuid.uuid4().hex
    one = json.dumps({"Run": run, "Text": "x" * 900})
    many = [one] * (LIMIT // len(one))
    assert post(("[" + ", ".join(many) + "]").encode())[0] == 204
    assert rows(service, f"App_CL | where Run == '{run}' | count") == [[len(many)]]
    assert post(("[" + ", ".join([*many, one]) + "]").encode())[0] == 413


def test_the_same_request_is_stored_once(service: Any, post: Post) -> None:
    run = uuid.uuid4().hex
    for told in ("r-1", "r-1", "r-2"):
        assert post([{"Run": run}], x_ms_client_request_id=f"{run}-{told}")[0] == 204
    assert rows(service, f"App_CL | where Run == '{run}' | count") == [[2]]
    for _ in range(2):
        assert post([{"Run": run}])[0] == 204
    assert rows(service, f"App_CL | where Run == '{run}' | count") == [[4]]


# ---- bad input --------------------------------------------------------------------------------

GOOD = {"Run": "good"}
BOMB = gzip.compress(b"[" + b" " * 200_000_000 + b"]", 9)


@pytest.mark.parametrize(
    ("body", "more", "status", "code"),
    [
        (b"", {}, 400, "RUL304"), (b"{", {}, 400, "RUL304"), (b'{"Number": 1}', {}, 400, "RUL305"), (b"7", {}, 400, "RUL305"),
        (b"[]", {}, 400, "RUL306"), (b'{"Number": 1},{"Number": 2}', {}, 400, "RUL304"), (b'[{"Text": "\xff"}]', {}, 400, "RUL308"),
        (b'[{"Number": NaN}]', {}, 400, "RUL304"), (b"[" * 100_000, {}, 400, "RUL304"), (b"[{}" + b" " * LIMIT + b"]", {}, 413, "RUL309"),
        (b"[{}" + b" " * LIMIT * 2 + b"]", {}, 413, "OTL101"),
        (BOMB, {"Content_Encoding": "gzip"}, 413, "OTL101"), (b"no gzip", {"Content_Encoding": "gzip"}, 400, "OTL102"),
        (gzip.compress(b"[{}]")[:-6], {"Content_Encoding": "gzip"}, 400, "OTL102"), (b"[{}]", {"Content_Encoding": "br"}, 415, "OTL103"),
        (b"[{}]", {"Content_Type": "text/plain"}, 415, "OTL104"), (b"[{}]", {"version": ""}, 400, "RUL303"),
        (b"[{}]", {"version": "?api-version=2016-04-01"}, 400, "RUL303"), (b"[{}]", {"stream": "Custom-Other"}, 400, "RUL302"),
        (b"[{}]", {"to": "dcr-none"}, 404, "RUL301"),
    ],
)  # fmt: skip
def test_posts_that_are_refused_whole(
    service: Any, post: Post, body: bytes, more: dict[str, str], status: int, code: str
) -> None:
    found, _, answer = post(body, **more)
    assert (found, f"({code})" in answer["error"]["message"]) == (status, True), answer
    assert answer["error"]["code"]


def test_the_preview_version_is_known(post: Post) -> None:
    assert post([GOOD], version="?api-version=2021-11-01-preview")[0] == 204


@pytest.mark.parametrize(("token", "status"), [("nonsense", 403), ("reader", 403)])
def test_who_may_not_post(service: Any, post: Post, token: str, status: int) -> None:
    if token == "reader":
        access = Access(Database.open(service.workspace / "state"), service.workspace_id)
        token = access.create_token(Role.READER, "dashboards")[1]
    assert post([GOOD], token=token)[0] == status


def deep(levels: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(levels):
        made = [made]
    return made


def test_good_records_beside_bad_ones_are_kept(service: Any, post: Post) -> None:
    run = uuid.uuid4().hex
    ahead = (dt.datetime.now(dt.UTC) + dt.timedelta(days=366)).isoformat()
    body = [
        {"Run": run, "Number": 1},
        7,
        {"Run": run, "TimeGenerated": ahead, "Number": 2},
        {"Run": run, "TimeGenerated": "yesterday", "Number": 3},
        None,
        {"Run": run, "Number": 5, "Extra": deep(300)},
        {"Run": run, "Number": 6, "Extra": deep(900)},
        {"Run": run, "Number": 4, "Extra": deep(200)},
    ]
    assert post(body)[0] == 204
    assert rows(service, f"App_CL | where Run == '{run}' | project Number | sort by Number asc") == [[1], [4]]
    kept = rows(service, f"_Quarantine | where Original has '{run}' or Original in ('7', 'null') | project Code, Source, Table")  # fmt: skip
    codes = ("IMP103", "IMP103", "IMP110", "IMP111", "IMP113", "IMP113")
    assert sorted(kept) == [[c, "collector", "App_CL"] for c in codes]


def test_odd_values_have_a_documented_place(service: Any, post: Post) -> None:
    run = uuid.uuid4().hex
    body = f"""[
        {{"Run": "{run}", "Number": 1, "Number": 2, "Text": "twice"}},
        {{"Run": "{run}", "Number": 12345678901234567890123, "Text": "beyond"}},
        {{"Run": "{run}", "Number": "many", "Text": "typed"}},
        {{"Run": "{run}", "Undeclared": 5, "Text": "left"}},
        {{"Run": "{run}", "Text": "{"ä" * 20_000}"}}
    ]""".encode()
    assert post(body)[0] == 204
    found = rows(service, f"App_CL | where Run == '{run}' | project Kind = substring(Text, 0, 6), Number, Number_s, Number_d, strlen(Text) | sort by Kind asc")  # fmt: skip
    assert found == [
        ["beyond", None, "", 12345678901234567890123.0, 6],
        ["left", None, "", None, 4],
        ["twice", 2, "", None, 5],
        ["typed", None, "many", None, 5],
        ["ääääää", None, "", None, 16_384],
    ]
    assert rows(service, "App_CL | getschema | where ColumnName == 'Undeclared' | count") == [[0]]


def test_a_transform_that_drops_everything_stores_nothing(service: Any, rule: str, post: Post) -> None:
    only = {**RULE, "name": "only", "dataFlows": [{**RULE["dataFlows"][1], "outputStream": "Custom-Only_CL"}]}  # type: ignore[index]
    status, answer = service.ask("POST", "/api/rules", only)
    assert status == 201
    assert post([{"Number": 1}], to=answer["immutable_id"])[0] == 204
    assert service.query("Only_CL")[0] == 400
    assert post([{"Number": 100}, {"Number": 5}], to=answer["immutable_id"])[0] == 204
    assert rows(service, "Only_CL | project Number, Half") == [[100, 50]]


def test_a_changed_rule_holds_for_the_next_post(service: Any, post: Post) -> None:
    made = {**RULE, "name": "changing"}
    number = service.ask("POST", "/api/rules", made)[1]["immutable_id"]
    assert post([{"Run": "a"}], to=number)[0] == 204
    made["dataFlows"] = [{**RULE["dataFlows"][0], "outputStream": "Custom-Changed_CL"}]  # type: ignore[index]
    assert service.ask("POST", "/api/rules", made)[1]["immutable_id"] == number
    assert post([{"Run": "b"}], to=number)[0] == 204
    assert rows(service, "Changed_CL | project Run") == [["b"]]
    assert service.ask("DELETE", f"/api/rules/{number}")[0] == 200
    assert post([{"Run": "c"}], to=number)[0] == 404


def test_only_an_operator_changes_rules(service: Any, contributor: str) -> None:
    assert service.ask("POST", "/api/rules", RULE, token=contributor)[0] == 403
    assert service.ask("DELETE", "/api/rules/app", token=contributor)[0] == 403
    assert service.ask("GET", "/api/rules", token=contributor)[0] == 200
    status, answer = service.ask("POST", "/api/rules", {"dataFlows": 7})
    assert (status, answer["error"]["code"]) == (400, "RUL104")
