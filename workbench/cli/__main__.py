"""`python -m workbench.cli`: the same as the command `workbench`, with the interpreter at hand."""

import sys

from workbench.cli import main

sys.exit(main())
