"""A notebook as a runbook: one parameters cell."""

from __future__ import annotations


def notebook(parameters: str) -> dict[str, object]:
    """A notebook that declares these parameters."""
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": parameters, "outputs": []}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
