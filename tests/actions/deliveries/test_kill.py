"""Senders killed -9 at each step of a delivery: every notice arrives, under one key, and ends once."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import receivers
from notices import notice
from toldrows import rows

pytestmark = [
    pytest.mark.slow,
    # What a transaction is on PostgreSQL, the other tests here show; processes are dear.
    pytest.mark.parametrize("control_place", ["sqlite"], indirect=True),
]
CHILD = Path(__file__).parent / "killed.py"


def killed() -> Any:
    found = importlib.util.spec_from_file_location("killed", CHILD)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_no_kill_loses_a_notice_and_none_changes_its_key(
    control_place: Path, web: receivers.Web, certificate: receivers.Certificate
) -> None:
    child = killed()
    deliveries, sending = child.desk(control_place, str(certificate.file))
    deliveries.groups.allow("127.0.0.1", by="ada")
    url = f"https://hook.example:{web.port}/"
    deliveries.groups.put("ops", {"webhooks": [{"name": "hook", "url": url}]}, by="ada")
    for step in child.STEPS:
        with deliveries.database.begin() as connection:
            deliveries.notices.add(connection, [notice(step)])
        words = [sys.executable, str(CHILD), str(control_place), str(certificate.file), step]
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ran.returncode == -signal.SIGKILL, ran.stderr
        # What it left is brought to its end by the next one.
        deliveries.take()
        while (delivery := deliveries.claim()) is not None:
            deliveries.done(delivery, sending.once(delivery.notice, delivery.group, delivery.action))
        assert deliveries.waiting() == 0, step
    arrived = Counter(request.headers["webhook-id"] for request in web.got)
    # Twice where it was told before the kill, and nobody had written that down.
    assert arrived == {
        "in%20the%20take": 1, "taken": 1, "claimed": 1, "told": 2, "in%20the%20end": 2, "ended": 1,
    }  # fmt: skip
    ends = [row["Key"] for row in rows(deliveries.records, "AlertDelivery") if row["State"] == "Delivered"]
    assert ends == list(child.STEPS)
