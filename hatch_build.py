"""A build hook: the wheel carries rules, catalogue and the inits of records as modules, so that a run parses and compiles none of it.

It also carries the man page and what shells complete with, both written from the table of commands.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Compiled(BuildHookInterface):  # type: ignore[type-arg]
    """Writes portwright/_shipped/compiled_* into a wheel; an editable install reads the checkout's YAML."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._folder = None
        if version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp())
        sys.path.insert(0, str(Path(self.root, "src")))
        try:
            from portwright import __version__
            from portwright._start.compiled import records_source
            from portwright.cli import completion, manual
            from portwright.daemons._engine import cases
            from portwright.daemons._engine import rooms as catalogue
            from portwright.rules import compiling
            from portwright.rules.loading import read_all

            rules = str(Path(self.root, "rules"))
            index, texts = catalogue.source()
            compiled = {
                "compiled_rules.py": compiling.source(read_all(rules), rules).encode(),
                "compiled_catalogue.py": index.encode(),
                catalogue.TEXTS: texts,
                "compiled_cases.py": cases.source().encode(),
                "compiled_records.py": records_source().encode(),
            }
            words = {
                "man/man1/portwright.1": manual.page(__version__),
                "bash-completion/completions/portwright": completion.script("bash"),
                "zsh/site-functions/_portwright": completion.script("zsh"),
                "fish/vendor_completions.d/portwright.fish": completion.script("fish"),
            }
        finally:
            del sys.path[0]
        for name, content in compiled.items():
            file = self._folder / name
            file.write_bytes(content)
            build_data["force_include"][str(file)] = f"portwright/_shipped/{name}"
        for name, text in words.items():
            file = self._folder / name.replace("/", "-")
            file.write_text(text, encoding="utf-8")
            build_data["shared_data"][str(file)] = f"share/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)
