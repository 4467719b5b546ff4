"""`workbench alert lint` and `import`: what they print, where it goes, and their exit statuses."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from workbench.alerts.reading import load

pytestmark = pytest.mark.slow

SENTINEL = "name: Log/cleared\nkind: NRT\nseverity: High\nalertDetailsOverride: {a: b}\nquery: SecurityEvent | where EventID == 1102\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "good.yaml").write_text("name: Good\nquery: Event | where EventID == 1\n")
    (folder / "sentinel.yaml").write_text(SENTINEL)
    return folder


def test_lint_says_nothing_of_good_rules(run: Any, rules: Path) -> None:
    ran = run("alert", "lint", str(rules))
    assert (ran.returncode, ran.stdout) == (0, b"")


def test_lint_shows_what_is_wrong_and_where(run: Any, rules: Path) -> None:
    (rules / "always.yaml").write_text("name: Always\nquery: Event | count\n")
    (rules / "broken.yaml").write_text("name: Broken\nquery: Event | wher x\n")
    ran = run("alert", "lint", str(rules))
    said = ran.stdout.decode()
    assert ran.returncode == 1
    assert (
        "always.yaml: error: count > 0 always holds: the query always gives a row (always-fires)\n  hint: "
        in said
    )
    assert "broken.yaml: KQL005 at 2:16: no tabular operator named 'wher'\n  query: Event | wher x\n" in said
    listed = json.loads(run("alert", "lint", str(rules), "--json").stdout)
    assert [(Path(row["file"]).name, row["finding"]) for row in listed] == [
        ("always.yaml", "always-fires"), ("broken.yaml", "KQL005"),
    ]  # fmt: skip


def test_import_prints_writes_and_tells(run: Any, rules: Path, tmp_path: Path) -> None:
    shown = run("alert", "import", str(rules / "sentinel.yaml"))
    assert shown.returncode == 0
    assert shown.stdout.startswith(b"---\nname: Log-cleared\n")
    assert b"sentinel.yaml: alertDetailsOverride (a) is not applied" in shown.stderr
    (rules / "broken.yaml").write_text("name: Broken\nquery: ''\n")
    target = tmp_path / "made"
    ran = run("alert", "import", str(rules), "--to", str(target))
    assert ran.returncode == 1  # for the broken one; the others are there
    assert b"broken.yaml: ALR104" in ran.stderr
    assert sorted(p.name for p in target.iterdir()) == ["Good.yaml", "Log-cleared.yaml"]
    assert load(target / "Log-cleared.yaml").frequency == 60
    again = run("alert", "import", str(rules / "good.yaml"), "--to", str(target))
    assert again.returncode == 1
    assert b"ALR112" in again.stderr


def test_backtest_shows_when_a_rule_would_have_fired(run: Any, tmp_path: Path) -> None:
    at = ("--workspace", str(tmp_path / "w"))
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    records = [
        {"TimeGenerated": (moment + dt.timedelta(seconds=n)).isoformat(), "EventID": 4625} for n in range(20)
    ]
    (tmp_path / "r.jsonl").write_text("\n".join(json.dumps(r) for r in records))
    assert run("import", str(tmp_path / "r.jsonl"), "--table", "Logins", *at).returncode == 0
    (tmp_path / "rule.yaml").write_text(
        "name: r\nquery: Logins | where EventID == 4625\nwhen: count >= 10\nover: 1h\n"
    )
    rule, chart = str(tmp_path / "rule.yaml"), tmp_path / "chart.svg"
    ran = run("alert", "backtest", rule, "--over", "3d", "--chart", str(chart), "--json", *at)
    assert ran.returncode == 0, ran.stderr
    (row,) = json.loads(ran.stdout)
    assert row["records"] >= 10
    assert row["resolved"] > row["fired"] >= moment.isoformat()[:16]
    assert b"1 alert in 864 evaluations over 3d; 20 records read" in ran.stderr
    assert chart.read_text().startswith("<svg")
    assert run("alert", "backtest", rule, "--over", "soon", *at).stderr.startswith(
        b"ALR105: --over can't be 'soon'"
    )
    printed = (
        run("alert", "backtest", rule, "--over", "3d", "--format", "csv", *at).stdout.decode().splitlines()
    )
    assert (printed[0], len(printed)) == ("fired,resolved,value,records,dimensions,told", 2)
