"""Starters whose command stands behind words of their own (ip netns exec, scl, screen, tmux, nsenter): where it begins."""

from collections.abc import Callable, Mapping

from portwright._start.records import replace
from portwright.system.processes.process import Process, Switch
from portwright.system.processes.spawned import shell_command
from portwright.system.spanned_text import SpannedText, tail
from portwright.trees import Files

Words = tuple[SpannedText, ...]


def handed_over(name: str, process: Process, files: Files) -> Process | None:
    """The command that such a starter runs, None where it runs none."""
    words = STARTERS[name](process.argv[1:])
    if not words or not words[0].known:
        return None
    if name in ("ip", "nsenter") and _enters_a_network(name, process.argv[1:]):
        process = replace(process, switches=(*process.switches, Switch(process.argv[0].word().at, private_network=True)))
    if name in ("screen", "tmux"):
        # What runs in its window has the limits and the environment of a server that may run already.
        process = replace(process, same_limits=False)
    return process.starts(words, files)


def _ip(words: Words) -> Words:
    """ip [-options] netns exec NAME command; ip [-options] vrf exec NAME command (ip-netns(8), ip-vrf(8))."""
    rest = _after_options(words, "nfbl")
    texts = [each.text for each in rest[:2]]
    return rest[3:] if texts in (["netns", "exec"], ["vrf", "exec"], ["net", "exec"], ["netns", "e"]) else ()


def _nsenter(words: Words) -> Words:
    """nsenter [-options] [command] (nsenter(1)): only -t, -S, -G and -W have values apart from them, and --wdns has not (measured)."""
    return _after_options(words, "tSGW", ("--target", "--setuid", "--setgid"))


def _enters_a_network(name: str, words: Words) -> bool:
    if name == "ip":
        return words[0].text == "-n" or "vrf" not in [each.text for each in words[:4]]
    return any(each.text.startswith(("-n", "--net", "-a", "--all")) for each in words[: len(words) - len(_nsenter(words))])


def _scl(words: Words) -> Words:
    """scl enable COLLECTION ... -- command, or with the command in one word at the end (scl(1))."""
    if not words or words[0].text not in ("enable", "run"):
        return ()
    marks = [number for number, each in enumerate(words) if each.text == "--"]
    if marks:
        return words[marks[0] + 1 :]
    return shell_command(words[-1]) if len(words) > 2 else ()


def _screen(words: Words) -> Words:
    """screen -dm [-S NAME] command (screen(1)); without a command it runs a shell for somebody who sits there."""
    return _after_options(words, "ScehpstT")


def _tmux(words: Words) -> Words:
    """tmux [-options] new-session [-options] command (tmux(1)); one word is text for a shell."""
    rest = _after_options(words, "LSfcT")
    if not rest or not rest[0].text.startswith("new") or not "new-session".startswith(rest[0].text):
        return ()
    command = _after_options(rest[1:], "ceFfnstxy")
    return shell_command(command[0]) if len(command) == 1 and " " in command[0].text else command


def _script(words: Words) -> Words:
    """script [-options] -c text [FILE] (script(1)), the text in either place."""
    for number, each in enumerate(words):
        if each.text in ("-c", "--command") and number + 1 < len(words):
            return shell_command(words[number + 1])
        if each.text.startswith("--command="):
            return shell_command(tail(each, len("--command=")))
        if each.text.startswith("-") and not each.text.startswith("--") and each.text.endswith("c") and number + 1 < len(words):
            return shell_command(words[number + 1])
    return ()


def _after_options(words: Words, valued: str, long: tuple[str, ...] = ()) -> Words:
    """What stands behind options; `valued` are the letters whose value is the next word where it is not part of their own."""
    position = 0
    while position < len(words) and words[position].text.startswith("-"):
        text = words[position].text
        position += 1
        if text == "--":
            break
        if text.startswith("--"):
            position += text in long
            continue
        letters = text[1:]
        with_value = next((number for number, letter in enumerate(letters) if letter in valued), None)
        position += with_value is not None and with_value == len(letters) - 1
    return words[position:]


STARTERS: Mapping[str, Callable[[Words], Words]] = {
    "ip": _ip, "nsenter": _nsenter, "scl": _scl, "screen": _screen, "script": _script, "tmux": _tmux,
}  # fmt: skip
"""By name, what finds the command among the words behind it."""
