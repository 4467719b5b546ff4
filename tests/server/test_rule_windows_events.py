"""The shipped rule `windows_events`: real events posted as they are, and imported from file, give equal tables."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.collect.importing import import_source
from workbench.repository.tables import Repository

pytestmark = pytest.mark.slow
SHARED = Path(os.environ.get("WORKBENCH_SHARED") or Path(__file__).parents[2].parent / "shared")
OWN = {"_TimeReceived", "_BatchId", "_Writer", "_Sequence"}
LIMIT = 1 << 20
# One fits into one post; in the other one columns change their type from post to post.
NAMES = os.environ.get("WORKBENCH_CAPTURES", "cmd_bitsadmin_download_psh_script empire_psexec_dcerpc_tcp_svcctl").split()  # fmt: skip


def posts(path: Path) -> Iterator[bytes]:
    """The lines of a capture as JSON arrays, as large as may be; the lines stay as they are."""
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(archive.namelist()[0]).splitlines()
    size, some = 1, list[bytes]()
    for line in lines:
        if some and size + len(line) + 1 > LIMIT:
            yield b"[" + b",".join(some) + b"]"
            size, some = 1, []
        some.append(line)
        size += len(line) + 1
    yield b"[" + b",".join(some) + b"]"


def rows(repository: Repository, table: str) -> pl.DataFrame:
    return repository.scan(table).lazy.collect().sort("_Writer", "_Sequence")


@pytest.mark.parametrize("name", NAMES)
def test_posted_is_imported(service: Any, tmp_path: Path, name: str) -> None:
    path = SHARED / "data" / "windows_events" / f"{name}.zip"
    if not path.exists():
        pytest.skip(f"the shared captures are not at {path.parent}")
    said = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "rule", "create", "windows_events", "--workspace", str(service.workspace)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    url = f"{service.url}/dataCollectionRules/{said.stdout.strip()}/streams/Custom-WindowsEvents?api-version=2023-01-01"
    headers = {"Authorization": f"Bearer {service.token}", "Content-Type": "application/json"}
    posted = Repository.open(str(service.workspace))
    before = {t: rows(posted, t).height if posted.has(t) else 0 for t in ("SecurityEvent", "Event")}
    for body in posts(path):
        assert len(body) <= LIMIT
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            assert answer.status == 204
    imported = Repository.open(str(tmp_path / "imported"), create=True)
    summary = import_source(imported, path, mapping="windows_events")
    assert summary.quarantined == 0
    posted = Repository.open(str(service.workspace))
    for table, skipped in before.items():
        if not imported.has(table):
            continue
        known = {c.name: c for c in posted.schema(table)}
        # Another capture may have been posted before: columns of its own are empty in these rows.
        wanted = [c for c in imported.schema(table) if c.name not in OWN]
        assert [known.get(c.name) for c in wanted] == wanted
        assert skipped or [c for c in known.values() if c.name not in OWN] == wanted
        found = rows(posted, table)[skipped:]
        expected = rows(imported, table)
        names = [c.name for c in wanted]
        assert found.height == expected.height > 0
        # A text has no null in KQL: what a file has no value for is an empty text.
        texts = pl.col(pl.String).fill_null("")
        found, expected = found.with_columns(texts), expected.with_columns(texts)
        assert [n for n in names if not found[n].equals(expected[n], check_dtypes=True)] == []
        others = found.drop([*names, *(n for n in found.columns if n in OWN)])
        assert all(series.replace("", None).null_count() == found.height for series in others)
    assert not posted.has("_Quarantine") or rows(posted, "_Quarantine").is_empty()
