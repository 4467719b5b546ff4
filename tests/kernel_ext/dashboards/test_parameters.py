"""Values of parameters: checked by their declared type, the same again from a link and from KQL."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.dashboards import parameters
from workbench.kernel_ext.dashboards.spec import Dashboard, Parameter, read
from workbench.query.run import FrameTables, run

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = {
    "string": TEXTS,
    "long": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "datetime": st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)),
    "timespan": st.timedeltas(dt.timedelta(), dt.timedelta(days=10_000)),
}


def board(kind: str, many: bool = False) -> Dashboard:
    return read(
        f"title: t\nparameters: [{{name: p, type: {kind}, many: {str(many).lower()}}}]\ntiles: [{{tile: text, text: a}}]"
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(VALUES)))
def test_a_let_statement_is_read_as_the_value_that_it_was_made_from(data: Any, kind: str) -> None:
    value = data.draw(VALUES[kind])
    found = run(f"{parameters.let_statements({'p': value})}print p", FrameTables({}))
    assert found.frame.item() == value
    assert found.types == [kind]


@settings(max_examples=30, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_a_list_of_texts_stays_one_list_of_those_texts(values: list[str]) -> None:
    text = f"{parameters.let_statements({'p': values})}print n = array_length(p) | mv-apply v = p to typeof(string) on (summarize make_list(v))"
    found = run(f"{parameters.let_statements({'p': values})}print n = array_length(p)", FrameTables({}))
    assert found.frame.item() == len(values), text
    for i, value in enumerate(values):
        one = run(f"{parameters.let_statements({'p': values})}print tostring(p[{i}])", FrameTables({}))
        assert one.frame.item() == value


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(VALUES)), st.booleans())
def test_a_link_gives_back_the_values_that_it_was_made_from(data: Any, kind: str, many: bool) -> None:
    made = board(kind, many)
    usual = VALUES[kind].filter(lambda v: not isinstance(v, str) or v.isprintable())
    value = data.draw(st.lists(usual, max_size=3) if many else usual)
    link = parameters.to_link(made, {"p": value}, "PT1H")
    values, span = parameters.from_link(made, link)
    assert ({**parameters.defaults(made), **values}, span) == ({"p": value}, "PT1H")


@pytest.mark.parametrize(
    ("kind", "link", "said"),
    [
        ("long", "p_p=12x", "DSH101: the parameter 'p' is a long: '12x' is none"),
        ("long", "p_p=99999999999999999999", "is none"),
        ("real", "p_p=nan", "is none"),
        ("bool", "p_p=maybe", "is none"),
        ("datetime", "p_p=yesterday", "is none"),
        ("string", "p_p=a%00b", "is none"),
        ("string", "p_p=a&p_p=b", "it takes one value"),
        ("string", "p_p=" + "a" * 3000, "no more than 2,000 characters"),
        ("string", "p_q=a", "DSH102: the dashboard has no parameter 'q'\nhint: parameters: p"),
        ("string", "timespan=ever", "DSH101"),
    ],
)
def test_a_link_with_a_value_of_another_type_is_refused(kind: str, link: str, said: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        parameters.from_link(board(kind), link)
    assert said in caught.value.render()


def test_what_has_no_prefix_belongs_to_the_page() -> None:
    assert parameters.from_link(board("string"), "?token=secret&reset&theme=dark") == ({}, "")


def test_only_listed_choices_can_be_chosen() -> None:
    one = Parameter("level", choices=("Error", "Warning"))
    assert parameters.typed(one, "Error") == "Error"
    with pytest.raises(WorkbenchError, match="none of the choices"):
        parameters.typed(one, "Debug")
