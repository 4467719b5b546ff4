"""The thread that delivers: a receiver that hangs holds nobody else, and a stop ends in time."""

from __future__ import annotations

from typing import Any

import pytest
import receivers
from notices import notice
from runbook_service import wait_for

from workbench.actions.deliveries.sender import Sender

pytestmark = pytest.mark.parametrize("control_place", ["sqlite"], indirect=True)


def test_a_receiver_that_hangs_holds_nobody_else(
    desk: Any, web: receivers.Web, certificate: receivers.Certificate
) -> None:
    with receivers.web(certificate) as hanging:
        hanging.answers = [None] * 50
        for name, place in (("slow", hanging), ("quick", web)):
            url = f"https://hook.example:{place.port}/"
            desk.groups.put(name, {"webhooks": [{"name": "hook", "url": url}]}, by="ada")
        with Sender(desk.deliveries, desk.sending):
            for key, group in [*((f"s{n}", "slow") for n in range(20)), ("q", "quick")]:
                with desk.notices.database.begin() as connection:
                    desk.notices.add(connection, [notice(key, group)])
            wait_for(lambda: web.got)
            wait_for(lambda: len(hanging.got) == desk.policies.at_once)
            assert ("q", "Delivered") in wait_for(lambda: desk.told("Key", "State"))
            hanging.let_go.set()
            hanging.answers.clear()
            wait_for(lambda: len({r.headers["webhook-id"] for r in [*hanging.got]}) == 20)
