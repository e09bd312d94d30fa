"""A build hook: the wheel carries rules, catalogue and the inits of records as modules, so that a run parses and compiles none of it."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compiled(BuildHookInterface):  # type: ignore[type-arg]
    """Writes portwright/_shipped/compiled_NAME.py into a wheel; an editable install reads the checkout's YAML."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._folder = None
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp())
        sys.path.insert(0, str(Path(self.root, "src")))
        try:
            from portwright._start.compiled import records_source
            from portwright.daemons._engine import cases
            from portwright.daemons._engine import rooms as catalogue
            from portwright.rules import compiling
            from portwright.rules.loading import read_all

            rules = str(Path(self.root, "rules"))
            compiled = {
                "rules": compiling.source(read_all(rules), rules),
                "catalogue": catalogue.source(),
                "cases": cases.source(),
                "records": records_source(),
            }
        finally:
            del sys.path[0]
        for name, source in compiled.items():
            file = self._folder / f"compiled_{name}.py"
            file.write_text(source, encoding="utf-8")
            build_data["force_include"][str(file)] = f"portwright/_shipped/compiled_{name}.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)
