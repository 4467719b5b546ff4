"""Function cards by family. To add a function: one card in its family's file, one case in
`tests/query/cases/functions/`. A new family file is imported here, which is the whole list.
"""

from workbench.query.functions import (  # noqa: F401
    aggregates,
    arithmetic,
    array_order,
    arrays,
    bags,
    binary,
    captures,
    collect_aggregates,
    comparison,
    conversion,
    convert_units,
    datetimes,
    distributions,
    encoding,
    formatting_time,
    hashing,
    logic,
    matching,
    math,
    network,
    network6,
    network_text,
    parsing,
    paths,
    regex,
    schema_aggregates,
    searching,
    series,
    series_filter,
    series_fit,
    series_seasonal,
    sets,
    sketches,
    statistics,
    strings,
    timezones,
    unicode,
    user_agents,
    windows,
    xml_text,
)
from workbench.query.functions._card import (
    AGGREGATES,
    FUNCTIONS,
    Card,
    Naming,
    Param,
    Signature,
    common,
)
from workbench.query.functions.unsupported import UNSUPPORTED, refusal

__all__ = [
    "AGGREGATES", "FUNCTIONS", "UNSUPPORTED", "Card", "Naming", "Param", "Signature", "common", "refusal",
]  # fmt: skip
