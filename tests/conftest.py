"""What every test can use: the `--update` option, and `casefile` as a module to import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Test files are imported by path (importmode importlib), which puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write what the text cases expect anew; read the diff"
    )


@pytest.fixture
def updating(request: pytest.FixtureRequest) -> bool:
    """Whether expected parts are to be rewritten."""
    return bool(request.config.getoption("--update"))
