"""No two modules need each other, and no two rooms beside each other: imports inside functions and for types count, too."""

import ast
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from portwright.host.language.vocabulary import host_names
from portwright.registry import members

TOP = Path(__file__).parents[1] / "src"
FILES = {
    ".".join(part for part in path.relative_to(TOP).with_suffix("").parts if part != "__init__"): path
    for path in sorted((TOP / "portwright").rglob("*.py"))
}
PACKAGES = [name for name, path in FILES.items() if path.name == "__init__.py"]

Graph = Mapping[str, Iterable[str]]


def imported(text: str, known: Iterable[str]) -> set[str]:
    """Which of the known modules some code imports, wherever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say the whole name"
            inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found.update(whole if whole in known else str(node.module) for whole in inner.values())
    return found & set(known)


IMPORTS = {name: imported(path.read_text("utf-8"), FILES) - {name} for name, path in FILES.items()}


def cycle(graph: Graph) -> list[str]:
    """The names on one cycle of a graph, [] where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def beside(package: str) -> dict[str, set[str]]:
    """What each module and package right inside a package imports of the others there."""
    found: dict[str, set[str]] = {}
    for name, others in IMPORTS.items():
        if name.startswith(f"{package}."):
            own = child(package, name)
            theirs = {child(package, other) for other in others if other.startswith(f"{package}.")}
            found.setdefault(own, set()).update(theirs - {own})
    return found


def child(package: str, name: str) -> str:
    return name.removeprefix(f"{package}.").partition(".")[0]


def test_no_module_needs_one_that_needs_it() -> None:
    assert len(FILES) > 200
    assert cycle(IMPORTS) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_room_needs_one_beside_it_that_needs_it(package: str) -> None:
    assert cycle(beside(package)) == []


def test_every_file_that_registers_terms_is_known_to_the_vocabulary() -> None:
    registering = {name for name, others in IMPORTS.items() if "portwright.host.terms.registry" in others and ".terms." in name}

    assert len(registering) > 10
    assert host_names()  # which the vocabulary knows from them
    assert registering <= {f"portwright.host.terms.{name}" for name in members("portwright.host.terms")} & sys.modules.keys()


def test_an_import_inside_a_function_counts() -> None:
    known = ("a.one", "a.two", "a")

    assert imported("def f():\n    from a import one\n    import a.two\n", known) == {"a.one", "a.two"}
    assert imported("from a import something\nfrom b import one\n", known) == {"a"}
    assert set(cycle({"a.one": {"a.two"}, "a.two": {"a.one"}})) == {"a.one", "a.two"}
