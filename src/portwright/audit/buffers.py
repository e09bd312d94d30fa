"""Check an input as an editor has it: what is not saved yet is the content of its file."""

import os
from collections.abc import Iterable, Mapping

from portwright._start.records import replace
from portwright.audit.check import Selection, ignored_by, located, opened, ready, unread, verdict_on
from portwright.audit.inputs import Input
from portwright.finding import HostResult
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.rules import Rule
from portwright.trees import ReadError, Tree
from portwright.trees.directory import MOST_BYTES
from portwright.trees.overlay import OverlayTree
from portwright.trees.repository import RepositoryTree

Buffers = Mapping[str, bytes]
"""What an editor has of files, by their absolute paths."""


def verdict_over(
    given: Input, buffers: Buffers, rules: tuple[Rule, ...], selection: Selection, known: frozenset[str], rate: int | None = None
) -> HostResult:
    """What the rules find in one input with an editor's buffers in the place of its files."""
    if given.kind == "file":
        given = with_its_buffer(given, buffers)
    try:
        with opened(given) as tree:
            laid = laid_over(tree, given, buffers)
            if given.kind == "host":
                hosts: tuple[Host, ...] = (ready(read_host(laid, given.name, given.identity), rate),)
            else:
                from portwright.repositories.reading import read_repository

                read = read_repository(laid, given.name, given.explicit, ignored_by(tree), dict(given.said))
                hosts = tuple(ready(host, rate) for host in read)
    except ReadError as error:
        hosts = (unread(given, error.reason),)
    return verdict_on(hosts, given, rules, selection, known)


def with_its_buffer(given: Input, buffers: Buffers) -> Input:
    """An input that is one file, with what an editor has of it."""
    own = buffers.get(os.path.abspath(given.path))
    return given if own is None else replace(given, content=own)


def laid_over(tree: Tree, given: Input, buffers: Buffers) -> Tree:
    """The tree of an input with the buffers of its files laid over them; those of others, and of what is not read, are left out."""
    edits: dict[str, bytes | None] = {}
    for path, place in places(given, buffers).items():
        try:
            real = tree.resolve(place)
            is_read = tree.kind(real) in ("file", "missing") and len(buffers[path]) <= MOST_BYTES
            if is_read and not (isinstance(tree, RepositoryTree) and not tree.would_walk(real)):
                edits[real] = buffers[path]
        except ReadError:
            continue  # the report says what is wrong with it
    try:
        return OverlayTree(tree, edits) if edits else tree
    except ReadError:
        return tree  # a buffer of a file that lies where the disk has another one's folder


def places(given: Input, paths: Iterable[str]) -> dict[str, str]:
    """Where in the tree of an input the files of some absolute paths lie; () for those that lie elsewhere."""
    if given.kind == "file" or given.within is not None or given.unavailable_reason:
        return {}
    tops = (os.path.abspath(given.path), os.path.realpath(given.path))
    found: dict[str, str] = {}
    for path in paths:
        for top in tops:
            if path.startswith(f"{top.rstrip('/')}/"):
                inside = os.fsencode(path[len(top.rstrip("/")) :]).decode("utf-8", "surrogateescape")
                found[path] = f"/etc{inside}" if given.is_etc else inside
                break
    return found


def files(given: Input, labels: Iterable[str], buffers: Buffers) -> dict[str, str]:
    """The absolute paths of the files that a report of an input names, those of which there is only a buffer included."""
    if given.kind == "file":
        return {given.path: os.path.abspath(given.path)}
    labels = list(labels)
    found = {path if given.kind == "host" else path.lstrip("/"): file for file, path in places(given, buffers).items()}
    wanted = {label: file for label, file in found.items() if label in labels}
    return {**located(given, labels), **wanted}
