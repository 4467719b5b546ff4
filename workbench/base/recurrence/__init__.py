"""When something that repeats is due, on the wall clock of a time zone or by elapsed time.

In goes a text such as `daily 06:30`, `monthly last 06:30`, `every 20m` or five fields of cron, out come moments in µs
since 1970. `reading` reads the text, `forms` says what the clock on the wall shows, `zones` when it shows that. Must
not know what is due.

**What happens where a zone moves its clock.** A form names times of the wall clock. There are two kinds:

- *Fixed times*: all calendar forms, `once`, and cron whose minute and hour fields both begin with no `*`. Each named
  time of each day is due exactly once. A time that the spring gap leaves out is due at the first moment after the gap;
  several times in one gap are due together, once. A time that the autumn overlap shows twice is due the first time.
- *Repeating times*: cron whose minute or hour field begins with `*`. Due at every moment at which the clock shows a
  matching time: in the gap none, in the overlap both times.

`every 20m` counts elapsed time from its start, whatever the clock shows.

These are the rules of Debian's cron, and cronsim's, which reads and matches the fields here, but only on a clock that
never moves; `zones` does the rest. With a zone of its own cronsim goes back in time where it is started inside an
overlap, and leaves times out where a zone shifts by half an hour (Lord Howe). There what stands above holds.
"""

from __future__ import annotations

from workbench.base.recurrence.reading import Recurrence, read
from workbench.base.recurrence.zones import zone

__all__ = ["Recurrence", "read", "zone"]
