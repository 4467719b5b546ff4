"""What is alive in a notebook: the result grid, the time range picker, parameters. anywidget, plain ES modules.

`host` speaks with the browser, `view` arranges rows in the engine, `js/` draws. Where a front end knows no
widgets, the HTML and text of `kernel_ext.display` stay as they are.
"""
