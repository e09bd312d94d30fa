"""A build hook: the wheel carries the rules and the catalogue as JSON too, so that an installed portwright parses no YAML of its own."""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compiled(BuildHookInterface):  # type: ignore[type-arg]
    """Writes portwright/_shipped/NAME.json into a wheel; an editable install reads the checkout's YAML."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._folder = None
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp())
        sys.path.insert(0, str(Path(self.root, "src")))
        try:
            from portwright.apps import catalogue
            from portwright.rules.loading import packed

            compiled = {"rules": packed(Path(self.root, "rules")), "catalogue": catalogue.packed()}
        finally:
            del sys.path[0]
        for name, data in compiled.items():
            file = self._folder / f"{name}.json"
            file.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
            build_data["force_include"][str(file)] = f"portwright/_shipped/{name}.json"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)
