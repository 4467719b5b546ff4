"""Alert rules: their texts, their schedule, their evaluation, and the outbox of what became of them.

In go rules and the tables of a workspace, out come rows of `Alert` and notices for `actions`, which delivers them. Must
not know how anything is sent.
"""
