"""`sed` in scripts: literal substitutions, in files that the script or the repository has, and settings put into those of the host."""

import re
from collections.abc import Iterable

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.repositories.deployers.placed import Line
from portwright.repositories.deployers.shell_files import contents, on_host, put, setting
from portwright.repositories.deployers.shell_state import State
from portwright.repositories.deployers.shell_text import Piece, Value, known, lines_of, place_of, text_of, value_of
from portwright.system.spanned_text import UNKNOWN

_MOST_EDITS = 50
_LITERAL = lazy_regex(r"(?:[^\\.*\[\]^$+?(){}|]|\\[./&_#@:,-])*")
_KERNEL = lazy_regex(r"[ \t]*((?:net|vm|fs|kernel)\.[\w./-]+)[ \t]*=[ \t]*([^\\&]*)")
_DELETES = lazy_regex(r"/\^?[ \t]*((?:net|vm|fs|kernel)(?:\\?\.[\w*-]+)+)[^/]{0,40}/d")


@dataclass(frozen=True, slots=True)
class _Edit:
    """`s/found/instead/`; `found` is None for a pattern that is not literal."""

    found: str | None
    pattern: str
    instead: str
    at: Piece


def sed(run: State, rest: list[Value], plain: list[str], stdin: Value | None, place: Piece) -> tuple[bool, Value | None]:
    """(whether nothing is left unsaid, what it prints)."""
    in_place, scripts, files = _arguments(rest, plain)
    if in_place:
        done = True
        for script in scripts:
            for file in files:
                done = _in_file(run, text_of(file), script) and done
        return done, ()
    value = stdin if not files else contents(run, text_of(files[0])) if len(files) == 1 else None
    if value is None:
        return True, None
    for script in scripts:
        edits = _edits(script)
        value = (replace(place, text=f"{UNKNOWN}\n"),) if edits is None else value_of(_edited(lines_of(value), edits))
    return True, value


def _arguments(rest: list[Value], plain: list[str]) -> tuple[bool, list[Value], list[Value]]:
    scripts: list[Value] = []
    files: list[Value] = []
    in_place, index = False, 0
    while index < len(plain):
        word = plain[index]
        if word in ("-e", "--expression", "-f", "--file"):
            scripts += rest[index + 1 : index + 2] if word in ("-e", "--expression") else ()
            index += 1
        elif word.startswith("--expression="):
            scripts.append(rest[index])
        elif word.startswith("--in-place") or (word.startswith("-") and len(word) > 1 and word[1] != "-" and "i" in word.partition(".")[0]):
            in_place = True
        elif word.startswith("-") and len(word) > 1:
            pass
        else:
            files.append(rest[index])
        index += 1
    if not scripts and files:
        scripts.append(files.pop(0))
    return in_place, scripts[:_MOST_EDITS], files


def _edits(script: Value) -> list[_Edit] | None:
    """The substitutions of a script, None for one that does more."""
    text = text_of(script)
    found: list[_Edit] = []
    if not script:
        return None
    for one in _commands(text):
        if not one.startswith("s") or len(one) < 4 or one[1].isalnum() or one[1].isspace():
            return None
        sign = one[1]
        parts = _parts(one[2:], sign)
        if len(parts) != 3 or parts[2].strip() not in ("", "g", "gI", "1", "I"):
            return None
        literal = parts[0] if _LITERAL.fullmatch(parts[0]) else None
        instead = parts[1]
        if "&" in instead.replace("\\&", "") or re.search(r"\\[0-9]", instead):
            literal = None
            instead = UNKNOWN
        plain = None if literal is None else re.sub(r"\\(.)", r"\1", literal)
        found.append(_Edit(plain, parts[0], re.sub(r"\\(.)", r"\1", instead), place_of(script)))
    return found


def _commands(text: str) -> list[str]:
    """The commands of a sed script, one a line or after `;`; a `;` inside of a substitution ends none."""
    found: list[str] = []
    for line in text.split("\n"):
        line = line.strip()
        while line:
            if line.startswith("s") and len(line) > 1:
                parts = _parts(line[2:], line[1])
                tail = parts[2].partition(";") if len(parts) > 2 else ("", "", "")
                if tail[1]:
                    whole = line[: len(line) - len(tail[2]) - 1]
                    found.append(whole)
                    line = tail[2].strip()
                    continue
            found.append(line)
            break
    return found[:_MOST_EDITS]


def _parts(text: str, sign: str) -> list[str]:
    """What stands between the signs of a substitution."""
    found: list[str] = []
    begin = index = 0
    while index < len(text) and len(found) < 2:
        if text[index] == "\\":
            index += 2
            continue
        if text[index] == sign:
            found.append(text[begin:index].replace(f"\\{sign}", sign))
            begin = index + 1
        index += 1
    return [*found, text[begin:]]


def _edited(lines: Iterable[Line], edits: Iterable[_Edit]) -> list[Line]:
    found = []
    for line in lines:
        text = line.text
        for edit in edits:
            if edit.found:
                text = text.replace(edit.found, edit.instead)
            elif edit.found is None and _may_match(edit.pattern, text):
                text = UNKNOWN
        found.append(replace(line, text=text) if text != line.text else line)
    return found


def _may_match(pattern: str, text: str) -> bool:
    """Whether a pattern that is not literal may match in a line: its longest literal word stands there, or it has none."""
    words = re.findall(r"[\w-]{3,}", re.sub(r"\\[a-zA-Z]", " ", pattern))
    return not words or max(words, key=len) in text


def _in_file(run: State, said: str, script: Value) -> bool:
    """`sed -i`: an edit of what the script has put there, or a kernel setting of the host's own files."""
    path = on_host(run, said)
    name = path or said
    kept = run.files.get(name)
    edits = _edits(script)
    if kept is not None:
        if edits is None:
            gone = _DELETES.fullmatch(text_of(script).strip())
            if gone is None:
                return False
            key = gone[1].replace("\\", "")
            edited = [line for line in kept if not line.text.lstrip().startswith(key)]
        else:
            edited = _edited(kept, edits)
        return put(run, said, edited, False, run.pages.of.get(path, "") if edits is None else "") or not path
    if not path:
        return False
    if path == "/etc/sysctl.conf" or path.startswith("/etc/sysctl.d/"):
        if edits is None:
            return _DELETES.fullmatch(text_of(script).strip()) is not None
        for edit in edits:
            found = _KERNEL.fullmatch(edit.instead)
            if found is None:
                return False
            setting(run, found[1], found[2].strip(), edit.at)
        return known(script)
    return not path.startswith(("/etc/systemd/", "/etc/nginx/", "/etc/haproxy/", "/usr/lib/systemd/"))
