"""Records on their way in: the agent and its sources, files (`importing`), and the one intake.

In go files, lines and dicts of others, out come frames that `intake` hands to the repository;
what can't be stored goes to `_Quarantine`. This layer asks nothing and shows nothing.

`formats` reads files, `mapping` and `shaping` turn records into rows, `record` finds their types.
"""
