"""A run imports only the modules of the programs it meets: the list of who knows what must say what the modules say.

After a change of a `@daemon(...)`, `python tests/daemons/test_registered.py` writes the list anew.
"""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import portwright.daemons
from portwright.daemons import daemon_of, daemons, fragment_reader
from portwright.daemons._engine import registered
from portwright.daemons._engine.registered import REGISTERED, Row
from portwright.facts import Invocation
from portwright.source import Span, Word

_START = "REGISTERED: tuple[Row, ...] = (\n"


def _said() -> tuple[Row, ...]:
    for module in walk_packages(portwright.daemons.__path__, "portwright.daemons."):
        import_module(module.name)
    known = [portwright.daemons._DAEMONS[name] for name in sorted(portwright.daemons._DAEMONS)]
    return tuple(
        Row(
            each.name,
            each.read.__module__.removeprefix("portwright.daemons."),
            each.programs,
            each.shape is not None,
            each.fragment is not None,
        )
        for each in known
    )


def _text(row: Row) -> str:
    programs = ", ".join(f'"{program}"' for program in row.programs)
    flags = "".join(f", {flag}=True" for flag in ("shape", "fragment") if getattr(row, flag))
    line = f'    Row("{row.name}", "{row.module}", ({programs}{"," if len(row.programs) == 1 else ""}){flags}),'
    return f"{line}{'  # noqa: E501' if len(line) > 140 else ''}\n"


def test_the_list_of_modules_says_what_the_modules_register() -> None:
    assert _said() == REGISTERED


@pytest.mark.parametrize("module", sorted({row.module for row in REGISTERED}))
def test_a_module_can_be_the_first_to_be_imported(module: str) -> None:
    run = subprocess.run([sys.executable, "-c", f"import portwright.daemons.{module}"], capture_output=True, check=False, text=True)

    assert "" == run.stderr


def test_every_program_leads_to_its_daemon() -> None:
    for known in daemons():
        for program in known.programs:
            found = daemon_of(_started(program.replace("*", "9")))

            assert found is not None
            assert program in found.programs


def test_fragments_are_read_by_the_same_readers_whether_one_is_asked_for_or_all() -> None:
    for known in daemons():
        assert (known.fragment is None) == (fragment_reader(known.name) is None)
    assert fragment_reader("nobody-knows-this") is None


def test_a_program_that_one_module_knows_imports_no_other() -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, portwright.daemons as apps; apps._module('nginx'); print('portwright.daemons.haproxy.reader' in sys.modules)",
        ],
        capture_output=True,
        check=True,
        text=True,
    )

    assert "False\n" == run.stdout


def _started(program: str) -> Invocation:
    return Invocation(unit="a.service", at=Span.whole("/etc/a"), argv=(Word(f"/usr/bin/{program}", Span.whole("/etc/a")),))


if __name__ == "__main__":
    path = Path(registered.__file__)
    head = path.read_text().partition(_START)[0]
    path.write_text(head + _START + "".join(map(_text, _said())) + ")\n")
