"""The whole program on a hostile host: what every command prints, in every form, and the files it writes."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from portwright._start import debug_log
from portwright.cli import main

COMMANDS = (
    ("check",), ("check", "-v"), ("check", "-q"), ("check", "--format", "json"), ("check", "--format", "sarif"),
    ("check", "--format", "github"), ("check", "--format", "html"), ("check", "--format", "jsonl"),
    ("facts",), ("facts", "-q"), ("facts", "-v"), ("facts", "--format", "json"),
    ("ports",), ("ports", "-v"), ("ports", "--format", "json"), ("fix",), ("fix", "-q"), ("fix", "-v"),
    ("check", "--debug"), ("facts", "--debug"), ("fix", "--debug"),
)  # fmt: skip

HOST = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nsvc:x:1000:1000::/:/bin/sh\n",
    "etc/hostname": "hostile\n",
    "usr/lib/os-release": "ID=debian\n",
}
WANTS = "etc/systemd/system/multi-user.target.wants"


def lay(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """A host directory with these files beside the few every host has; `-> target` is a link."""
    for path, text in {**HOST, **files}.items():
        place = Path(os.fsdecode(os.fsencode(root) + b"/" + path.encode("utf-8", "surrogateescape")))
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, str) and text.startswith("-> "):
            os.symlink(text[3:].encode("utf-8", "surrogateescape"), os.fsencode(place))
        else:
            place.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
    return root


def enabled(unit: str) -> dict[str, str]:
    """The link that starts a unit of /etc/systemd/system at boot."""
    return {f"{WANTS}/{unit}": f"-> ../{unit}"}


def everything_said(
    root: Path, plans: Path | None, caught: pytest.CaptureFixture[bytes], commands: Iterable[tuple[str, ...]] = COMMANDS
) -> dict[str, bytes]:
    """Both streams of every command, by command, and what `fix` writes; every exit code is one of a run that came to its end."""
    said: dict[str, bytes] = {}
    for command in commands:
        try:
            assert main([*command, str(root)]) in (0, 1, 3)
        finally:
            debug_log.disable()
        heard = caught.readouterr()
        said[" ".join(command)] = heard.out + heard.err
    if plans is None:
        return said
    plans.mkdir()
    assert main(["fix", "--allow-review", "-o", str(plans / "plan.yml"), str(root)]) in (0, 1, 3)
    heard = caught.readouterr()
    said["fix -o"] = heard.out + heard.err
    return said | {path.name: path.read_bytes() for path in plans.iterdir()}
