"""When something is due: each form as a table of texts, and the two nights on which clocks move."""

from __future__ import annotations

import pytest

from workbench.base.errors import WorkbenchError
from workbench.base.recurrence import Recurrence, read, zone
from workbench.base.recurrence.reading import read_moment
from workbench.base.recurrence.zones import shown

CASES = """
# calendar forms
daily 06:30                | UTC | 2026-11-28 06:30 | 29 Sun 06:30, 30 Mon 06:30
daily 18:00,06:30          | UTC | 2026-11-28 06:29 | 28 Sat 06:30, 28 Sat 18:00, 29 Sun 06:30
every 3 days 06:30         | UTC | 2026-11-28 07:00 | 01 Tue 06:30, 04 Fri 06:30
weekly mon,FRI at 06:30    | UTC | 2026-11-28 07:00 | 30 Mon 06:30, 04 Fri 06:30
every 2 weeks mon 06:30    | UTC | 2026-11-28 07:00 | 07 Mon 06:30, 21 Mon 06:30
monthly 1,15,last 06:30    | UTC | 2027-01-31 07:00 | 01 Mon 06:30, 15 Mon 06:30, 28 Sun 06:30
monthly 31 06:30           | UTC | 2027-01-31 07:00 | 31 Wed 06:30, 31 Mon 06:30
monthly second tue 06:30   | UTC | 2026-11-28 00:00 | 08 Tue 06:30, 12 Tue 06:30
monthly last friday 06:30  | UTC | 2026-11-28 00:00 | 25 Fri 06:30, 29 Fri 06:30
monthly fifth mon 06:30    | UTC | 2026-11-28 00:00 | 30 Mon 06:30, 29 Mon 06:30
every 3 months last 06:30  | UTC | 2026-11-28 00:00 | 30 Mon 06:30, 28 Sun 06:30
# elapsed time, and once
every 90m                  | UTC | 2026-11-28 00:00 | 28 Sat 01:30, 28 Sat 03:00
every 12 hours             | Europe/Brussels | 2027-03-27 20:00 | 28 Sun 09:00, 28 Sun 21:00
once 2026-12-01T06:30      | Europe/Brussels | 2026-11-28 00:00 | 01 Tue 06:30
once 2026-11-01            | UTC | 2026-11-28 00:00 |
# cron: one of two given day fields is enough, unless one begins with a star
30 2 * * mon-fri           | UTC | 2026-11-28 00:00 | 30 Mon 02:30, 01 Tue 02:30
cron 0 0 13 * 5            | UTC | 2026-11-28 00:00 | 04 Fri 00:00, 11 Fri 00:00, 13 Sun 00:00
0 0 */2 * sun              | UTC | 2026-11-28 00:00 | 29 Sun 00:00, 13 Sun 00:00
0 0 LW * *                 | UTC | 2027-01-28 00:00 | 29 Fri 00:00, 26 Fri 00:00
0 0 * * 2#3                | UTC | 2026-11-28 00:00 | 15 Tue 00:00, 19 Tue 00:00
# the spring gap, 02:00 to 03:00: fixed times once, right after it; repeating ones not at all
30 2 * * *                 | Europe/Brussels | 2027-03-27 03:00 | 28 Sun 03:00, 29 Mon 02:30
daily 02:15,02:45,03:00    | Europe/Brussels | 2027-03-28 00:00 | 28 Sun 03:00, 29 Mon 02:15
once 2027-03-28 02:30      | Europe/Brussels | 2027-03-28 00:00 | 28 Sun 03:00
*/30 2 * * *               | Europe/Brussels | 2027-03-27 03:00 | 29 Mon 02:00, 29 Mon 02:30
30 * * * *                 | Europe/Brussels | 2027-03-28 01:00 | 28 Sun 01:30, 28 Sun 03:30
# the autumn overlap, 02:00 to 03:00 twice: fixed times at the first, repeating ones at both
30 2 * * *                 | Europe/Brussels | 2027-10-31 00:00 | 31 Sun 02:30, 01 Mon 02:30
*/30 2 * * *               | Europe/Brussels | 2027-10-31 01:00 | 31 Sun 02:00, 31 Sun 02:30, 31 Sun 02:00, 31 Sun 02:30, 01 Mon 02:00
# a shift of half an hour, one of two hours, one at midnight
15 2 * * *                 | Australia/Lord_Howe | 2026-10-03 03:00 | 04 Sun 02:30, 05 Mon 02:15
*/10 2 * * *               | Australia/Lord_Howe | 2027-04-03 03:00 | 04 Sun 02:00, 04 Sun 02:10, 04 Sun 02:20, 04 Sun 02:30
30 1,2 * * *               | Antarctica/Troll | 2027-03-28 00:00 | 28 Sun 03:00, 29 Mon 01:30
0 0 * * *                  | America/Santiago | 2027-09-04 12:00 | 05 Sun 01:00, 06 Mon 00:00
*/20 0 * * *               | America/Santiago | 2027-09-04 12:00 | 06 Mon 00:00, 06 Mon 00:20
"""
ROWS = [line for line in CASES.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("row", ROWS)
def test_a_form_is_due_when_its_words_say(row: str) -> None:
    when, name, after, wanted = (cell.strip() for cell in row.split("|"))
    where = zone(name)
    begin = read_moment("after", after, where)
    texts = [t.strip() for t in wanted.split(",") if t.strip()]
    found = Recurrence(read(when), where, begin).upcoming(begin, max(1, len(texts)))
    assert [shown(m, where).strftime("%d %a %H:%M") for m in found] == texts
    assert sorted(set(found)) == found


WRONG = {
    "": "there is nothing",
    "hourly": "no form begins with 'hourly'",
    "daily": "the time of day is missing",
    "daily 24:00": "'24:00' is no time of day, such as 06:30",
    "daily 06:30 sharp": "nothing may follow, and there is 'sharp'",
    "weekly 06:30": "'06:30' is not a day of the week",
    "weekly mo 06:30": "'mo' is not a day of the week",
    "monthly 32 06:30": "'32' is not a day of the month, 1 to 31 or last",
    "monthly sixth mon 06:30": "'sixth' is not a day of the month, 1 to 31 or last",
    "every": "after 'every' comes a number, such as 20m",
    "every 5s": "it is not from 10 seconds to 366 days",
    "every 3 fortnights 06:30": "'fortnights' is no unit of time",
    "every 0 days 06:30": "it is not from 1 to 1000",
    "once tomorrow": "after 'once' comes a time of the schedule's zone, such as 2026-12-01 06:30",
    "once 2026-12-01T06:30Z": "after 'once' comes a time of the schedule's zone, such as 2026-12-01 06:30",
    "* * * *": "cron has 5 fields (minute, hour, day of month, month, day of week), not 4",
    "61 * * * *": "the field minute can't be '61'",
    "0 0 * * fry": "the field day-of-week can't be 'fry'",
    "0 0 30 feb *": "the field day-of-month can't be '30'",
    "daily " + "06:30," * 100: "it has more than 200 characters",
}


@pytest.mark.parametrize(("text", "why"), WRONG.items(), ids=list(WRONG))
def test_a_text_that_says_no_time_is_told_so(text: str, why: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        read(text)
    assert (refused.value.code, refused.value.message) == ("SCH001", f"this is no time to run at: {why}")
    assert "hint: such as 'daily 06:30'" in refused.value.render()


def test_the_caret_stands_under_the_word() -> None:
    with pytest.raises(WorkbenchError) as refused:
        read("weekly mon 25:00")
    assert refused.value.render().splitlines()[1:3] == ["  weekly mon 25:00", "             ^^^^^"]


@pytest.mark.parametrize("name", ["", "Europe/Brusels", "../etc/passwd", "/etc/localtime", "A" * 300, "a\0b"])
def test_a_zone_that_is_none_is_told_so(name: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        zone(name)
    assert refused.value.code == "SCH003"


def test_nothing_is_due_before_a_start_or_after_an_end() -> None:
    utc = zone("UTC")
    start, end = (read_moment("m", t, utc) for t in ("2026-12-01T06:30", "2026-12-02T06:30"))
    due = Recurrence(read("daily 06:30"), utc, start, end)
    assert due.upcoming(0, 9) == [start, end]
    assert due.after(end) is None


def test_the_newest_of_a_long_time_are_found_without_going_through_it() -> None:
    utc = zone("UTC")
    start, now = (read_moment("m", t, utc) for t in ("1990-01-01", "2026-11-28T12:00:30"))
    for text, count in (("* * * * *", 3), ("every 10s", 50), ("0 0 29 2 *", 2), ("daily 06:30", 5)):
        due = Recurrence(read(text), utc, start)
        found = due.newest(start, now, count)
        assert len(found) == count
        assert found[-1] <= now
        following = due.after(found[-1])
        assert following is not None
        assert following > now
        assert found == due.upcoming(found[0] - 1, count)
    assert Recurrence(read("0 0 29 2 *"), utc, now).newest(now - 1, now, 9) == []
