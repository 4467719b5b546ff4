"""What receivers are sent, field by field: each form of a webhook's body against its file, and an alert as an e-mail."""

from __future__ import annotations

import email.policy
import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from notices import AT, notice, resolved

from workbench.actions.notify import mail
from workbench.actions.notify.payloads import FORMS, common_schema, custom
from workbench.actions.notify.telling import Told
from workbench.base.errors import WorkbenchError

SERVICE = "https://ops.example"
FILES = Path(__file__).parent / "payloads"
CUSTOM = {
    "title": "#alertrulename (#severity)", "text": "#searchresultcount #thresholdoperator #thresholdvalue in #searchinterval s",
    "from": "#searchintervalstarttimeutc", "to": "#searchintervalendtimeutc", "kind": ["#alerttype", {"of": "#workspaceid"}],
    "links": "#linktosearchresults #linktofilteredsearchresultsui", "api": "#linktosearchresultsapi #linktofilteredsearchresultsapi",
    "query": "#searchquery", "#severity": 1, "IncludeSearchResults": True, "IncludeDimensions": True,
}  # fmt: skip
OMS_2017 = (
    "WorkspaceID", "AlertRuleName", "SearchQuery", "SearchResults", "SearchIntervalStartTimeUtc",
    "SearchIntervalEndtimeUtc", "AlertThresholdOperator", "AlertThresholdValue", "ResultCount",
    "SearchIntervalInSeconds", "LinkToSearchResults",
)  # fmt: skip
OMS_LATER = (
    "SubscriptionId", "LinkToFilteredSearchResultsUI", "LinkToSearchResultsAPI", "LinkToFilteredSearchResultsAPI",
    "Description", "Severity", "AffectedConfigurationItems", "Dimensions", "SearchResult", "WorkspaceId", "AlertType",
)  # fmt: skip


def told(**changes: Any) -> Told:
    return Told.of(notice(**changes), SERVICE)


def bodies() -> dict[str, Any]:
    over = Told.of(resolved(), SERVICE)
    found = {form: make(told(), CUSTOM) for form, make in FORMS.items()}
    return found | {
        f"{form} resolved": FORMS[form](over, None) for form in ("common", "alertmanager", "alertmanager-api")
    }


@pytest.mark.parametrize("name", sorted(bodies()))
def test_bodies_are_those_of_their_files(name: str, updating: bool) -> None:
    file = FILES / f"{name.replace(' ', '_')}.json"
    if updating:
        file.write_text(json.dumps(bodies()[name], indent=1, ensure_ascii=False) + "\n")
    assert bodies()[name] == json.loads(file.read_text())


def test_the_payload_of_2017_has_its_fields_in_their_spelling() -> None:
    body = FORMS["oms"](told(), None)
    assert tuple(body) == OMS_2017 + OMS_LATER
    assert (body["AlertThresholdOperator"], body["AlertThresholdValue"], body["ResultCount"]) == (
        "Greater Than",
        2,
        3,
    )
    assert set(body["SearchResults"]) == {"id", "__metadata", "value"}
    assert body["SearchResult"]["tables"][0]["columns"][0] == {"name": "TimeGenerated", "type": "datetime"}
    assert len(FORMS["oms"](told(rows=1500), None)["SearchResults"]["value"]) == 1000


def test_a_large_common_alert_leaves_its_results_out() -> None:
    long = tuple(("2020-07-09T14:00:00.0000000Z", "web01", 4625, "x" * 300) for _ in range(1000))
    small, large = told(), told(records=long)
    assert "searchResults" in common_schema.body(small)["data"]["alertContext"]["condition"]["allOf"][0]
    body = common_schema.body(large)
    condition = body["data"]["alertContext"]["condition"]["allOf"][0]
    assert "searchResults" not in condition
    assert condition["linkToSearchResultsAPI"].startswith(SERVICE)
    assert len(json.dumps(body)) <= common_schema.MOST_BYTES


def test_a_variable_changes_no_json_and_is_not_read_again() -> None:
    hostile = '", "injected": "#severity'
    body = custom.body(
        told(rule={"name": "r", "description": hostile, "query": f"T | where X == '{hostile}'"}),
        {"q": "#searchquery"},
    )
    assert body == {"q": f"T | where X == '{hostile}'"}
    assert list(json.loads(json.dumps(body))) == ["q"]
    assert custom.body(told(rule={"payload": {"own": "#alertrulename"}}), CUSTOM) == {"own": "AcmeRule"}
    assert "SearchResults" not in custom.body(told(), {"IncludeSearchResults": "true"})


def read(made: Any) -> Any:
    return message_from_bytes(made.as_bytes(), policy=email.policy.default)


def test_an_email_escapes_what_records_say() -> None:
    evil = '<script>alert(1)</script><img src="https://evil.example/x">'
    hostile = told(
        columns=((evil, "string"), ("Computer", "string")), records=((evil, "=cmd|x"), ("\x1b[31m\x00", None))
    )
    made = read(mail.message(hostile, "alerts@example.org", ["ada@example.org"], picture=b"\x89PNG"))
    page = made.get_body(("html",)).get_content()
    assert "<script" not in page
    assert page.count("<img") == 1
    assert '<img src="cid:chart"' in page
    assert "\x1b" not in page + made.get_body(("plain",)).get_content()
    assert evil in made.get_body(("plain",)).get_content()


def test_an_email_has_the_first_ten_records_and_says_so() -> None:
    made = read(mail.message(told(rows=25), "alerts@example.org", ["ada@example.org"]))
    page, text = (made.get_body((kind,)).get_content() for kind in ("html", "plain"))
    assert ("record 9<" in page, "record 10<" in page) == (True, False)
    assert "10 of 25 records" in page
    assert "10 of 25 records" in text
    assert SERVICE in text


def test_nothing_gets_into_a_header() -> None:
    hostile = told(rule={"subject": "up\r\nBcc: eve@example.org\r\n\r\nbody"}, key="k\r\nX-Evil: 1")
    made = read(mail.message(hostile, "alerts@example.org", ["ada@example.org"]))
    assert made["Subject"] == "up Bcc: eve@example.org body"
    assert (made["Bcc"], made["X-Evil"]) == (None, None)
    for text in ("a@b\r\nBcc: c@d", "a b@example.org", "a@b c", "@x", "a@", "<a@b.cd>", "a..b@example.org"):
        with pytest.raises(WorkbenchError) as refused:
            mail.recipients(text)
        assert refused.value.code == "NOT007"


def test_many_recipients_do_not_see_each_other() -> None:
    to = [f"p{n}@example.org" for n in range(mail.MOST_NAMED + 1)]
    assert "p0@" not in mail.message(told(), "alerts@example.org", to).as_string()
    assert "p0@" in mail.message(told(), "alerts@example.org", to[:-1]).as_string()


def test_moments_and_links_lead_to_what_was_looked_at() -> None:
    one = told()
    assert (one.start, one.end, one.seconds) == (
        "2020-07-09T13:54:49.996450Z",
        "2020-07-09T14:04:49.996450Z",
        600,
    )
    assert one.link.startswith(f"{SERVICE}/v1/workspaces/workspace-1/query?query=SecurityEvent")
    assert 'where Computer == "web01"' in one.query
    assert one.notice.window_end == AT
