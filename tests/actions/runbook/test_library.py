"""Runbooks in versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workbench.actions.runbook.library import Library
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError


@pytest.fixture
def library(control_place: Path) -> Library:
    return Library(Database.open(control_place))


def notebook(source: str) -> dict[str, Any]:
    code = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": 3}
    text = {"cell_type": "markdown", "metadata": {}, "source": "\n## Clean up\nmore"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, code]}


def test_versions_count_and_the_same_again_is_none(library: Library) -> None:
    assert [library.bring("clean", notebook(s)).version for s in ("a", "a", "b")] == [1, 1, 2]
    assert library.published("clean").version == 2
    assert library.version("clean", 1).notebook["cells"][1]["source"] == "a"
    assert library.published("clean").description == "Clean up"


def test_a_draft_waits_to_be_published(library: Library) -> None:
    library.bring("clean", notebook("a"))
    library.bring("clean", notebook("b"), draft=True)
    assert library.published("clean").version == 1
    assert library.publish("clean").version == 2
    with pytest.raises(WorkbenchError) as refused:
        library.publish("clean")
    assert refused.value.code == "JOB204"


def test_only_a_draft_is_no_runbook_to_start(library: Library) -> None:
    library.bring("clean", notebook("a"), draft=True)
    with pytest.raises(WorkbenchError) as refused:
        library.published("clean")
    assert refused.value.code == "JOB202"
    with pytest.raises(WorkbenchError) as refused:
        library.published("clen")
    assert refused.value.render().endswith("did you mean 'clean'?")


def test_what_an_earlier_run_left_is_left_out(library: Library) -> None:
    made = notebook("a")
    made["metadata"]["papermill"] = {"parameters": {"password": "x"}}
    made["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "seen"}]
    made["cells"].append({"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": "a = 1",
                          "outputs": [], "execution_count": None})  # fmt: skip
    kept = library.bring("clean", made).notebook
    assert "papermill" not in kept["metadata"]
    assert [c["source"] for c in kept["cells"]] == ["\n## Clean up\nmore", "a"]
    assert kept["cells"][1]["outputs"] == []


@pytest.mark.parametrize(
    "made",
    [None, [], {}, {"cells": 1}, {"cells": []}, {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [7]},
     {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "odd"}]}],
)  # fmt: skip
def test_what_is_no_notebook_is_refused(library: Library, made: Any) -> None:
    with pytest.raises(WorkbenchError) as refused:
        library.bring("clean", made)
    assert refused.value.code == "JOB203"


@pytest.mark.parametrize("name", ["", "a b", "../x", ".x", "x" * 101, "a\n"])
def test_a_name_is_plain(library: Library, name: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        library.bring(name, notebook("a"))
    assert refused.value.code == "JOB203"
