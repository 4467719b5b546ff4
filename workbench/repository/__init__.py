"""Where records lie: Delta Lake tables by UTC day, and the catalog that knows their KQL names and types.

In go Polars frames (`Repository.append`), out come lazy Polars frames over the data files that can
matter (`Repository.scan`). Everything on disk is described in `FORMAT.md` beside this file. This
layer knows no query and no source of records; it must not lose, double or alter a value.

`tables` is the facade; `layout` names, `catalog` schemas, `physical` types, `placement` the suffix
rule, `deltalog` the transaction log, `append`, `scan`, `compaction` and `retention` the four verbs;
`terms` and `term_index` know which files can hold a word.
"""
