"""Stored functions on disk: names, replacement, damage, several openings and threads at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.repository.functions import Functions, StoredFunction
from workbench.repository.tables import Repository


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "workspace")


@pytest.fixture
def functions(path: str) -> Functions:
    return Repository.open(path, create=True).functions


def stored(name: str, body: str = "{ print 1 }") -> StoredFunction:
    return StoredFunction(name, "()", body, folder="f", docstring="d", view=True)


def test_a_function_is_read_as_it_was_stored(functions: Functions, path: str) -> None:
    put = functions.put(stored("Recent", "{\n  print s = 'é \\\\ \"'\n}"))
    found = Repository.open(path).functions.find("Recent")
    assert found == put
    assert found is not None
    assert (found.body, found.folder, found.docstring, found.view) == (
        "{\n  print s = 'é \\\\ \"'\n}",
        "f",
        "d",
        True,
    )
    assert found.created == found.changed != ""


def test_names_differ_by_case_and_may_hold_any_sign(functions: Functions, path: str) -> None:
    names = ["f", "F", "a b", "../../x", "é", "Σ" * 300]
    for number, name in enumerate(names):
        functions.put(stored(name, f"{{ print {number} }}"))
    again = Repository.open(path).functions
    assert again.names() == sorted(names)
    assert [again.find(n).body for n in names] == [f"{{ print {i} }}" for i in range(len(names))]  # type: ignore[union-attr]
    files = list(Path(path, "catalog/shared/functions").iterdir())
    assert len(files) == len(names)


@pytest.mark.parametrize("name", ["", "  ", "x" * 1025])
def test_a_name_that_cannot_be_one_is_refused(functions: Functions, name: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        functions.put(stored(name))
    assert caught.value.code == "REP103"


def test_a_change_keeps_when_it_was_made_and_what_is_not_known(functions: Functions, path: str) -> None:
    functions.put(stored("f"))
    file = Path(path, "catalog/shared/functions/f.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "colour": "red", "created": "then"}))
    functions.put(stored("f", "{ print 2 }"))
    content = json.loads(file.read_text())
    assert (content["colour"], content["created"], content["body"]) == ("red", "then", "{ print 2 }")


def test_another_opening_sees_changes_and_removals(functions: Functions, path: str) -> None:
    other = Repository.open(path).functions
    assert other.names() == []
    functions.put(stored("f"))
    assert other.names() == ["f"]
    functions.put(stored("f", "{ print 2 }"))
    assert other.find("f").body == "{ print 2 }"  # type: ignore[union-attr]
    assert other.remove("f") is True
    assert (functions.find("f"), functions.remove("f")) == (None, False)


@pytest.mark.parametrize("damage", ["no json", "[]", '{"format": 1}', '{"format": 99, "function": "bad"}'])
def test_a_damaged_file_hides_its_function_and_no_other(functions: Functions, path: str, damage: str) -> None:
    functions.put(stored("good"))
    Path(path, "catalog/shared/functions/bad.json").write_text(damage)
    again = Repository.open(path).functions
    assert (again.names(), again.find("bad")) == (["good"], None)
    with pytest.raises(WorkbenchError) as caught:
        again.all()
    assert caught.value.code in ("REP003", "REP004")


def test_many_threads_lose_nothing(path: str) -> None:
    Repository.open(path, create=True)

    def put(number: int) -> None:
        Repository.open(path).functions.put(stored(f"f{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(24)))
    assert len(Repository.open(path).functions.names()) == 24
