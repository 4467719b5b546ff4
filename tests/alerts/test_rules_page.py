"""RULES.md: its rules can be read, `lint` has nothing grave to say of them, and its table has every key."""

from __future__ import annotations

import re
from pathlib import Path

import workbench.alerts
from workbench.alerts.lint import Level, lint
from workbench.alerts.reading import KEYS, read

PAGE = (Path(workbench.alerts.__file__).parent / "RULES.md").read_text()


def test_its_rules_are_good() -> None:
    rules = [read(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert len(rules) == 3
    assert [f for rule in rules for f in lint(rule) if f.level is not Level.HINT] == []


def test_its_table_has_every_key() -> None:
    keys = re.search(r"## Keys\n(.*?)\n## ", PAGE, re.DOTALL)
    assert keys is not None
    assert tuple(re.findall(r"^\| ([a-z ]+?) \|", keys[1], re.MULTILINE)[1:]) == KEYS
