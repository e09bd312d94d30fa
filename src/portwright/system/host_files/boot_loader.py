"""What the boot loader's files hand the kernel on its command line, for copies of a host that hold no /proc/cmdline."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.source import Source, Span, Word
from portwright.trees import Files

# grub-mkconfig puts the first into every entry, the second into the default one (GRUB manual, "Simple configuration").
_GRUB_KEYS = ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT")
_GRUB_DROP_INS = "/etc/default/grub.d"
# Whole command lines: of kernel-install(8), of the Raspberry Pi's firmware.
_WHOLE_FILES = ("/etc/kernel/cmdline", "/boot/firmware/cmdline.txt", "/boot/cmdline.txt")
_ENTRIES = "/boot/loader/entries"
_WORDS = lazy_regex(r"[^\s\"']+")


def boot_words(files: Files) -> tuple[Word, ...]:
    """The words for the kernel in the order they are handed over; () where no file of a boot loader says any.

    What was really booted with is known only by the running kernel: a file may be newer than the last boot or the last update-grub.
    """
    found: list[Word] = []
    settings: dict[str, tuple[Word, ...]] = {}
    names = (f"{_GRUB_DROP_INS}/{name}" for name in files.names(_GRUB_DROP_INS) if name.endswith(".cfg"))
    for path in ("/etc/default/grub", *names):
        source = files.read(path) if files.kind(path) == "file" else None
        for key, words in () if source is None else _grub_settings(source):
            # `GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX more"` is how drop-ins add to it.
            settings[key] = (*settings.get(key, ()), *words[1:]) if words and words[0].text.lstrip("${").rstrip("}") == key else words
    for key in _GRUB_KEYS:
        found += settings.get(key, ())
    for path in _WHOLE_FILES:
        source = files.read(path) if files.kind(path) == "file" else None
        if source is not None:
            for number, line in enumerate(source.text.split("\n"), 1):
                found += () if line.startswith("#") else _words(source, number, line, 0)
    return (*found, *_entries(files))


def _entries(files: Files) -> tuple[Word, ...]:
    """The words that all entries of systemd-boot and of Fedora's GRUB have: which one is booted no file says."""
    entries: list[list[Word]] = []
    for name in files.names(_ENTRIES):
        source = files.read(f"{_ENTRIES}/{name}") if name.endswith(".conf") else None
        for number, line in enumerate(() if source is None else source.text.split("\n"), 1):
            if line.startswith(("options ", "options\t")) and source is not None:
                entries.append(list(_words(source, number, line, len("options"))))
    common = set.intersection(*({word.text for word in entry} for entry in entries)) if entries else set()
    return tuple(word for entry in entries[:1] for word in entry if word.text in common and not word.text.startswith("$"))


def _grub_settings(source: Source) -> Iterator[tuple[str, tuple[Word, ...]]]:
    for number, line in enumerate(source.text.split("\n"), 1):
        key, equals, _ = line.partition("=")
        if equals and key.strip() in _GRUB_KEYS:
            yield key.strip(), tuple(_words(source, number, line, len(key) + 1))


def _words(source: Source, number: int, line: str, start: int) -> Iterator[Word]:
    for word in _WORDS.finditer(line, start):
        yield Word(word[0], Span(source.path, number, word.start() + 1, number, word.end() + 1))
