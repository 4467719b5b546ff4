"""How a result becomes a chart, in four steps: properties → shape → reduce → draw; look is shared by all.

Nothing here reads a table or knows a notebook: in goes a `Result`, out comes an Altair chart.
"""
