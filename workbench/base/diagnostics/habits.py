"""What people write who come from SQL, Splunk or a programming language, and how KQL says it: hints of messages.

Keys are in small letters. A hint is looked up where the query has already been refused; nothing here makes a query run.
"""

from __future__ import annotations

_PROJECT = "columns are chosen with: project A, B"
_SUMMARIZE = "rows are grouped with: summarize count() by A"
_ANY_ROWS = "take 5 gives any rows, top 5 by A the largest"
_TEXT_OF_TIME = "format_datetime(T, 'yyyy-MM-dd HH:mm:ss') writes a time"
_CASTS = "conversions: tostring(), tolong(), toreal(), todatetime(), tobool()"
_ONLY_READS = "a query only reads; records come in with: workbench import FILE --table T"

OPERATORS: dict[str, str] = {
    "select": _PROJECT,
    "fields": _PROJECT,
    "table": _PROJECT,
    "columns": _PROJECT,
    "group": _SUMMARIZE,
    "groupby": _SUMMARIZE,
    "stats": _SUMMARIZE,
    "aggregate": _SUMMARIZE,
    "tstats": _SUMMARIZE,
    "having": "a condition on groups is a where behind summarize",
    "eval": "columns are added with: extend A = …",
    "let": "let stands before the query, with ';' behind it; columns are added with: extend A = …",
    "head": _ANY_ROWS,
    "tail": _ANY_ROWS,
    "first": _ANY_ROWS,
    "offset": "rows are numbered with: serialize n = row_number() | where n > 5",
    "skip": "rows are numbered with: serialize n = row_number() | where n > 5",
    "dedup": "one row a value: distinct A, or summarize take_any(*) by A",
    "uniq": "one row a value: distinct A",
    "unique": "one row a value: distinct A",
    "rename": "columns are renamed with: project-rename NEW = OLD",
    "drop": "columns are left out with: project-away A",
    "rex": "texts are taken apart with: parse A with …, or extract('(…)', 1, A)",
    "regex": "texts are matched with: where A matches regex '…'",
    "spath": "paths into JSON: parse_json(A).name",
    "timechart": "summarize count() by bin(TimeGenerated, 1h) | render timechart",
    "chart": "summarize count() by A | render columnchart",
    "append": "rows of two tables: union",
    "appendcols": "columns of two tables: join",
    "left": "join kind=leftouter (TABLE) on A",
    "right": "join kind=rightouter (TABLE) on A",
    "inner": "join kind=inner (TABLE) on A",
    "cross": "add a constant to both sides and join on it",
    "explode": "one row an element: mv-expand A",
    "unnest": "one row an element: mv-expand A",
    "fillnull": "extend A = coalesce(A, 0)",
    "insert": _ONLY_READS,
    "update": _ONLY_READS,
    "delete": _ONLY_READS,
    "from": "a query begins with its table: T | …",
}

FUNCTIONS: dict[str, str] = {
    "len": "strlen() of a text, array_length() of an array",
    "length": "strlen() of a text, array_length() of an array",
    "size": "strlen() of a text, array_length() of an array",
    "upper": "toupper()",
    "ucase": "toupper()",
    "lower": "tolower()",
    "lcase": "tolower()",
    "concat": "strcat() joins texts, array_concat() arrays",
    "concat_ws": "strcat_delim()",
    "left": "substring(A, 0, 3)",
    "right": "substring(A, -3)",
    "mid": "substring()",
    "substr": "substring(); it counts from 0",
    "instr": "indexof(); it counts from 0",
    "charindex": "indexof(); it counts from 0",
    "position": "indexof(); it counts from 0",
    "locate": "indexof(); it counts from 0",
    "contains": "write: A contains 'x'",
    "startswith": "write: A startswith 'x'",
    "endswith": "write: A endswith 'x'",
    "like": "write: A contains 'x', or A matches regex '…'",
    "match": "write: A matches regex '…'",
    "regexp_like": "write: A matches regex '…'",
    "regexp_extract": "extract('(…)', 1, A)",
    "regexp_substr": "extract('(…)', 1, A)",
    "regexp_replace": "replace_regex()",
    "ifnull": "coalesce()",
    "nvl": "coalesce()",
    "if": "iff(condition, then, else)",
    "ifelse": "iff(condition, then, else)",
    "decode": "case(condition, value, …, else)",
    "nullif": "iff(A == B, …, A)",
    "cast": _CASTS,
    "convert": _CASTS,
    "int": "a literal is int(5); toint() converts",
    "str": "tostring()",
    "to_char": _TEXT_OF_TIME,
    "date_format": _TEXT_OF_TIME,
    "strftime": _TEXT_OF_TIME,
    "to_timestamp": "todatetime()",
    "strptime": "todatetime()",
    "getdate": "now()",
    "current_timestamp": "now()",
    "sysdate": "now()",
    "date_trunc": "bin(T, 1d), startofmonth(T), startofyear(T)",
    "trunc": "bin(A, 1), or toint(A)",
    "truncate": "bin(A, 1), or toint(A)",
    "bucket": "bin(T, 1h)",
    "date_add": "T + 1d, or datetime_add('month', 1, T)",
    "dateadd": "T + 1d, or datetime_add('month', 1, T)",
    "date_sub": "T - 1d, or datetime_add('month', -1, T)",
    "date_diff": "T2 - T1, or datetime_diff('day', T2, T1)",
    "datediff": "T2 - T1, or datetime_diff('day', T2, T1)",
    "timestampdiff": "T2 - T1, or datetime_diff('day', T2, T1)",
    "date": "startofday(T), or a literal: datetime(2030-01-31)",
    "year": "getyear()",
    "month": "monthofyear()",
    "day": "dayofmonth()",
    "hour": "hourofday()",
    "minute": "datetime_part('minute', T)",
    "second": "datetime_part('second', T)",
    "week": "week_of_year()",
    "from_unixtime": "unixtime_seconds_todatetime()",
    "relative_time": "ago(1d), or T - 1d",
    "greatest": "max_of()",
    "least": "min_of()",
    "ceil": "ceiling()",
    "power": "pow()",
    "ln": "log()",
    "mod": "write: A % B",
    "mean": "avg()",
    "average": "avg()",
    "median": "percentile(A, 50)",
    "stddev": "stdev()",
    "var": "variance()",
    "dc": "dcount()",
    "distinct_count": "dcount()",
    "count_if": "countif()",
    "sum_if": "sumif()",
    "values": "make_set()",
    "list": "make_list()",
    "array_agg": "make_list()",
    "string_agg": "strcat_array(make_list(A), ',')",
    "group_concat": "strcat_array(make_list(A), ',')",
    "listagg": "strcat_array(make_list(A), ',')",
    "first": "arg_min(T, A) gives A of the earliest row",
    "last": "arg_max(T, A) gives A of the latest row",
    "earliest": "arg_min(T, A) gives A of the earliest row",
    "latest": "arg_max(T, A) gives A of the latest row",
    "lag": "prev(), behind a sort",
    "lead": "next(), behind a sort",
    "mvcount": "array_length()",
    "mvjoin": "strcat_array()",
    "mvindex": "write: A[0]",
    "json_extract": "parse_json(A).name",
    "json_value": "parse_json(A).name",
    "get_json_object": "parse_json(A).name",
    "md5": "hash_md5()",
    "sha1": "hash_sha1()",
    "sha256": "hash_sha256()",
    "uuid": "new_guid()",
    "newid": "new_guid()",
    "random": "rand()",
    "exists": "write: A in (T | project A), or join kind=leftsemi",
    "cidrmatch": "ipv4_is_in_range()",
    "print": "print is an operator: print A = …",
}

SIGNS: dict[str, str] = {
    "&": "write 'and'",
    "#": "a comment begins with //",
    "?": "write iff(condition, then, else)",
    "`": "a name with other signs is written ['a name']",
    "“": "write plain quotes: \" or '",
    "”": "write plain quotes: \" or '",
    "‘": "write plain quotes: \" or '",
    "’": "write plain quotes: \" or '",
    "^": "write pow(a, b), or binary_xor(a, b)",
    "\u00a0": "this is a blank that does not break; write a plain one",
}

# What stands where an expression or an operator has ended.
_BEHIND: dict[str, str] = {
    "is": "write isnull(A) or isnotnull(A)",
    "like": "write A contains 'x', or A matches regex '…'",
    "ilike": "write A contains 'x'",
    "rlike": "write A matches regex '…'",
    "regexp": "write A matches regex '…'",
    "regex": "write A matches regex '…'",
    "matches": "write A matches regex '…'",
    "not": "write A !in (…), A !has 'x', or not(…)",
    "xor": "write a != b",
    "as": "a value is named in front: B = A",
    "from": "a query begins with its table: T | project A",
    "group": "groups are named with by: summarize count() by A",
    "order": "an operator stands behind a pipe: | order by A",
    "using": "keys of a join are named with on: join (TABLE) on A",
    "offset": "rows are numbered with: serialize n = row_number() | where n > 5",
    "when": "write case(condition, value, …, else)",
    "then": "write iff(condition, then, else)",
    "over": "write prev(), next(), row_cumsum() or row_number() behind a sort",
    "ascending": "write asc or desc",
    "descending": "write asc or desc",
    "interval": "write 1d, 2h, 30m",
    "day": "write 1d",
    "days": "write 5d",
    "hour": "write 1h",
    "hours": "write 5h",
    "minutes": "write 5m",
    "=>": "write '>='",
    "=": "compare with '=='",
    ")": "there is one ')' too many",
    "]": "there is one ']' too many",
    "(": "a function takes its value in parentheses: strlen(A); text is compared as in: A contains 'x'",
    "..": "a range stands in parentheses: between (1 .. 5); a list of numbers is range(1, 5)",
    "{": "a bag is written dynamic({…}); the body of a function follows its parameters with types: (x: long) { … }",
}
_CAPITALS = frozenset(
    {
        "and",
        "or",
        "in",
        "has",
        "contains",
        "startswith",
        "endswith",
        "between",
        "by",
        "asc",
        "desc",
        "on",
        "with",
    }
)

# (what is wanted, what was found): hints for places of their own.
_AT: dict[tuple[str, str], str] = {
    ("an expression", "!"): "write not(…)",
    ("an expression", "*"): "count() counts rows; '*' stands in arg_max(A, *), distinct * and their like",
    ("an expression", "="): "compare with '=='",
    ("an expression", "/"): "a comment begins with //",
    ("an expression", ":"): _CASTS,
    ("'{'", "=>"): "the body of a function stands in braces: (x: long) { x + 1 }",
    ("an expression", "@"): "@ stands before a text: @'C:\\dir'",
    ("an expression", "{"): "a bag is written dynamic({…})",
    ("an expression", "|"): "a query begins with its table: T | …",
    ("a name", "["): "an array is written dynamic([…])",
    ("a tabular operator", "|"): "there is one '|' too many; 'or' joins conditions, strcat() joins texts",
    ("a tabular operator", "the end of the query"): "an operator follows the pipe: | take 10",
    ("'by'", ""): "write: sort by A desc, top 5 by A, summarize count() by A",
    ("'..'", ""): "write: between (A .. B)",
    ("'with'", ""): "write: parse A with * 'text' B",
    ("')'", "as"): _CASTS,
    ("')'", ","): "one ')' is missing, or a list is compared with in, has_any or has_all",
}


def operator(name: str) -> str | None:
    """How KQL says what another language's operator does.

    Examples
    --------
    >>> operator("SELECT")
    'columns are chosen with: project A, B'
    """
    return OPERATORS.get(name.lower())


def function(name: str) -> str | None:
    """How KQL calls a function of another language, if it does.

    Examples
    --------
    >>> function("len")
    'KQL has: strlen() of a text, array_length() of an array'
    """
    found = FUNCTIONS.get(name.lower())
    return found if found is None or found.startswith("write") else f"KQL has: {found}"


def expected(wanted: str, found: str) -> str | None:
    """A hint for what was `found` instead of what is `wanted`, both as the message shows them.

    Examples
    --------
    >>> expected("'|' or ';'", "'is'"), expected("')'", "','")
    ('write isnull(A) or isnotnull(A)', "one ')' is missing, or a list is compared with in, has_any or has_all")
    """
    word = found.removeprefix("'").removesuffix("'")
    known = _AT.get((wanted, word)) or _AT.get((wanted, ""))
    if known is not None or wanted not in ("'|' or ';'", "')'"):
        return known
    if word != word.lower() and word.lower() in _CAPITALS:
        return f"write {word.lower()!r}: words of KQL are in small letters"
    return _BEHIND.get(word.lower()) if wanted == "'|' or ';'" or word.isalpha() else None
