"""From text to rows: lexer → parser → binder → plan → rewrite → backend → Result."""
