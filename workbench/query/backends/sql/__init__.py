"""The second lowering: a plan as one SQL query (a sqlglot tree), and DuckDB running it.

Nothing here is imported before somebody asks for it: sqlglot and duckdb cost a cold start too much.
"""
