"""`reduce`: texts that differ in a few words only, as patterns with `*` for what differs.

A text is cut into words. It joins the first group of texts with as many words of which at least
half are equal in their places; words that differ within a group become `*`. Groups of fewer rows
than `threshold` (a share of all rows), and rows that stand alone, are put together as `others`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Col, Project, Rel, unique

T = ScalarType
_SCHEMA = (Column("Pattern", T.STRING), Column("Count", T.LONG), Column("Representative", T.STRING))
_DEFAULT_THRESHOLD = 0.1


@dataclass(frozen=True, slots=True)
class Reduced(Rel):
    """Patterns of the texts in the column `__text` of `source`, the most frequent first.

    `each`: the rows of the source, with the pattern that each has.
    """

    source: Rel
    threshold: float
    characters: str
    each: bool

    @property
    def serialized(self) -> bool:
        return self.source.serialized if self.each else True


@dataclass(frozen=True, slots=True)
class ReduceSyntax(syntax.Operator):
    text: syntax.Expression
    threshold: syntax.Expression | None
    characters: syntax.Expression | None
    each: bool


@operator("reduce", syntax="reduce [kind=source] by TEXT [with threshold=SHARE, characters='…']")
class Reduce:
    """One row a pattern of similar texts: Pattern, Count, and the first text as Representative.

    With `kind=source` the rows stay, and have these columns beside their own.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ReduceSyntax:
        options = p.options("reduce", ("kind",))
        if options.get("kind", "source") != "source":
            raise diagnostics.bad_option(str(options["kind"]), "reduce kind", keyword.span, ("source",))
        p.expect_word("by")
        text = p.expression()
        given: dict[str, syntax.Expression] = {}
        if p.accept_word("with"):
            while True:
                name = p.name()
                if name.value not in ("threshold", "characters"):
                    raise diagnostics.bad_option(
                        str(name.value), "reduce", name.span, ("threshold", "characters")
                    )
                p.expect("=")
                given[str(name.value)] = p.expression()
                if not p.accept(","):
                    break
        span = keyword.span.to(p.last_span)
        threshold, characters = given.get("threshold"), given.get("characters")
        return ReduceSyntax(span, "reduce", text, threshold, characters, "kind" in options)

    @staticmethod
    def bind(s: ReduceSyntax, source: Rel, b: BinderApi) -> Rel:
        threshold, characters = _DEFAULT_THRESHOLD, ""
        if s.threshold is not None:
            threshold = b.constant(s.threshold, "threshold", T.REAL)
            if threshold is None or not 0 <= threshold <= 1:
                raise diagnostics.bad_argument("threshold", "is a share between 0 and 1", s.threshold.span)
        if s.characters is not None:
            characters = str(b.constant(s.characters, "characters", T.STRING))
        text = b.convert(b.expr(s.text, source), T.STRING)
        kept = [(c.name, Col(c.type, c.name)) for c in source.schema] if s.each else []
        schema = (*(source.schema if s.each else ()), Column("__text", T.STRING, hidden=True))
        made = Project(schema, source, (*kept, ("__text", text)))
        taken = {c.name for c in source.schema} if s.each else set()
        columns = tuple(replace(c, name=unique(c.name, taken)) for c in _SCHEMA)
        return Reduced((*schema[:-1], *columns), made, float(threshold), characters, s.each)


@to_polars.register
def _reduced(rel: Reduced, context: PolarsContext) -> Frame:
    lazy = context.canonical_frame(rel.source)
    counted = context.collect(lazy.select("__text").group_by("__text", maintain_order=True).len())
    found = _patterns(counted, rel.threshold, rel.characters)
    pattern, count, representative = (c.name for c in rel.schema[-3:])
    if rel.each:
        of_text = {t: (text, n, first) for text, n, first, texts in found for t in texts}
        rows = [(t, *own) for t, own in of_text.items()]
        kinds = {"__text": pl.String, pattern: pl.String, count: pl.Int64, representative: pl.String}
        table = pl.DataFrame(rows, schema=kinds, orient="row").lazy()
        joined = lazy.join(table, on="__text", how="left", maintain_order="left")
        return Frame(joined.select(rel.names()), {})
    kinds = {pattern: pl.String, count: pl.Int64, representative: pl.String}
    counts = sorted(((text, n, first) for text, n, first, _ in found), key=lambda r: -r[1])
    return Frame(pl.DataFrame(counts, schema=kinds, orient="row").lazy(), {})


@dataclass(slots=True)
class _Group:
    """Texts with as many words: the words that all share (None where they differ), and the signs between."""

    words: list[str | None]
    gaps: list[str]
    texts: list[str] = field(default_factory=list)
    count: int = 0


def _patterns(
    counted: pl.DataFrame, threshold: float, characters: str
) -> Iterator[tuple[str, int, str, list[str]]]:
    cut = re.compile(
        f"([^A-Za-z0-9{re.escape(characters)}]+|[{re.escape(characters)}]+)"
        if characters
        else "([^A-Za-z0-9]+)"
    )
    groups: dict[int, list[_Group]] = {}
    for text, count in counted.iter_rows():
        pieces = cut.split(text)
        words, gaps = pieces[::2], pieces[1::2]
        alike = groups.setdefault(len(words), [])
        group = _nearest(alike, words)
        if group is None:
            group = _Group(list(words), gaps)
            alike.append(group)
        group.texts.append(text)
        group.words = [a if a == b else None for a, b in zip(group.words, words, strict=True)]
        group.gaps = [a if a == b else "" for a, b in zip(group.gaps, gaps, strict=True)]
        group.count += count
    total = int(counted["len"].sum())
    least = max(threshold * total, min(2, total))
    rest = _Group([], [])
    for group in (g for alike in groups.values() for g in alike):
        if group.count >= least:
            yield _text(group, characters), group.count, group.texts[0], group.texts
        else:
            rest.count += group.count
            rest.texts += group.texts
    if rest.texts:
        yield "others", rest.count, "", rest.texts


def _nearest(groups: list[_Group], words: list[str]) -> _Group | None:
    """The group with the most equal words, if they are at least half of all."""
    best, most = None, (len(words) + 1) // 2
    for group in groups:
        equal = sum(a == b for a, b in zip(group.words, words, strict=True))
        if equal > most or (equal == most and best is None):
            best, most = group, equal
    return best


def _text(group: _Group, characters: str) -> str:
    """The pattern; given separators beside a `*` are part of it."""
    out = ""
    for i, word in enumerate(group.words):
        gap = group.gaps[i - 1] if i else ""
        open_end = word is None or (i and group.words[i - 1] is None)
        if not (open_end and gap and set(gap) <= set(characters)):
            out += gap
        out += "*" if word is None else word
    return re.sub(r"\*+", "*", out)
