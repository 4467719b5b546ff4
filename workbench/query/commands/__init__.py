"""Commands: texts that begin with a dot, such as `.show tables` and `.create function`.

`reading` makes a frozen value of the text; `answering` carries it out and gives a `Result`, like a
query. What a command stores goes through the `Keeper` that the caller hands in: nothing here writes.
"""

from workbench.query.commands.answering import Keeper, ask, no_plan
from workbench.query.commands.reading import is_command

__all__ = ["Keeper", "ask", "is_command", "no_plan"]
