"""Telling of alerts: what is said to each kind of receiver, and the way to it. RECEIVERS.md says what each may rely on.

In go notices, settings as plain values and a guard of addresses; out come messages, and what became of each try. Must
not know where groups, secrets or tries are kept: a secret comes in as a value.
"""
