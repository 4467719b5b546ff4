"""The HTTP Data Collector API of a running service, by a client of our own few lines and by curl."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import gzip
import hashlib
import hmac
import http.client
import json
import shutil
import subprocess
import urllib.parse
import zlib
from typing import Any

import pytest

import workbench
from workbench.base.access import Access
from workbench.base.database import Database

pytestmark = pytest.mark.slow


def date(minutes: float = 0) -> str:
    return email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes), usegmt=True)


def sign(key: str, workspace_id: str, size: int, when: str) -> str:
    text = f"POST\n{size}\napplication/json\nx-ms-date:{when}\n/api/logs"
    digest = hmac.new(base64.b64decode(key), text.encode("utf-8"), hashlib.sha256).digest()
    return f"SharedKey {workspace_id}:{base64.b64encode(digest).decode()}"


class Sender:
    """Posts to a service; a header given as None is left out."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.keys = Access(Database.open(service.workspace / "state"), service.workspace_id).keys()

    def post(
        self,
        body: bytes,
        log_type: str = "App",
        *,
        key: str = "",
        size: int | None = None,
        path: str = "/api/logs?api-version=2016-04-01",
        chunked: bool = False,
        **headers: str | None,
    ) -> tuple[int, Any, dict[str, str]]:
        when = headers.pop("x_ms_date", None) or date()
        length = len(body) if size is None else size
        sent: dict[str, str | None] = {
            "Content-Type": "application/json",
            "Log-Type": log_type,
            "x-ms-date": when,
            "Authorization": sign(key or self.keys.primary, self.service.workspace_id, length, when),
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        parts = urllib.parse.urlsplit(self.service.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        kept = {name: value for name, value in sent.items() if value is not None}
        connection.request("POST", path, iter([body]) if chunked else body, kept, encode_chunked=chunked)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None, dict(answer.headers)

    def rows(self, query: str) -> list[list[Any]]:
        status, body = self.service.query(query)
        assert status == 200, body
        found: list[list[Any]] = body["tables"][0]["rows"]
        return found


@pytest.fixture(scope="module")
def sender(service: Any) -> Sender:
    return Sender(service)


# ---- what comes in ---------------------------------------------------------------------------


def test_records_are_found_by_the_next_query(sender: Sender) -> None:
    body = json.dumps(
        [
            {"Name": "Zoë", "Size": 3, "Fine": True, "Id": "8145d82213a744ad859c36f31a84f6dd"},
            {"Name": "x", "At": "2016-05-12T20:00:00.625Z", "None": None},
        ],
        ensure_ascii=False,
    ).encode()
    assert sender.post(body, "First")[:2] == (200, None)
    asked = "First_CL | sort by Name_s asc | project Name_s, Size_d, Fine_b, Id_g, At_t"
    assert sender.rows(asked) == [
        ["Zoë", 3.0, True, "8145d822-13a7-44ad-859c-36f31a84f6dd", None],
        ["x", None, None, "", "2016-05-12T20:00:00.6250000Z"],
    ]


def test_both_keys_open_the_door(sender: Sender) -> None:
    assert sender.post(b'{"a":1}', "Keys", key=sender.keys.primary)[0] == 200
    assert sender.post(b'{"a":2}', "Keys", key=sender.keys.secondary)[0] == 200
    assert sender.rows("Keys_CL | count") == [[2]]


def test_curl_can_send(sender: Sender) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    body, when = '{"text":"Grüße"},{"text":"two"}', date()
    command = [curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", body]
    for header in (
        "Content-Type: application/json",
        "Log-Type: Curl",
        f"x-ms-date: {when}",
        f"Authorization: {sign(sender.keys.primary, sender.service.workspace_id, len(body.encode()), when)}",
    ):
        command += ["-H", header]
    url = f"{sender.service.url}/api/logs?api-version=2016-04-01"
    ran = subprocess.run([*command, url], capture_output=True, text=True, check=True)
    assert ran.stdout == "200"
    assert sender.rows("Curl_CL | project text_s | sort by text_s asc") == [["Grüße"], ["two"]]


def test_a_sender_that_tries_again_is_stored_once(sender: Sender) -> None:
    when = date()
    for _ in range(3):
        assert sender.post(b'[{"a":1}]', "Again", x_ms_date=when)[0] == 200
    assert sender.rows("Again_CL | count") == [[1]]
    assert sender.post(b'[{"a":1}]', "Again", x_ms_date=date(-1))[0] == 200
    assert sender.rows("Again_CL | count") == [[2]]


def test_a_fault_of_the_service_is_a_500_and_the_same_post_is_stored_once_it_is_mended(
    sender: Sender,
) -> None:
    """A folder lies where the table's entry of the catalog should be: nothing that a sender could mend."""
    when = date()
    assert sender.post(b'[{"a":1}]', "Fault", x_ms_date=when)[0] == 200
    entry = sender.service.workspace / "catalog" / "Fault_CL.json"
    kept = entry.rename(entry.with_suffix(".aside"))
    entry.mkdir()
    try:
        status, answer, headers = sender.post(b'[{"a":2}]', "Fault", x_ms_date=when)
    finally:
        entry.rmdir()
        kept.rename(entry)
    assert status == 500
    assert answer == {
        "Error": "UnspecifiedError",
        "Message": "a fault of the service; its log has the details",
    }
    assert headers["content-type"] == "application/json"
    assert sender.post(b'[{"a":2}]', "Fault", x_ms_date=when)[0] == 200
    assert sender.rows("Fault_CL | project a_d | sort by a_d asc") == [[1.0], [2.0]]


def test_a_request_id_tells_deliveries_apart(sender: Sender) -> None:
    when = date()
    for number in ("1", "2", "2"):
        body = b'[{"a":1}]'
        assert sender.post(body, "Told", x_ms_date=when, x_ms_client_request_id=number)[0] == 200
    assert sender.rows("Told_CL | count") == [[2]]


def test_a_table_keeps_its_columns(sender: Sender) -> None:
    for body in (
        b'{"number":1.5,"flag":true}',
        b'{"number":"2.5","flag":"false"}',
        b'{"number":"x","flag":7}',
    ):
        assert sender.post(body, "Kinds")[0] == 200
    asked = "Kinds_CL | sort by _TimeReceived asc, number_d asc | project number_d, number_s, flag_b, flag_d"
    assert sorted(sender.rows(asked), key=str) == sorted(
        [[1.5, "", True, None], [2.5, "", False, None], [None, "x", None, 7.0]], key=str
    )


def test_the_time_and_the_resource_are_taken_from_the_headers(sender: Sender) -> None:
    recent = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = json.dumps([{"at": recent, "n": 1}, {"at": "2016-05-12T20:00:00Z", "n": 2}]).encode()
    assert sender.post(body, "Times", time_generated_field="at", x_ms_AzureResourceId="/x/y")[0] == 200
    asked = (
        f"Times_CL | project n_d, TimeGenerated == datetime({recent}), TimeGenerated > ago(5m), _ResourceId"
    )
    assert sorted(sender.rows(asked)) == [[1.0, True, False, "/x/y"], [2.0, False, True, "/x/y"]]


def test_a_bad_record_lies_in_quarantine_and_those_beside_it_are_found(sender: Sender) -> None:
    deep = b'{"d":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    body = b'[{"a":1},7,{"tenant":1},' + deep + b',{"a":2}]'
    assert sender.post(body, "Mixed")[0] == 200
    assert sender.rows("Mixed_CL | summarize sum(a_d)") == [[3.0]]
    asked = (
        "_Quarantine | where Table == 'Mixed_CL' | project Code, Source, strlen(Original) | sort by Code asc"
    )
    assert sender.rows(asked) == [
        ["DCA201", "primary key", 12],
        ["DCA206", "primary key", len(deep)],
        ["IMP103", "primary key", 1],
    ]


def test_gzip_and_chunks_are_taken(sender: Sender) -> None:
    packed = gzip.compress(b'[{"a":1}]')
    assert sender.post(packed, "Packed", Content_Encoding="gzip")[0] == 200
    assert sender.post(b'[{"a":2}]', "Packed", chunked=True)[0] == 200
    assert sender.post(b"[]", "Packed")[0] == 200
    assert sender.rows("Packed_CL | summarize sum(a_d)") == [[3.0]]


# ---- what is sent away -----------------------------------------------------------------------


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b"[" * 1_000_000) for _ in range(size // 1_000_000)) + packer.flush()


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"Authorization": None}, 403, "InvalidAuthorization"),
        ({"Authorization": "Bearer x"}, 403, "InvalidAuthorization"),
        ({"key": base64.b64encode(b"another key").decode()}, 403, "InvalidAuthorization"),
        ({"x_ms_date": date(-16)}, 403, "InvalidAuthorization"),
        ({"x_ms_date": date(24 * 60)}, 403, "InvalidAuthorization"),
        ({"x_ms_date": "yesterday"}, 403, "InvalidAuthorization"),
        ({"body": '[{"a":"é"}]'.encode(), "size": 11}, 403, "InvalidAuthorization"),
        ({"Authorization": "SharedKey 00000000-0000-0000-0000-000000000000:AAAA"}, 400, "InvalidCustomerId"),
        ({"path": "/api/logs"}, 400, "MissingApiVersion"),
        ({"path": "/api/logs?api-version=2020-01-01"}, 400, "InvalidApiVersion"),
        ({"Content_Type": None}, 400, "MissingContentType"),
        ({"Content_Type": "text/plain"}, 400, "UnsupportedContentType"),
        ({"Log_Type": None}, 400, "MissingLogType"),
        ({"log_type": "no-dash"}, 400, "InvalidLogType"),
        ({"log_type": "x" * 101}, 400, "InvalidLogType"),
        ({"body": b"no json"}, 400, "InvalidDataFormat"),
        ({"body": b'[{"a":NaN}]'}, 400, "InvalidDataFormat"),
        ({"body": b'[{"a":"\xff"}]'}, 400, "InvalidDataFormat"),
        ({"body": b"x", "Content_Encoding": "gzip"}, 400, "InvalidDataFormat"),
        ({"body": b"x", "Content_Encoding": "br"}, 400, "InvalidDataFormat"),
        ({"body": b" " * 31_000_000}, 404, "RequestTooLarge"),
        ({"body": b" " * 31_000_000, "chunked": True}, 404, "RequestTooLarge"),
        ({"body": bomb(100_000_000), "Content_Encoding": "gzip"}, 404, "RequestTooLarge"),
        ({"X_Forwarded_For": "192.0.2.7"}, 403, "TlsRequired"),
    ],
)  # fmt: skip
def test_each_fault_has_its_answer(sender: Sender, given: dict[str, Any], status: int, code: str) -> None:
    found, said, _ = sender.post(given.pop("body", b'[{"a":1}]'), given.pop("log_type", "Refused"), **given)
    assert (found, said["Error"]) == (status, code)
    assert said["Message"]


def test_a_damaged_workspace_is_no_fault_of_the_sender(sender: Sender) -> None:
    assert sender.post(b'[{"a":1}]', "Damaged")[0] == 200
    (entry,) = (sender.service.workspace / "catalog").glob("*amaged*.json")
    good = entry.read_bytes()
    entry.write_bytes(b"{")
    try:
        status, said, headers = sender.post(b'[{"a":2}]', "Damaged")
    finally:
        entry.write_bytes(good)
    assert (status, said["Error"]) == (503, "ServiceUnavailable")
    assert int(headers["retry-after"]) > 0
    assert sender.post(b'[{"a":2}]', "Damaged")[0] == 200
    assert sender.rows("Damaged_CL | summarize sum(a_d)") == [[3.0]]


def test_what_was_refused_is_stored_nowhere_and_counted(sender: Sender) -> None:
    for _ in range(3):
        assert sender.post(b"{", "Poison")[0] == 400
    # A service that ends stores what it counted, so this is the last test here.
    sender.service.process.terminate()
    assert sender.service.process.wait(20) == 0
    workspace = workbench.open(str(sender.service.workspace))
    assert not {"Poison_CL", "Refused_CL"} & set(workspace.tables)
    asked = (
        "Operation | where OperationCategory == 'Data Collector' | summarize Count=sum(Count) by OperationKey"
    )
    counted = dict(workspace.query(asked).frame.rows())
    assert counted["DCA109"] >= 3
    assert counted["DCA112"] >= 1
    assert counted["DCA101"] >= 6
