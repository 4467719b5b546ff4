"""Tabular operators, one file each. To add one: its file, one line here, one case file in
`tests/query/cases/operators/`.
"""

from workbench.query.operators import (  # noqa: F401
    as_,
    count,
    datatable,
    distinct,
    extend,
    externaldata,
    getschema,
    invoke,
    join,
    lookup,
    parse,
    parse_kv,
    print_,
    project,
    project_family,
    range_,
    render,
    search,
    serialize,
    sort,
    summarize,
    take,
    top,
    union,
    where,
)
from workbench.query.operators._card import OPERATORS, OperatorCard

__all__ = ["OPERATORS", "OperatorCard"]
