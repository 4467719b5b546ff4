"""The payload of log alerts of 2017, with what was added to it later. Runbooks get the same."""

from __future__ import annotations

from typing import Any

from workbench.actions.notify.telling import Told


def body(told: Told) -> dict[str, Any]:
    """The payload as values of JSON. `SearchResults` is as the search API of 2017 gives it, `SearchResult` as the later one."""
    return {
        "WorkspaceID": told.notice.workspace_id,
        "AlertRuleName": told.rule.name,
        "SearchQuery": told.rule.query,
        "SearchResults": search_results(told),
        "SearchIntervalStartTimeUtc": told.start,
        "SearchIntervalEndtimeUtc": told.end,
        "AlertThresholdOperator": told.operator,
        "AlertThresholdValue": told.threshold,
        "ResultCount": told.notice.count,
        "SearchIntervalInSeconds": told.seconds,
        "LinkToSearchResults": told.link,
        **later(told),
    }


def later(told: Told) -> dict[str, Any]:
    """What later versions of the payload added. There is no subscription here, so its id is that of the workspace."""
    return {
        "SubscriptionId": told.notice.workspace_id,
        "LinkToFilteredSearchResultsUI": told.filtered_link,
        "LinkToSearchResultsAPI": told.link,
        "LinkToFilteredSearchResultsAPI": told.filtered_link,
        "Description": told.rule.description,
        "Severity": told.rule.severity.value,
        "AffectedConfigurationItems": told.entities,
        "Dimensions": told.dimensions,
        "SearchResult": {"tables": told.tables},
        "WorkspaceId": told.notice.workspace_id,
        "AlertType": alert_type(told),
    }


def search_results(told: Told) -> dict[str, Any]:
    """The records, each an object; `total` tells how many there were."""
    return {
        "id": told.notice.alert_id,
        "__metadata": {
            "resultType": "raw", "total": told.notice.count, "top": len(told.objects), "Status": "Successful",
            "StartTime": told.start, "LastUpdated": told.end,
        },
        "value": told.objects,
    }  # fmt: skip


def alert_type(told: Told) -> str:
    """What the rule measures, as Azure names it."""
    return "Number of results" if told.rule.measure == "Count" else "Metric measurement"
