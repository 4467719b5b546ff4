"""Sigma rules, by pySigma (the extra `sigma`), as rules over our own tables (`sigma_sources`).

A rule whose log source, field or condition has no counterpart is refused: a query over the wrong table would be silent for
ever. Where a log source lies in two tables (process creation: Sysmon and 4688), those that have all fields of the rule are
asked, and a remark tells of the other. Each match is an alert of the rule: it fires anew and is not resolved by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.alerts.importing.imported import Imported, checked, kept, name_of
from workbench.alerts.importing.sigma_sources import Source, sources_of
from workbench.alerts.rule import Rule, Severity
from workbench.base.diagnostics import alerts as diagnostics
from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from sigma.rule import SigmaRule

_SEVERITIES = {
    "critical": Severity.CRITICAL, "high": Severity.ERROR, "medium": Severity.WARNING, "low": Severity.INFORMATIONAL,
    "informational": Severity.VERBOSE,
}  # fmt: skip
_KEPT = ("id", "status", "author", "references", "tags", "falsepositives", "license")
_MEANT = frozenset(
    {"title", "description", "level", "logsource", "detection", "date", "modified", "related", "name", "taxonomy", "fields", "scope",
     "regression_tests_path", "simulation"}
)  # fmt: skip


def all_imported(text: str) -> list[Imported]:
    """The rules of a Sigma text.

    Raises
    ------
    WorkbenchError
        ALR125 without pySigma, ALR126 for what is no Sigma rule, ALR127 for what has no counterpart here.
    """
    try:
        from sigma.collection import SigmaCollection
        from sigma.exceptions import SigmaError
    except ImportError:
        raise diagnostics.no_pysigma() from None
    try:
        found = SigmaCollection.from_yaml(text)
        return [_imported(rule) for rule in found.rules]
    except SigmaError as error:
        raise diagnostics.not_sigma(" ".join(str(error).split())[:300]) from None


def _imported(rule: Any) -> Imported:
    from sigma.rule import SigmaRule

    if not isinstance(rule, SigmaRule):
        raise diagnostics.no_sigma_counterpart("a correlation of rules", "write it as one query")
    log = rule.logsource
    told = ", ".join(f"{k} {v}" for k, v in (("product", log.product), ("category", log.category), ("service", log.service)) if v)  # fmt: skip
    sources = sources_of(log.product, log.category, log.service)
    if not sources:
        raise diagnostics.no_sigma_counterpart(
            f"the log source ({told})", "no table here is known to hold it"
        )
    parts, remarks, refused = [], [], []
    for source in sources:
        try:
            parts.append(_part(rule, source))
        except WorkbenchError as error:
            refused.append(error)
            remarks.append(f"{source.table} is not asked: {error.message}")
    if not parts:
        raise refused[0]
    if log.definition:
        remarks.append("its log source needs: " + " ".join(str(log.definition).split()))
    given = rule.to_dict()
    remarks += [
        f"{k} is not known here and was left out" for k in given if k not in _MEANT and k not in _KEPT
    ]
    level = rule.level.name.lower() if rule.level else "medium"
    return checked(
        Rule(
            name=name_of(rule.title),
            description=str(rule.description or "").strip(),
            query=parts[0] if len(parts) == 1 else "union\n(" + "),\n(".join(parts) + ")",
            severity=_SEVERITIES[level],
            auto_resolve=False,
            properties={k: _told(v) for k, v in kept(given, _KEPT).items()},
        ),
        remarks,
    )


def _part(rule: SigmaRule, source: Source) -> str:
    """The rule's query over one table."""
    import copy

    from sigma.exceptions import SigmaError
    from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
    from sigma.processing.transformations import FieldFunctionTransformation

    from workbench.alerts.importing.sigma_backend import KqlBackend

    def named(field: str | None) -> str:
        found = source.field(field or "")
        if found is None:
            raise diagnostics.no_sigma_counterpart(f"the field {field!r}", f"{source.table} has none for it")
        return found

    pipeline = ProcessingPipeline([ProcessingItem(FieldFunctionTransformation({}, named))])
    backend = KqlBackend(pipeline, source.words, source.numbers)
    try:
        conditions = backend.convert_rule(copy.deepcopy(rule))
    except (SigmaError, NotImplementedError) as error:
        raise diagnostics.no_sigma_counterpart("its condition", " ".join(str(error).split())[:200]) from None
    if len(conditions) != 1 or not isinstance(conditions[0], str):
        raise diagnostics.no_sigma_counterpart("its condition", "it is more than one")
    picked = f"\n| where {source.condition}" if source.condition else ""
    return f"{source.table}{picked}\n| where {conditions[0]}"


def _told(value: Any) -> Any:
    return [str(v) for v in value] if isinstance(value, list) else str(value)
