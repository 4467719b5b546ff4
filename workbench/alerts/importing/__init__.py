"""Rules that others wrote, as they are: Sentinel analytics rules, Azure scheduledQueryRules, Sigma.

In goes a text, out come rules, each with sentences about what of it has no place here. Nothing is left out silently:
what would change the meaning of a rule is an error, what only goes with it a remark.
"""

from workbench.alerts.importing.files import Format, read, read_file
from workbench.alerts.importing.imported import Imported

__all__ = ["Format", "Imported", "read", "read_file"]
