"""Points of OTLP metrics as rows of `AppMetrics`, one row a point.

In goes an ExportMetricsServiceRequest, out come rows. A gauge or sum is its value in `Sum`, `Min` and `Max` with an
`ItemCount` of 1; a histogram has its own count, sum, least and largest. What else a kind tells stands in the dynamic
column `Distribution`. A point that says it has no value (a flag of the protocol) is no row. Whole numbers become
reals, so beyond 2^53 they are rounded; not-a-number and the infinities are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.collect.doors import otlp_values as values
from workbench.collect.doors.otlp_values import ORIGIN_TYPES, PERSON_TYPES, Taken
from workbench.collect.doors.rows import json_text

TABLE = "AppMetrics"
TYPES = {
    "TimeGenerated": T.DATETIME, "Name": T.STRING, "Sum": T.REAL, "Min": T.REAL, "Max": T.REAL, "ItemCount": T.INT,
    "Distribution": T.DYNAMIC, "Exemplars": T.DYNAMIC, "Properties": T.DYNAMIC, "OperationName": T.STRING,
    **PERSON_TYPES, "StartTime": T.DATETIME, "MetricKind": T.STRING, "Temporality": T.STRING,
    "IsMonotonic": T.BOOL, "Unit": T.STRING, "Description": T.STRING, **ORIGIN_TYPES,
}  # fmt: skip
_TEMPORALITY = {1: "Delta", 2: "Cumulative"}
_NO_VALUE = 1
Measured = tuple[float | None, float | None, float | None, int, str | None]
"""Sum, Min, Max, ItemCount, Distribution."""


def rows(request: Any, source: str) -> Taken:
    """The points of a request as a part of `AppMetrics`; each point that can't be one is refused by itself."""
    taken = Taken()
    made: list[tuple[Any, ...]] = []
    points: list[Any] = []
    for of_resource in request.resource_metrics:
        origin = values.resource_columns(of_resource.resource)
        for of_scope in of_resource.scope_metrics:
            scope = values.scope_column(of_scope.scope)
            for metric in of_scope.metrics:
                _metric(metric, (*origin, scope), source, taken, made, points)
    taken.add(TABLE, TYPES, made, points, source)
    return taken


def _metric(
    metric: Any, origin: tuple[str | None, ...], source: str, taken: Taken, made: list[Any], points: list[Any]
) -> None:
    kind = metric.WhichOneof("data")
    if kind is None:
        taken.refuse(TABLE, diagnostics.no_data(metric.name), source, metric)
        return
    data = getattr(metric, kind)
    if not metric.name:
        for point in data.data_points:
            taken.refuse(TABLE, diagnostics.no_name(), source, point)
        return
    name, measure = _KINDS[kind]
    # A gauge has neither, a summary no temporality: their messages lack the fields.
    temporality = _TEMPORALITY.get(getattr(data, "aggregation_temporality", 0))
    monotonic = data.is_monotonic if kind == "sum" else None
    for point in data.data_points:
        if point.flags & _NO_VALUE:
            continue
        taken.timed &= point.time_unix_nano > 0
        told = values.attributes_of(point.attributes)
        made.append(
            (
                values.micros(point.time_unix_nano),
                metric.name,
                *measure(point),
                _exemplars(getattr(point, "exemplars", ())),
                values.bag(told),
                values.first(told, "ai.operation.name"),
                *values.person_columns(told),
                values.micros(point.start_time_unix_nano),
                name,
                temporality,
                monotonic,
                metric.unit or None,
                metric.description or None,
                *origin,
            )
        )
        points.append(point)


def _number(point: Any) -> Measured:
    kind = point.WhichOneof("value")
    value = None if kind is None else float(getattr(point, kind))
    return value, value, value, 1, None


def _extremes(point: Any) -> tuple[float | None, float | None, float | None]:
    """Sum, least and largest of a histogram; each may be unknown."""
    return (
        point.sum if point.HasField("sum") else None,
        point.min if point.HasField("min") else None,
        point.max if point.HasField("max") else None,
    )


def _histogram(point: Any) -> Measured:
    buckets = {"bounds": list(point.explicit_bounds), "counts": list(point.bucket_counts)}
    told = json_text(buckets) if point.bucket_counts else None
    return (*_extremes(point), point.count, told)


def _exponential(point: Any) -> Measured:
    told = {"scale": point.scale, "zeroCount": point.zero_count, "zeroThreshold": point.zero_threshold}
    for side in ("positive", "negative"):
        buckets = getattr(point, side)
        if buckets.bucket_counts:
            told[side] = {"offset": buckets.offset, "counts": list(buckets.bucket_counts)}
    return (*_extremes(point), point.count, json_text(told))


def _summary(point: Any) -> Measured:
    quantiles = {q.quantile: q.value for q in point.quantile_values}
    told = json_text({f"{q:g}": value for q, value in quantiles.items()}) if quantiles else None
    return point.sum, quantiles.get(0.0), quantiles.get(1.0), point.count, told


def _exemplars(exemplars: Any) -> str | None:
    """Single measurements that stand for the point, with the span in which each was made."""
    told = []
    for exemplar in exemplars:
        one = {
            "time": exemplar.time_unix_nano // 1000,
            "value": getattr(exemplar, exemplar.WhichOneof("value") or "as_double"),
            "OperationId": values.identifier(exemplar.trace_id, 16),
            "ParentId": values.identifier(exemplar.span_id, 8),
            "attributes": values.attributes_of(exemplar.filtered_attributes) or None,
        }
        told.append({key: value for key, value in one.items() if value is not None})
    return json_text(told) if told else None


_KINDS: dict[str, tuple[str, Callable[[Any], Measured]]] = {
    "gauge": ("Gauge", _number),
    "sum": ("Sum", _number),
    "histogram": ("Histogram", _histogram),
    "exponential_histogram": ("ExponentialHistogram", _exponential),
    "summary": ("Summary", _summary),
}
