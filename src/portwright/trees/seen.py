"""A tree that remembers what it was asked and what it answered, so that another time the same questions tell whether anything differs."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from portwright.trees.archive import ArchiveTree
from portwright.trees.tree import Attributes, Kind, ReadError, Tree, Trouble

Look = tuple[str, str, str]
"""What was asked (the name of a tree's method), of which path, and the answer in short: a word, or the digest of what is longer."""

Content = Callable[[str, bytes], bytes]
"""What is taken for the content of a file of this path."""

_NOTHING = "-"


class SeenTree:
    """`tree`, whose files hold what `content` makes of them: whoever reads it gets that, and only that is in a digest."""

    def __init__(self, tree: Tree, content: Content) -> None:
        self._tree = tree
        self._content = content
        self._looks: dict[tuple[str, str], str] = {}

    @property
    def looks(self) -> tuple[Look, ...]:
        """Each question once, in an order that depends on nothing but the questions."""
        return tuple(sorted((asked, path, answer) for (asked, path), answer in self._looks.items()))

    def _kept(self, asked: str, path: str, answer: str) -> None:
        self._looks[asked, path] = answer

    def _failed(self, asked: str, path: str, error: ReadError) -> ReadError:
        self._looks[asked, path] = _failure(error)
        return error

    def kind(self, path: str) -> Kind:
        try:
            found = self._tree.kind(path)
        except ReadError as error:
            raise self._failed("kind", path, error) from None
        self._kept("kind", path, found)
        return found

    def link(self, path: str) -> str | None:
        try:
            found = self._tree.link(path)
        except ReadError as error:
            raise self._failed("link", path, error) from None
        self._kept("link", path, _text(found))
        return found

    def resolve(self, path: str) -> str:
        try:
            found = self._tree.resolve(path)
        except ReadError as error:
            raise self._failed("resolve", path, error) from None
        self._kept("resolve", path, found)
        return found

    def names(self, directory: str) -> tuple[str, ...]:
        try:
            found = self._tree.names(directory)
        except ReadError as error:
            raise self._failed("names", directory, error) from None
        self._kept("names", directory, _listed(found))
        return found

    def read(self, path: str) -> bytes | None:
        try:
            found = self._tree.read(path)
        except ReadError as error:
            raise self._failed("read", path, error) from None
        own = None if found is None else self._content(self._tree.resolve(path), found)
        self._kept("read", path, _digest(own))
        return own

    def head(self, path: str) -> bytes | None:
        try:
            found = self._tree.head(path)
        except ReadError as error:
            raise self._failed("head", path, error) from None
        own = None if found is None else self._content(self._tree.resolve(path), found)
        self._kept("head", path, _digest(own))
        return own

    def attributes(self, path: str) -> Attributes | None:
        try:
            found = self._tree.attributes(path)
        except ReadError as error:
            raise self._failed("attributes", path, error) from None
        self._kept("attributes", path, _attributes(found))
        return found

    def label(self, path: str) -> str:
        return self._tree.label(path)

    @property
    def notices(self) -> tuple[tuple[str, str], ...]:
        """What is odd about the archive that the tree is, () where it is none."""
        found = _notices(self._tree)
        self._kept("notices", "/", _noted(found))
        return found

    def walk(self, trouble: Trouble | None = None) -> Iterable[str]:
        found, said = _walked(self._tree)
        self._kept("walk", "/", _listed([*found, *(f"{error.path}\0{error.reason}" for error in said)]))
        for error in said:
            if trouble is None:
                raise error
            trouble(error)
        return found


def still_so(tree: Tree, looks: Sequence[Look], content: Content) -> bool:
    """Whether a tree gives to each question the answer that is written down; what is no question of a tree has none."""
    return bool(looks) and all(_answer(tree, asked, path, content, answer) == answer for asked, path, answer in looks)


def _answer(tree: Tree, asked: str, path: str, content: Content, expected: str) -> str:
    try:
        match asked:
            case "kind":
                return tree.kind(path)
            case "link":
                return _text(tree.link(path))
            case "resolve":
                return tree.resolve(path)
            case "names":
                return _listed(tree.names(path))
            case "read" | "head":
                found = tree.read(path) if asked == "read" else tree.head(path)
                # Most files hold nothing to leave out, and are what they were.
                if found is None or _digest(found) == expected:
                    return _digest(found)
                return _digest(content(tree.resolve(path), found))
            case "attributes":
                return _attributes(tree.attributes(path))
            case "walk":
                names, said = _walked(tree)
                return _listed([*names, *(f"{error.path}\0{error.reason}" for error in said)])
            case "notices":
                return _noted(_notices(tree))
            case _:
                return f"!no tree is asked for {asked}"  # whoever wrote that
    except ReadError as error:
        return _failure(error)


def _notices(tree: Tree) -> tuple[tuple[str, str], ...]:
    return tree.notices if isinstance(tree, ArchiveTree) else ()


def _noted(found: Iterable[tuple[str, str]]) -> str:
    return _listed(f"{path}\0{reason}" for path, reason in found)


def _walked(tree: Tree) -> tuple[list[str], list[ReadError]]:
    said: list[ReadError] = []
    return list(tree.walk(said.append)), said


def _failure(error: ReadError) -> str:
    return f"!{error.reason}"


def _text(found: str | None) -> str:
    return _NOTHING if found is None else f"={found}"


def _listed(names: Iterable[str]) -> str:
    return _digest("\0".join(names).encode("utf-8", "surrogateescape"))


def _digest(data: bytes | None) -> str:
    return _NOTHING if data is None else sha256(data).hexdigest()


def _attributes(found: Attributes | None) -> str:
    if found is None:
        return _NOTHING
    return f"{found.mode}:{found.owner}:{_NOTHING if found.capability is None else found.capability.hex()}"
