"""Tabular operators, one file each. To add one: its file, one line here, one case file in
`tests/query/cases/operators/`.
"""

from workbench.query.operators import (  # noqa: F401
    as_,
    assert_schema,
    consume,
    count,
    datatable,
    distinct,
    evaluate,
    extend,
    externaldata,
    find,
    getschema,
    invoke,
    join,
    lookup,
    make_series,
    mv_apply,
    mv_expand,
    parse,
    parse_kv,
    partition,
    print_,
    project,
    project_family,
    range_,
    reduce,
    render,
    sample,
    sample_distinct,
    scan,
    search,
    serialize,
    sort,
    summarize,
    take,
    top,
    top_hitters,
    top_nested,
    union,
    where,
)
from workbench.query.operators._card import OPERATORS, OperatorCard

__all__ = ["OPERATORS", "OperatorCard"]
