"""Every name of the language is there, or is refused by name with a reason and what to use instead.

`kql_surface.txt` lists the names. What may be refused is listed here: what looks into graphs or
geography, what calls out of the machine, and the few that mean nothing in one repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.query.frames import FrameTables
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.run import run

NAMES = Path(__file__).with_name("kql_surface.txt")
UNKNOWN_OPERATOR, UNKNOWN_FUNCTION, REFUSED = "KQL005", "KQL103", "KQL006"

GRAPH_OPERATORS = {
    "make-graph",
    "graph-match",
    "graph-shortest-paths",
    "graph-to-table",
    "graph-mark-components",
}
GRAPH_FUNCTIONS = {
    "all",
    "graph",
    "inner_nodes",
    "labels",
    "map",
    "node_degree_in",
    "node_degree_out",
    "node_id",
}
PLACES = {"cluster", "database"}  # they stand before a table; as values they mean nothing
NO_EXTENTS = {"extent_id", "extent_tags", "row_id"}
OUTSIDE = {
    "ai_chat_completion", "ai_chat_completion_prompt", "ai_embeddings", "azure_digital_twins_query_request",
    "cosmosdb_sql_request", "csharp", "execute_query", "execute_show_command", "external_datatable",
    "http_request", "http_request_post", "infer_storage_schema", "infer_storage_schema_with_suggestions",
    "mysql_request", "python", "r", "sql_request",
}  # fmt: skip
MAY_BE_REFUSED = {
    *(("operator", n) for n in GRAPH_OPERATORS),
    *(("scalar", n) for n in GRAPH_FUNCTIONS | PLACES | NO_EXTENTS),
    *(("plugin", n) for n in OUTSIDE | {"geo_polygon_lookup", "geo_line_lookup"}),
}

T = "datatable(a:long, b:string)[1, 'x']"
TRIED = {
    "operator": f"{T} | NAME",
    "scalar": "print x = NAME()",
    "aggregate": f"{T} | summarize NAME()",
    "plugin": f"{T} | evaluate NAME()",
    "join kind": f"{T} | join kind=NAME ({T}) on a",
    "lookup kind": f"{T} | lookup kind=NAME ({T}) on a",
    "render kind": f"{T} | render NAME",
    "type": "print x = NAME(null)",
}
SPECIAL = {
    ("type", "string"): "datatable(x:string)['']",
    ("scalar operator", "[]"): "print x = dynamic([1])[0]",
    ("statement", "alias"): "alias database D = database('workspace'); print 1",
    ("statement", "declare pattern"): "declare pattern P = (a:string)[b:string] { ('x').['y'] = { print 1 }; }; P('x').['y']",
    ("statement", "declare query_parameters"): "declare query_parameters(n:long = 3); print n",
    ("statement", "let"): "let n = 1; print n",
    ("statement", "materialize"): f"let x = materialize({T}); x",
    ("statement", "restrict"): f"let x = {T}; restrict access to (x); x",
    ("statement", "set"): "set notruncation; print 1",
    ("statement", "toscalar"): f"print toscalar({T} | count)",
    ("statement", "totable"): f"totable({T})",
    ("statement", "user-defined function (let)"): "let f = (n:long) { n + 1 }; print f(1)",
    ("scalar", "entity_group"): f"let A = {T}; macro-expand entity_group [A] as X (X)",
    ("scalar operator", "between"): "print x = 1 between (0 .. 2)",
    ("scalar operator", "!between"): "print x = 1 !between (0 .. 2)",
}  # fmt: skip


def names() -> Iterator[tuple[str, str]]:
    for line in NAMES.read_text().splitlines():
        if line and not line.startswith("#"):
            kind, name = line.split("\t")
            yield kind, name


def refused(kind: str, name: str) -> bool:
    return (kind, name) in MAY_BE_REFUSED or (kind == "scalar" and name.startswith("geo_") and name != "geo_info_from_ip_address")  # fmt: skip


def asked(text: str) -> WorkbenchError | None:
    """The error that a query ends with; its rows do not matter here."""
    try:
        run(text, FrameTables({}))
    except WorkbenchError as error:
        return error
    return None


def infix(name: str) -> str:
    sides = {
        "and": "true {} false", "or": "true {} false", "matches regex": "'a' {} 'b'", "has_all": "'a' {} ('b')",
        "has_any": "'a' {} ('b')", "in": "'a' {} ('b')", "!in": "'a' {} ('b')", "in~": "'a' {} ('b')",
        "!in~": "'a' {} ('b')", "+": "1 {} 2", "-": "1 {} 2", "*": "1 {} 2", "/": "1 {} 2", "%": "1 {} 2",
    }  # fmt: skip
    return "print x = " + sides.get(name, "'a' {} 'b'").format(name)


@pytest.mark.parametrize(("kind", "name"), [pytest.param(*n, id=" ".join(n)) for n in names()])
def test_a_name_is_there_or_refused_by_name(kind: str, name: str) -> None:
    text = SPECIAL.get((kind, name)) or (
        infix(name) if kind == "scalar operator" else TRIED[kind].replace("NAME", name)
    )
    error = asked(text)
    if refused(kind, name):
        assert error is not None
        assert error.code == REFUSED
        assert name in error.message
        assert error.hint
        return
    if (kind, name) in SPECIAL or kind in (
        "join kind",
        "lookup kind",
        "render kind",
        "type",
        "scalar operator",
    ):
        assert error is None, error.render()
    elif error is not None:
        assert error.code not in (UNKNOWN_OPERATOR, UNKNOWN_FUNCTION, REFUSED), error.render()


def test_what_may_be_refused_is_on_the_list() -> None:
    assert set(names()) >= MAY_BE_REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "print geo_something_new(1, 2)",
        f"{T} | extend x = geo_distance_2points(1, 2, 3, 4)",
        f"{T} | where node_degree_in() > 1",
        f"{T} | graph-match (a)-[e]->(b) project a",
        f"{T} | evaluate postgresql_request('x', 'y')",
        "print x = workspace('w')",
    ],
)
def test_refusals_are_by_name_wherever_they_stand(text: str) -> None:
    error = asked(text)
    assert error is not None
    assert error.code == REFUSED
    assert error.hint


def test_no_card_is_refused_as_well() -> None:
    from workbench.query.functions.unsupported import refusal
    from workbench.query.operators import OPERATORS
    from workbench.query.operators.plugins import PLUGINS
    from workbench.query.operators.plugins import REFUSED as REFUSED_PLUGINS
    from workbench.query.operators.refused import REFUSED as REFUSED_OPERATORS

    assert [n for n in (*FUNCTIONS, *AGGREGATES) if refusal(n) and n != "geo_info_from_ip_address"] == []
    assert [n for n in REFUSED_OPERATORS if n in OPERATORS] == []
    assert [n for n in REFUSED_PLUGINS if n in PLUGINS] == []
