"""`python -m portwright` is the `portwright` command."""

import os
import sys

# -m has Python look for modules in the working directory first: a yaml.py in what is checked would be run.
if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
    del sys.path[0]

try:
    from portwright.cli import run

    run()
except KeyboardInterrupt:
    # Before main() looks after that itself.
    print("portwright: interrupted", file=sys.stderr)
    sys.exit(130)
