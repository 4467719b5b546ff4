"""A wheel of a tiny package, so that installing needs no network."""

from __future__ import annotations

import zipfile
from pathlib import Path


def wheel(folder: Path, requires: str = "") -> str:
    """A requirement that names a wheel of a tiny package."""
    path = folder / "tinymodule-1.2-py3-none-any.whl"
    info = "tinymodule-1.2.dist-info"
    files = {
        "tinymodule.py": "answer = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tinymodule\nVersion: 1.2\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"tinymodule.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return f"tinymodule @ {path.as_uri()}"
