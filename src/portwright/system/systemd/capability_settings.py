"""CapabilityBoundingSet= and AmbientCapabilities= after all their lines."""

from collections.abc import Iterable

from portwright.facts import Setting
from portwright.source import Word
from portwright.system.host_files.capabilities import ALL, capability
from portwright.system.spanned_text import SpannedText
from portwright.system.words import words


def merged(settings: Iterable[Setting], key: str, initial: frozenset[str]) -> frozenset[str]:
    """CapabilityBoundingSet= or AmbientCapabilities= after all its lines (config_parse_capability_set() in systemd).

    Lines are united, `~` takes away, words that name no capability are skipped. A line that names none at all (an empty one too)
    and the first line after the initial set replace what stood there: a first `~` line means all but these.
    """
    now = initial
    for setting in settings:
        if setting.section != "Service" or setting.key != key:
            continue
        invert = setting.value.startswith("~")
        named = _named(setting.value[1:] if invert else setting.value, setting)
        if not named or now == initial:
            now = ALL if invert else frozenset()
        now = now - named if invert else now | named
    return now


def _named(text: str, setting: Setting) -> frozenset[str]:
    found, _ = words(SpannedText.of(Word(text, setting.at)))
    return frozenset(name for word in found if (name := capability(word.text)))
