"""Every message once, with its code: one module an area, one function a message.

`KQL0xx` text that does not parse, `KQL1xx` names, `KQL2xx` types and arguments, `KQL3xx` run time,
`REP…` repository, `IMP…` import and intake, `LAB…` cell and charts, `SRV…` service and command line,
`CTL…` control database, `ACC…` keys, tokens and roles, `DCA…` the HTTP Data Collector API.
"""
