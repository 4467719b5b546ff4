"""The backend of pySigma that writes conditions in KQL; names of fields come from its pipeline, as expressions."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.conversion.base import TextQueryBackend
from sigma.conversion.state import ConversionState
from sigma.processing.pipeline import ProcessingPipeline
from sigma.types import (
    CompareOperators,
    SigmaCasedString,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

Equals = ConditionFieldEqualsValueExpression
_MANY, _ONE = SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE


class KqlBackend(TextQueryBackend):
    """Conditions in KQL. Sigma compares without regard to case, so every operator here is the one that does.

    `words` are the expressions in which values without a field are looked for, `numbers` the columns that hold numbers.
    """

    name: ClassVar[str] = "KQL"
    formats: ClassVar[dict[str, str]] = {"default": "KQL"}
    precedence: ClassVar[Any] = (ConditionNOT, ConditionAND, ConditionOR)
    group_expression = "({expr})"
    or_token, and_token, not_token, eq_token = "or", "and", "not", " == "
    token_separator = " "
    convert_or_as_in = True
    list_separator = ", "
    field_escape = None
    field_quote = None
    bool_values: ClassVar[dict[bool, str | None]] = {True: '"true"', False: '"false"'}
    cidr_expression = 'ipv4_is_in_range({field}, "{value}")'
    compare_op_expression = "toreal({field}) {operator} {value}"
    compare_operators: ClassVar[dict[CompareOperators, str]] = {
        CompareOperators.LT: "<", CompareOperators.LTE: "<=", CompareOperators.GT: ">", CompareOperators.GTE: ">=",
        CompareOperators.NEQ: "!=",
    }  # fmt: skip
    field_exists_expression = "isnotempty({field})"
    field_not_exists_expression = "isempty({field})"
    field_null_expression = "isempty({field})"
    field_equals_field_expression = "{field1} =~ {field2}"
    field_equals_field_startswith_expression = "{field1} startswith {field2}"
    field_equals_field_endswith_expression = "{field1} endswith {field2}"
    field_equals_field_contains_expression = "{field1} contains {field2}"
    field_equals_field_escaping_quoting = (True, True)

    def __init__(self, pipeline: ProcessingPipeline, words: tuple[str, ...], numbers: frozenset[str]) -> None:
        super().__init__(pipeline)
        self._words, self._numbers = words, numbers

    def escape_and_quote_field(self, field_name: str) -> str:
        return field_name

    # ---- values -------------------------------------------------------------------------------

    def convert_condition_field_eq_val_str(self, cond: Equals, state: ConversionState) -> str:
        assert isinstance(cond.value, SigmaString)
        return self._compared(cond.field, cond.value, cased=False)

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Equals, state: ConversionState) -> str:
        assert isinstance(cond.value, SigmaCasedString)
        return self._compared(cond.field, cond.value, cased=True)

    def convert_condition_field_eq_val_num(self, cond: Equals, state: ConversionState) -> str:
        assert isinstance(cond.value, SigmaNumber)
        return f"{cond.field} == {self._number(cond.field, cond.value)}"

    def convert_condition_field_eq_val_re(self, cond: Equals, state: ConversionState) -> str:
        assert isinstance(cond.value, SigmaRegularExpression)
        return f"{self._text(cond.field)} matches regex {_regex(cond.value)}"

    def convert_condition_as_in_expression(self, cond: Any, state: ConversionState) -> str:
        field = cond.args[0].field
        if field in self._numbers:
            return f"{field} in ({', '.join(str(a.value) for a in cond.args)})"
        values = [
            literal(str(a.value)) if isinstance(a.value, SigmaNumber) else literal(_plain(a.value.s))
            for a in cond.args
        ]
        return f"{field} in~ ({', '.join(values)})"

    def decide_convert_condition_as_in_expression(self, cond: Any, state: ConversionState) -> bool:
        fits = super().decide_convert_condition_as_in_expression(cond, state)
        if not fits or any(isinstance(a.value, SigmaCasedString) for a in cond.args):
            return False
        numbers = all(isinstance(a.value, SigmaNumber) for a in cond.args)
        return numbers or cond.args[0].field not in self._numbers

    def convert_condition_val_str(self, cond: ConditionValueExpression, state: ConversionState) -> str:
        assert isinstance(cond.value, SigmaString)
        return self._anywhere(f"contains {literal(_plain(cond.value.s))}" if not _special(cond.value.s) else f"matches regex {_wild(cond.value.s)}")  # fmt: skip

    def convert_condition_val_num(self, cond: ConditionValueExpression, state: ConversionState) -> str:
        return self._anywhere(f"contains {literal(str(cond.value))}")

    def convert_condition_val_re(self, cond: ConditionValueExpression, state: ConversionState) -> str:
        assert isinstance(cond.value, SigmaRegularExpression)
        return self._anywhere(f"matches regex {_regex(cond.value)}")

    def convert_condition_not(self, cond: ConditionNOT, state: ConversionState) -> str:
        inner = self.convert_condition(cond.args[0], state)
        return f"not({inner})" if inner else ""

    def _anywhere(self, test: str) -> str:
        """A test of all places where words are looked for, in parentheses."""
        tests = [f"{place} {test}" for place in self._words]
        return tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"

    def _compared(self, field: str, value: SigmaString, *, cased: bool) -> str:
        parts = value.s
        begins, ends = bool(parts) and parts[0] is _MANY, len(parts) > 1 and parts[-1] is _MANY
        if list(parts) == [_MANY]:
            return f"isnotempty({field})"
        middle = parts[begins : len(parts) - ends]
        if _special(middle):
            return f"{self._text(field)} matches regex {_wild(parts, cased=cased)}"
        if not (begins or ends):
            if field in self._numbers and _plain(parts).lstrip("-").isdigit():
                return f"{field} == {int(_plain(parts))}"
            return f"{self._text(field)} {'==' if cased else '=~'} {literal(_plain(middle))}"
        operator = "contains" if begins and ends else "endswith" if begins else "startswith"
        return f"{self._text(field)} {operator}{'_cs' if cased else ''} {literal(_plain(middle))}"

    def _text(self, field: str) -> str:
        return f"tostring({field})" if field in self._numbers else field

    def _number(self, field: str, value: SigmaNumber) -> str:
        return str(value) if field in self._numbers else literal(str(value))


def literal(text: str) -> str:
    """A text as a KQL string.

    Examples
    --------
    >>> literal('C:\\\\Temp "x"')
    '"C:\\\\\\\\Temp \\\\"x\\\\""'
    """
    shown = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown) + '"'


def _special(parts: Any) -> bool:
    return any(not isinstance(p, str) for p in parts)


def _plain(parts: Any) -> str:
    return "".join(p for p in parts if isinstance(p, str))


def _wild(parts: Any, *, cased: bool = False) -> str:
    """Wildcards as a pattern over the whole value."""
    for part in parts:
        if not isinstance(part, str) and part not in (_MANY, _ONE):
            raise NotImplementedError(f"the placeholder {part} has no value")
    said = "".join(".*" if p is _MANY else "." if p is _ONE else re.escape(str(p)) for p in parts)
    return _pattern(f"(?{'' if cased else 'i'}s)^{said}$")


def _regex(value: SigmaRegularExpression) -> str:
    flags = "".join(sorted(value.sigma_to_re_flag[f] for f in value.flags))
    return _pattern(f"(?{flags}){value.regexp}" if flags else str(value.regexp))


def _pattern(pattern: str) -> str:
    return '@"' + pattern.replace('"', '""') + '"'
