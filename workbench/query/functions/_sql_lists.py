"""Builders of SQL for lists, and for dynamic arrays and bags as lists of the JSON texts of their elements.

A dynamic value in canonical form is compact JSON, so its first character says what it is. Names of the
variables of lambdas begin with two underscores, so that no column of a table is caught by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast
from workbench.query.lowering import SqlValue

if TYPE_CHECKING:
    from workbench.query.functions._sql import Sql

_TEXTS = "VARCHAR[]"


# ---- lists ------------------------------------------------------------------------------------


def _lambda(names: tuple[str, ...], body: Callable[..., Any]) -> Sql:
    from sqlglot import exp

    names = tuple(f"__{n}" for n in names)
    return exp.Lambda(
        this=_sql.own(body(*map(exp.column, names))), expressions=[*map(exp.to_identifier, names)]
    )


def each(items: Any, change: Callable[[Sql], Any], name: str = "x") -> Sql:
    """The list with every element changed; nested calls need other names.

    Examples
    --------
    >>> _sql.text(each(_sql.plain_func("f"), lambda x: _sql.op("+", x, 1)))
    'LIST_TRANSFORM(F(), LAMBDA __x : __x + 1)'
    """
    return _sql.plain_func("list_transform", items, _lambda((name,), change))


def only(items: Any, test: Callable[[Sql], Any], name: str = "x") -> Sql:
    """The elements for which the test is true."""
    return _sql.plain_func("list_filter", items, _lambda((name,), test))


def folded(items: Any, start: Any, step: Callable[[Sql, Sql], Any]) -> Sql:
    """`step(so_far, element)` from one end of the list to the other."""
    return _sql.plain_func("list_reduce", items, _lambda(("so_far", "x"), step), start)


def places(size: Any) -> Sql:
    """The list 1, 2, … up to a size."""
    return _sql.plain_func("range", 1, _sql.op("+", size, 1))


def at(items: Any, place: Any) -> Sql:
    """The element at a place that counts from 1; null beyond the ends."""
    return _sql.plain_func("list_extract", items, place)


def size(items: Any) -> Sql:
    """How many elements there are."""
    return _sql.cast(_sql.plain_func("len", items), "BIGINT")


def part(items: Any, first: Any, last: Any) -> Sql:
    """The elements from one place to another, which count from 1, both inside."""
    return _sql.plain_func("list_slice", items, first, last)


def both(*lists: Any) -> Sql:
    """The lists one behind the other."""
    found = _sql.own(lists[0])
    for following in lists[1:]:
        found = _sql.plain_func("list_concat", found, following)
    return found


def listed(*items: Any) -> Sql:
    """A list of texts."""
    return _sql.cast(_sql.plain_func("list_value", *items), _TEXTS)


def joined(items: Any, between: Any) -> Sql:
    """The texts of a list in one; null for null."""
    if isinstance(between, str):
        found = _sql.plain_func("array_to_string", items, between)
    else:
        rest = part(items, 2, size(items))
        found = folded(rest, at(items, 1), lambda so_far, text: _sql.concat(so_far, between, text))
    return _sql.case((_sql.not_null(items), _sql.coalesce(found, "")))


def split(text: Any, delimiter: Any) -> Sql:
    """The parts of a text between delimiters that are not empty."""
    return _sql.plain_func("string_split", text, delimiter)


def bound(value: Any, use: Callable[[Sql], Any], name: str) -> Sql:
    """`use(value)`, where the value is computed once however often it is used."""
    return at(each(_sql.plain_func("list_value", value), use, name), 1)


def first_of_each(items: Any, key: Callable[[Sql], Any] | None = None) -> Sql:
    """Each element once, in the order of first appearance; equal are those with one key."""

    def distinct(items: Sql) -> Sql:
        keys = items if key is None else each(items, key, "k")
        # Sorted, equal ones stand side by side, the first of them in front.
        return bound(
            _sql.plain_func("list_sort", _sql.plain_func("list_zip", keys, places(size(items)))), picked, "s"
        )

    def picked(pairs: Sql) -> Sql:
        def is_first(i: Sql) -> Sql:
            one, before = (field(at(pairs, n), 1) for n in (i, _sql.op("-", i, 1)))
            return _sql.any_of(_sql.op("=", i, 1), _sql.op("<>", one, before))

        kept = each(only(places(size(pairs)), is_first, "i"), lambda i: field(at(pairs, i), 2), "j")
        return each(_sql.plain_func("list_sort", kept), lambda i: at(items_name, i), "p")

    from sqlglot import exp

    items_name = exp.column("__of")
    return bound(items, distinct, "of")


def field(struct: Any, place: int) -> Sql:
    """A part of a struct by its place, from 1."""
    return _sql.plain_func("struct_extract", struct, place)


def flat(lists: Any) -> Sql:
    """The elements of all lists of a list."""
    return _sql.plain_func("flatten", lists)


def nothing() -> Sql:
    """A list of texts that has none."""
    return _sql.cast(_sql.plain_func("list_value"), _TEXTS)


def chars(text: Any) -> Sql:
    """The characters (code points) of a text."""
    return _sql.plain_func("regexp_extract_all", text, "(?s).")


# ---- dynamic values ---------------------------------------------------------------------------


def is_array(json: Any) -> Sql:
    """Whether a dynamic value is an array; null for null."""
    return _sql.plain_func("starts_with", json, "[")


def is_bag(json: Any) -> Sql:
    """Whether a dynamic value is a bag; null for null."""
    return _sql.plain_func("starts_with", json, "{")


def elements(json: Any) -> Sql:
    """The JSON texts of an array's elements; null for what is no array."""
    found = _sql.cast(_sql.plain_func("json_extract", json, "$[*]"), _TEXTS)
    return _sql.case((is_array(json), found))


def items_of(json: Any) -> Sql:
    """The same; what is no array is the one element, and null has none."""
    return _sql.case(
        (_sql.is_null(json), nothing()),
        (is_array(json), _sql.cast(_sql.plain_func("json_extract", json, "$[*]"), _TEXTS)),
        otherwise=listed(json),
    )


def array(texts: Any) -> Sql:
    """A list of JSON texts as an array; null for null."""
    return _sql.concat("[", joined(texts, ","), "]")


def keys(json: Any) -> Sql:
    """The keys of a bag as they stand, null for what is no bag."""
    return _sql.case((is_bag(json), _sql.plain_func("json_keys", json)))


def values(json: Any) -> Sql:
    """The JSON texts of a bag's values, in the order of its keys; null for what is no bag."""
    found = _sql.cast(_sql.plain_func("json_extract", json, "$.*"), _TEXTS)
    return _sql.case((is_bag(json), found))


def member(key: Any, value: Any) -> Sql:
    """A key (text) and the JSON text of its value as they stand in a bag."""
    return _sql.concat(_sql_cast.quoted(key), ":", value)


def bag(members: Any) -> Sql:
    """A list of members as a bag; null for null."""
    return _sql.concat("{", joined(members, ","), "}")


def piece(value: SqlValue) -> Sql:
    """A value as JSON text as it stands in an array or a bag; null for null."""
    text = _sql_cast.canonical(value)
    if value.type is ScalarType.DECIMAL:
        return _sql.concat('"', _sql_cast.decimal_text(text), '"')
    return _sql_cast.json_text(text, value.type)


def known(json: Any) -> Sql:
    """A JSON text that is not null: `null` for it."""
    return _sql.coalesce(json, "null")


def value_of(json: Any) -> Sql:
    """The JSON text of an element as a dynamic value, null for `null`."""
    return _sql.func("nullif", json, "null")


def is_number(json: Any) -> Sql:
    """Whether a JSON text that is not null is a number."""
    return _sql.plain_func("regexp_matches", json, "^[-0-9]")


def is_whole(json: Any) -> Sql:
    """Whether a JSON text that is not null is a number without point and exponent."""
    return _sql.plain_func("regexp_full_match", json, "-?[0-9]+")


def same(json: Any) -> Sql:
    """What makes two JSON values one: 1 is 1.0; a bag's members count in any order, theirs as they are written."""
    number = _sql.try_cast(json, "DOUBLE")
    whole = _sql.all_of(_sql.negated(is_whole(json)), _sql.op("=", number, _sql.func("trunc", number)))
    near = _sql.op("<", _sql.func("abs", number), 2.0**63)
    members = each(
        _sql.plain_func("json_keys", json),
        lambda key: member(key, _sql.cast(_sql.plain_func("json_extract", json, _pointer(key)), "VARCHAR")),
        "m",
    )
    return _sql.case(
        (
            _sql.all_of(is_number(json), whole, near),
            _sql.cast(_sql.try_cast(number, "HUGEINT"), "VARCHAR"),
        ),
        (is_bag(json), bag(_sql.plain_func("list_sort", members))),
        otherwise=json,
    )


def _pointer(key: Any) -> Sql:
    """A key as a JSON pointer, which takes every key."""
    escaped = _sql.plain_func("replace", _sql.plain_func("replace", key, "~", "~0"), "/", "~1")
    return _sql.concat("/", escaped)


def property_of(json: Any, key: Any) -> Sql:
    """The JSON text of a bag's property whose key is a text; null where it is not there."""
    return _sql.cast(_sql.plain_func("json_extract", json, _pointer(key)), "VARCHAR")
