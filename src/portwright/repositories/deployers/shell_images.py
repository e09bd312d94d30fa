"""What of a repository is copied into an image of a container, and where else a file of a name is."""

from weakref import WeakKeyDictionary

from portwright.repositories.checkout import Checkout

_MOST_DOCKERFILES = 200

_known: "WeakKeyDictionary[Checkout, tuple[dict[str, list[str]], dict[str, str]]]" = WeakKeyDictionary()


def _looked(checkout: Checkout) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The labels of a repository by their last name, and the text of its Dockerfiles by their folder."""
    if checkout not in _known:
        names: dict[str, list[str]] = {}
        files: dict[str, str] = {}
        for label in checkout.labels:
            last = label.rpartition("/")[2]
            names.setdefault(last, []).append(label)
            lower = last.lower()
            is_one = lower.startswith(("dockerfile", "containerfile")) or lower.endswith((".dockerfile", ".containerfile"))
            if is_one and len(files) < _MOST_DOCKERFILES:
                folder = label.rpartition("/")[0]
                files[folder] = f"{files.get(folder, '')}\n{(checkout.text(label) or '')[: 1 << 16]}"
        _known[checkout] = (names, files)
    return _known[checkout]


def by_name(checkout: Checkout) -> dict[str, list[str]]:
    """The labels of a repository by their last name."""
    return _looked(checkout)[0]


def is_copied(label: str, checkout: Checkout) -> bool:
    """Whether a Dockerfile beside a script, or above it, names it."""
    files = _looked(checkout)[1]
    folder, _, last = label.rpartition("/")
    while files:
        text = files.get(folder)
        if text is not None and _names(text, last):
            return True
        if not folder:
            return False
        folder = folder.rpartition("/")[0]
    return False


def _names(text: str, last: str) -> bool:
    at = text.find(last)
    while at >= 0:
        around = (text[at - 1 : at], text[at + len(last) : at + len(last) + 1])
        if not any(char.isalnum() or char in ("_", "-", ".") for char in around if char):
            return True
        at = text.find(last, at + 1)
    return False
