"""Messages about the HTTP Data Collector API (`DCA`): whole requests, and single records."""

from __future__ import annotations

from workbench.base.errors import WorkbenchError

# ---- a whole request -------------------------------------------------------------------------
# They say nothing that differs from request to request: one row of `Operation` counts all of a kind.


def not_authorized(why: str) -> WorkbenchError:
    return WorkbenchError("DCA101", f"the request is not authorized: {why}")


def other_workspace() -> WorkbenchError:
    return WorkbenchError(
        "DCA102", "the workspace id in the Authorization header is not that of this workspace"
    )


def no_version() -> WorkbenchError:
    return WorkbenchError("DCA103", "the request has no api-version", hint="?api-version=2016-04-01")


def bad_version() -> WorkbenchError:
    return WorkbenchError("DCA104", "this api-version is not known here", hint="?api-version=2016-04-01")


def no_content_type() -> WorkbenchError:
    return WorkbenchError("DCA105", "the request has no Content-Type", hint="application/json")


def bad_content_type() -> WorkbenchError:
    return WorkbenchError("DCA106", "this Content-Type is not taken here", hint="application/json")


def no_log_type() -> WorkbenchError:
    return WorkbenchError("DCA107", "the request has no Log-Type, which names the table")


def bad_log_type() -> WorkbenchError:
    return WorkbenchError("DCA108", "a Log-Type has letters, digits and underscores, at most 100 of them")


def bad_body(why: str) -> WorkbenchError:
    return WorkbenchError("DCA109", f"the body is no JSON object or array of objects: {why}")


def too_large(limit: int) -> WorkbenchError:
    return WorkbenchError(
        "DCA110", f"the post is larger than {limit:,} bytes", hint="send fewer records at once"
    )


def bad_encoding(why: str) -> WorkbenchError:
    return WorkbenchError(
        "DCA111", f"the body can't be unpacked: {why}", hint="send it as it is, or with gzip"
    )


def not_secure() -> WorkbenchError:
    return WorkbenchError(
        "DCA112",
        "a signature does not cover the body, so from another machine this API is open over TLS only",
        hint="start the service with --tls-cert and --tls-key",
    )


# ---- one record ------------------------------------------------------------------------------


def reserved_name(name: str) -> WorkbenchError:
    return WorkbenchError("DCA201", f"the property name {name!r} is reserved")


def long_name(name: str, limit: int) -> WorkbenchError:
    return WorkbenchError("DCA202", f"the property name {name[:60]!r} has more than {limit} characters")


def too_many_columns(table: str, limit: int) -> WorkbenchError:
    return WorkbenchError("DCA203", f"{table} would have more than {limit} columns of its own")


def too_deep(name: str) -> WorkbenchError:
    return WorkbenchError("DCA204", f"the value of {name!r} is nested too deep, or JSON can't say it")


def no_number(name: str) -> WorkbenchError:
    return WorkbenchError("DCA205", f"the number in {name!r} is larger than a double can be")


def unreadable() -> WorkbenchError:
    return WorkbenchError("DCA206", "the record is nested deeper than 1,000 levels")


# ---- what was changed ------------------------------------------------------------------------


def values_cut(limit: int) -> WorkbenchError:
    return WorkbenchError("DCA301", f"values longer than {limit:,} bytes were cut")


def digits_lost() -> WorkbenchError:
    return WorkbenchError("DCA302", "whole numbers with more digits than a double holds were rounded")


def old_times(days: int) -> WorkbenchError:
    return WorkbenchError(
        "DCA303", f"times older than {days} days, or that are none, were replaced by the time of arrival"
    )
