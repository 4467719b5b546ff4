"""Runbooks: notebooks with declared parameters, kept in versions, run as jobs by workers."""
