"""Dashboards: a notebook and a text beside it that says what its tiles ask.

`spec` reads the text, `parameters` its values, `answering` asks, `tiles` draws, `board` shows it in a notebook,
`serving` to viewers who log in, `exporting` as one HTML file. Every tile is a query; what it shows can be asked.
"""
