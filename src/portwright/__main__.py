"""`python -m portwright` is the `portwright` command."""

import sys

from portwright.cli import main

sys.exit(main())
