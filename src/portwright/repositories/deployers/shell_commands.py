"""What single commands of a script do to files: `cat`, `tee`, `cp`, `install`, `sed -i`, `sysctl`, and shells inside shells."""

import re
from collections.abc import Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.formats import shell_tree
from portwright.formats.shell_tree import Simple
from portwright.numbers import decimal
from portwright.repositories.deployers import shell_containers, shell_edits, shell_installers
from portwright.repositories.deployers.placed import LONGEST, MOST, Line
from portwright.repositories.deployers.shell_files import (
    contents,
    globbed,
    kept_name,
    label_of,
    labels,
    lines_of_file,
    matters,
    on_host,
    put,
    setting,
    write_to,
)
from portwright.repositories.deployers.shell_state import State
from portwright.repositories.deployers.shell_text import (
    MOST_PIECES,
    Piece,
    ScriptText,
    Value,
    at,
    compact,
    lines_of,
    split,
    text_of,
    value_of,
)
from portwright.repositories.deployers.shell_values import expanded, folder, unescaped, words_of
from portwright.system.spanned_text import UNKNOWN

_CARRIERS = frozenset(("sudo", "doas", "exec", "command", "nohup", "time", "nice", "ionice", "env", "builtin", "eatmydata", "then", "do"))
_WITH_VALUE = {"sudo": "ugpCDRTh", "doas": "uC", "env": "uSC", "nice": "n", "ionice": "cnp", "exec": "a"}
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))
# What runs commands in another root, or on another machine, which then is the one that the script sets up.
_ELSEWHERE = frozenset(("chroot", "arch-chroot", "ssh", "su", "runuser", "vagrant", "sshpass", "timeout", "systemd-nspawn"))
_DECLARING = frozenset(("declare", "local", "typeset", "readonly", "export"))
_OF_NO_MATTER = frozenset(
    (
        ":", "[", "alias", "apk", "apt", "apt-cache", "apt-get", "apt-key", "apt-mark", "aptitude", "awk", "aws", "basename", "break",
        "cat", "cd", "certbot", "chage", "chattr", "chcon", "chgrp", "chkconfig", "chmod", "chown", "chpasswd", "clear", "continue", "cp",
        "crontab", "curl", "cut", "date", "dd", "debconf-set-selections", "declare", "depmod", "df", "diff", "dirname", "dnf", "dpkg",
        "du", "echo", "egrep", "eval", "exit", "export", "false", "fgrep", "file", "find", "firewall-cmd", "gem", "getcap", "getent",
        "getopts", "git", "go", "gpasswd", "gpg", "grep", "groupadd", "groups", "gunzip", "gzip", "hash", "head", "hostname",
        "hostnamectl", "id", "ifconfig", "install", "ip", "ip6tables", "iptables", "iptables-save", "journalctl", "jq", "kill", "killall",
        "ldconfig", "let", "ln", "local", "locale-gen", "logger", "ls", "lsb_release", "lsmod", "lsof", "make", "md5sum", "mkdir",
        "mktemp", "modprobe", "mount", "mv", "netstat", "nft", "npm", "openssl", "pacman", "passwd", "pgrep", "ping", "pip", "pip3",
        "pkill", "popd", "printf", "ps", "pushd", "pwd", "rc-update", "read", "readlink", "readonly", "realpath", "reboot", "restorecon",
        "return", "rm", "rmdir", "rpm", "rsync", "scp", "sed", "semanage", "seq", "service", "set", "setcap", "setenforce",
        "setsebool", "sha256sum", "shift", "shopt", "sleep", "snap", "sort", "source", "ss", "ssh-keygen", "stat", "swapoff", "swapon",
        "sync", "sysctl", "systemctl", "systemd-tmpfiles", "tail", "tar", "tee", "test", "timedatectl", "touch", "tput", "tr", "trap",
        "true", "type", "udevadm", "ufw", "ulimit", "umask", "umount", "uname", "uniq", "unset", "unzip", "update-alternatives",
        "update-rc.d", "useradd", "usermod", "userdel", "wait", "wc", "wget", "which", "whoami", "xargs", "yarn", "yum", "zypper",
    )
)  # fmt: skip
_MOST_WORDS = 1_000
_FORMAT = lazy_regex(r"%(?:%|[-+ 0#]*[0-9]{0,4}(?:\.[0-9]{1,4})?([a-zA-Z]))")
_SETTING = lazy_regex(r"([\w./*-]{3,200})[ \t]*=[ \t]*(.*)", re.DOTALL)
_ASSIGNED = lazy_regex(r"[A-Za-z_]\w*=")
_DIRECTORIES = lazy_regex(
    r"/(?:etc|lib|usr/lib|usr/local/lib)(?:/systemd/system|/sysctl\.d|/nginx(?:/(?:conf\.d|sites-available|sites-enabled|snippets))?|/haproxy"
    r"|/init\.d|/default|/sysconfig|/cron\.d|/containers/systemd|/systemd|/apache2/sites-available|/httpd/conf\.d)?|/usr/local/s?bin|/usr/s?bin|/opt|/etc"
)
_WITH_OPERAND = {"install": "mogtS", "cp": "tS", "mv": "tS", "ln": "tS", "rsync": "efB", "scp": "iPoFlcS"}


def simple(run: State, text: ScriptText, tree: shell_tree.Tree, command: Simple, stdin: Value | None, is_piped: bool) -> Value | None:
    """Follow a simple command; what it prints, None where that goes elsewhere."""
    place = text.place(command.start)
    numbers = [*text.numbers(command.start, command.end)]
    run.pages.cut = run.pages.cut or len(command.words) > _MOST_WORDS
    whole = [field for word in command.words[:_MOST_WORDS] for field in words_of(run, text, word)]
    words = _carried(whole)
    understood = True
    if not words:
        understood = _assign(run, text, command)
        printed: Value | None = ()
    else:
        name = text_of(words[0]).rpartition("/")[2]
        given, body = _stdin(run, text, tree, command)
        stdin = given if given is not None else stdin
        if name in _DECLARING:
            _assign(run, text, command)
            _declare(run, words[1:])
            printed = ()
        elif name in _SHELLS and stdin is None and shell_installers.is_k3s(run.fetched) and not is_piped:
            shell_installers.k3s(run, _environment(run, text, command, whole[: len(whole) - len(words)]), words[1:], place)
            printed = None
        elif name in run.functions:
            printed = run.call(name, words[1:], place)
        else:
            understood, printed = _act(run, name, words, stdin, place)
        is_kept = is_piped or any(each.operator.startswith((">", "&>")) for each in command.redirects)
        if body is not None and name == "cat" and not is_kept:
            for source, number in text.numbers(body.start, body.end):  # it is printed, and that is all
                run.understand(source, number)
    for redirect in command.redirects:
        if not redirect.operator.startswith((">", "&>")) or redirect.operator == ">&":
            continue
        if redirect.descriptor not in (1, -1):
            continue
        target = expanded(run, text, redirect.target.parts)
        said = printed if printed is not None else (replace(place, text=f"{UNKNOWN}\n"),)
        understood = write_to(run, target, said, redirect.operator.endswith(">>"), place) and understood
        printed = None
    if understood:
        for source, number in numbers:
            run.understand(source, number)
    return printed


def _carried(words: list[Value]) -> list[Value]:
    """A command without what only starts it: sudo, env, nohup."""
    while words:
        name = text_of(words[0]).rpartition("/")[2]
        if name not in _CARRIERS or len(words) == 1:
            return words
        words = words[1:]
        while words and (option := text_of(words[0])).startswith("-") and len(option) > 1:
            takes = not option.startswith("--") and option[-1] in _WITH_VALUE.get(name, "")
            words = words[1 + takes :]
            if option == "--":
                break
        while words and name in ("env", "sudo") and _ASSIGNED.match(text_of(words[0])):
            words = words[1:]
    return words


def _assign(run: State, text: ScriptText, command: Simple) -> bool:
    for assigned in command.assignments:
        run.doubtful.discard(assigned.name)
        if assigned.items is not None:
            items = [field for item in assigned.items for field in words_of(run, text, item)]
            run.arrays[assigned.name] = [*run.arrays.get(assigned.name, ()), *items][:MOST] if assigned.appends else items[:MOST]
            continue
        value = expanded(run, text, assigned.value.parts)
        if assigned.appends:
            value = (*run.variables.get(assigned.name, ()), *value)[:MOST_PIECES]
        run.variables[assigned.name] = compact(value) or (replace(text.place(assigned.start), text=""),)
    return True


def _environment(run: State, text: ScriptText, command: Simple, before: Sequence[Value]) -> dict[str, Value]:
    """The variables that a command is given in front of it, be it by the shell or by what starts it."""
    found = {each.name: expanded(run, text, each.value.parts) for each in command.assignments if each.items is None}
    for word in before:
        if _ASSIGNED.match(said := text_of(word)):
            name = said.partition("=")[0]
            found[name] = _after(word, len(name) + 1)
    return found


def _declare(run: State, words: Sequence[Value]) -> None:
    for word in words:
        name, equals, _ = text_of(word).partition("=")
        if equals and name.isidentifier() and word:
            run.doubtful.discard(name)
            run.variables[name] = compact(_after(word, len(name) + 1)) or at(word, "")


def _after(value: Value, characters: int) -> Value:
    """A value without its first characters."""
    found: list[Piece] = []
    for piece in value:
        if characters >= len(piece.text):
            characters -= len(piece.text)
            continue
        column = piece.column if piece.passed else piece.column + characters
        found.append(replace(piece, text=piece.text[characters:], column=column))
        characters = 0
    return tuple(found)


def _stdin(run: State, text: ScriptText, tree: shell_tree.Tree, command: Simple) -> tuple[Value | None, shell_tree.Body | None]:
    """What a command reads because of its redirections: a here-document with its body, a here-string, a file."""
    for redirect in command.redirects:
        if redirect.body >= 0:
            body = tree.bodies[redirect.body]
            return _body(run, text, body), body
        if redirect.operator == "<<<":
            value = expanded(run, text, redirect.target.parts)
            return (*value, replace(text.place(redirect.target.start), text="\n")), None
        if redirect.operator == "<":
            return contents(run, text_of(expanded(run, text, redirect.target.parts))), None
    return None, None


def _body(run: State, text: ScriptText, body: shell_tree.Body) -> Value:
    first, last = text.number(body.start), text.number(max(body.end - 1, body.start))
    if body.end <= body.start:
        return ()
    lines = [*text.lines[first : last + 1]]
    if body.tabs:
        lines = [
            Line(line.text.lstrip("\t"), line.source, line.number, line.shift + len(line.text) - len(line.text.lstrip("\t")))
            for line in lines
        ]
    if body.literal:
        return value_of(lines)
    inside = ScriptText(lines)
    value = expanded(run, inside, shell_tree.here_document(inside.text))
    return (*value, replace(inside.place(len(inside.text)), text="\n"))


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _act(run: State, name: str, words: list[Value], stdin: Value | None, place: Piece) -> tuple[bool, Value | None]:
    """(whether nothing of a command is left unsaid, what it prints): ((), nothing); None for what nobody knows."""
    rest = words[1:]
    plain = [text_of(word) for word in rest]
    match name:
        case "echo":
            return True, _echo(run, rest, place)
        case "printf":
            return True, _printf(rest, place)
        case "cat":
            files = [word for word in plain if not word.startswith("-") or word == "-"]
            if not files:
                return True, stdin
            found = [stdin if file == "-" else contents(run, file) for file in files]
            return True, None if None in found else tuple(piece for each in found for piece in each or ())
        case "tee":
            append = any(word in ("-a", "--append") for word in plain)
            value = stdin if stdin is not None else (replace(place, text=f"{UNKNOWN}\n"),)
            done = [write_to(run, word, value, append, place) for word, said in zip(rest, plain, strict=True) if not said.startswith("-")]
            return all(done), stdin
        case "dd":
            target = next((word for word, said in zip(rest, plain, strict=True) if said.startswith("of=")), None)
            return target is None or write_to(run, _after(target, 3), stdin or (), False, place), ()
        case "curl" | "wget":
            run.fetched = " ".join(plain)
            return True, None
        case "sysctl":
            return _sysctl(run, rest, place), None
        case "sed":
            return shell_edits.sed(run, rest, plain, stdin, place)
        case "envsubst":
            return True, None if stdin is None else _envsubst(run, stdin)
        case "cp" | "install" | "mv" | "ln" | "rsync" | "scp":
            return _copy(run, name, rest, plain, stdin, place), ()
        case "rm":
            return _remove(run, plain), ()
        case "cd" | "pushd":
            to = [word for word in plain if not word.startswith("-")]
            run.directory = folder(run.directory, to[0]) if to else ""
            return True, ()
        case "read" | "mapfile" | "readarray":
            for word in plain:
                if word.isidentifier():
                    run.variables.pop(word, None)
                    run.doubtful.discard(word)
            return True, ()
        case "unset":
            for word in plain:
                run.variables.pop(word, None)
            return True, ()
        case "set":
            if plain[:1] == ["--"] and run.arguments is not None:
                run.arguments = rest[1:]
            return True, ()
        case "shift":
            if run.arguments:
                run.arguments = run.arguments[decimal(plain[0]) or 1 if plain else 1 :]
            return True, ()
        case "source" | ".":
            return _source(run, plain), ()
        case "docker" | "podman" | "nerdctl":
            return shell_containers.container(run, name, rest, plain, place), None
        case "eval":
            _inner(run, tuple(piece for word in rest for piece in (*word, *at(word, " "))))
            return True, None
        case _:
            pass
    if name in _SHELLS:
        return _shell(run, rest, plain, stdin), None
    if name in _ELSEWHERE:
        return _elsewhere(run, rest, plain, stdin), None
    return name in _OF_NO_MATTER, None


def _echo(run: State, words: list[Value], place: Piece) -> Value:
    escapes, ends = not run.is_bash, True
    while words and (option := text_of(words[0])) and len(option) > 1 and option[0] == "-" and set(option[1:]) <= set("neE"):
        escapes = escapes or "e" in option
        ends = ends and "n" not in option
        words = words[1:]
    found: list[Piece] = []
    for number, word in enumerate(words):
        if number:
            found.append(replace((word or found or (place,))[0], text=" ", passed=False) if not word else replace(word[0], text=" "))
        found += (each for piece in word for each in split(unescaped(piece.text), piece)) if escapes else word
    if ends:
        found.append(replace((found or [place])[-1], text="\n"))
    return tuple(found)


def _printf(words: list[Value], place: Piece) -> Value | None:
    plain = [text_of(word) for word in words]
    if plain[:1] == ["--"]:
        words, plain = words[1:], plain[1:]
    if not words or plain[0] == "-v":
        return () if plain[:1] == ["-v"] else None
    arguments = words[1:]
    found: list[Piece] = []
    while True:
        used = 0
        for piece in words[0]:
            done = 0
            for blank in _FORMAT.finditer(piece.text):
                found += split(unescaped(piece.text[done : blank.start()]), piece)
                done = blank.end()
                if blank[1] is None:
                    found.append(replace(piece, text="%"))
                    continue
                if used < len(arguments):
                    said = arguments[used]
                    found += (each for part in said for each in split(unescaped(part.text), part)) if blank[1] == "b" else said
                used += 1
            found += split(unescaped(piece.text[done:]), piece)
        arguments = arguments[used:]
        if not arguments or not used or len(found) > 5000:
            return tuple(piece for piece in found if piece.text)


def _sysctl(run: State, rest: list[Value], place: Piece) -> bool:
    """`sysctl -w key=value ...`, `sysctl -w key value`."""
    told = True
    loads = any(text_of(word) in ("-p", "--load", "-f", "--system", "-n", "-a", "-e", "-N") for word in rest)
    for word in rest:
        said = text_of(word)
        found = None if said.startswith("-") else _SETTING.fullmatch(said)
        if found is None:
            told = told and (loads or said.startswith("-") or UNKNOWN not in said)
            continue
        first = word[0]
        value = found[2].strip().strip("'\"")
        if setting(run, found[1], value, first):
            told = told and UNKNOWN not in value
    return told


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _copy(run: State, name: str, rest: list[Value], plain: list[str], stdin: Value | None, place: Piece) -> bool:
    """`cp`, `install`, `mv`, `ln`, `rsync`, `scp`: a file, or all of a folder, at another place."""
    sources: list[Value] = []
    into, deep, makes, skip = "", False, False, False
    for index, said in enumerate(plain):
        if skip:
            skip = False
        elif said.startswith("--target-directory="):
            into = said.partition("=")[2]
        elif said.startswith("-") and len(said) > 1 and not said.startswith("--"):
            deep = deep or any(letter in said for letter in ("rRa" if name != "install" else ""))
            makes = makes or (name == "install" and "d" in said[1:].partition("m")[0])
            if said[-1] in _WITH_OPERAND.get(name, ""):
                skip = True
                if said[-1] == "t" and index + 1 < len(plain):
                    into = plain[index + 1]
        elif not said.startswith("--"):
            sources.append(rest[index])
    if makes or not sources:
        return True
    if not into:
        if len(sources) < 2:
            return True
        into = text_of(sources.pop())
    sources = [each for word in sources for each in globbed(run, word)]
    several = len(sources) > 1 or into.endswith(("/", "/."))
    done = True
    for source in sources:
        done = _place(run, name, text_of(source), into, several, deep, stdin) and done
    return done


def _place(run: State, name: str, source: str, into: str, is_directory: bool, deep: bool, stdin: Value | None) -> bool:
    last = source.rstrip("/").rpartition("/")[2]
    beside = on_host(run, into.rstrip("/") + "/x")
    bare = beside.removesuffix("/x")
    target = bare if beside else into
    if beside and (is_directory or _DIRECTORIES.fullmatch(bare) is not None) and last not in (".", "*", ""):
        target = f"{bare}/{last}"
    if source == "/dev/stdin":
        return put(run, target, lines_of(stdin or ()), False)
    kept = run.files.get(on_host(run, source)) or run.files.get(kept_name(run, source))
    if kept is not None:
        if name == "ln":
            return True
        if name == "mv" and (there := on_host(run, source)) and there in run.pages.lines and not run.maybe:
            run.pages.lines.pop(there)
        return put(run, target, kept, False) or not beside
    label = label_of(run, source)
    if label:
        lines = lines_of_file(run, label)
        return lines is None or put(run, target, lines, False, label) or not beside
    if not beside:
        return True
    if deep or name in ("rsync", "ln"):
        return _place_folder(run, source, bare if source.endswith(("/", "/.", "/*")) else target)
    return not matters(target)


def _place_folder(run: State, source: str, target: str) -> bool:
    """All files of a folder of the repository, at the same places below another one."""
    source = source.removesuffix("/.").removesuffix("/*").rstrip("/")
    for label in labels(run, source):
        inside = [each for each in run.checkout.under(label) if label]
        if not inside:
            continue
        for each in inside[: MOST + 1]:
            lines = lines_of_file(run, each)
            if lines is not None:
                put(run, f"{target}/{each.removeprefix(label).lstrip('/')}", lines, False, each)
        return True
    return not matters(target)


def _remove(run: State, plain: list[str]) -> bool:
    """`rm` of what the script itself has written, where it surely runs."""
    for word in plain:
        path = on_host(run, word) if not word.startswith("-") else ""
        if path in run.pages.lines and not run.maybe:
            run.pages.lines.pop(path)
            run.files.pop(path, None)
    return True


def _envsubst(run: State, value: Value) -> Value:
    """A text with `$NAME` and `${NAME}` filled in."""
    found: list[Piece] = []
    for piece in value:
        done = 0
        for each in re.finditer(r"\$(?:\{([A-Za-z_]\w{0,63})\}|([A-Za-z_]\w{0,63}))", piece.text):
            if each.start() > done:
                found.append(replace(piece, text=piece.text[done : each.start()], column=piece.column + done))
            held = run.variables.get(each[1] or each[2])
            found.append(replace(piece, text=UNKNOWN if held is None else text_of(held), column=piece.column + each.start()))
            done = each.end()
        found.append(replace(piece, text=piece.text[done:], column=piece.column + done))
    return tuple(piece for piece in found if piece.text)


# ── scripts inside scripts ──────────────────────────────────────────────────────────────────────────────────────────


def _inner(run: State, value: Value) -> None:
    """Walk a text as a script of its own, with the variables of this one."""
    lines = lines_of(value)
    if lines:
        directory, bash = run.directory, run.is_bash
        run.walk(ScriptText(lines))
        run.directory, run.is_bash = directory, bash


def _shell(run: State, rest: list[Value], plain: list[str], stdin: Value | None) -> bool:
    """`sh -c text`, `sh -s <<END`, `sh <<END`; a script of the repository is walked on its own."""
    for index, word in enumerate(plain):
        if word.startswith("-") and "c" in word and not word.startswith("--"):
            if index + 1 < len(rest):
                _inner(run, rest[index + 1])
            return True
        if not word.startswith("-"):
            return bool(label_of(run, word))
    if stdin is not None:
        _inner(run, stdin)
        return True
    return True


def _elsewhere(run: State, rest: list[Value], plain: list[str], stdin: Value | None) -> bool:
    """What a script has run in another root or on another machine: a command in one word, a shell, a here-document."""
    for index, word in enumerate(plain):
        if word in _SHELLS or word.rpartition("/")[2] in _SHELLS:
            return _shell(run, rest[index + 1 :], plain[index + 1 :], stdin)
        if word == "-c" and index + 1 < len(rest):
            _inner(run, rest[index + 1])
            return True
    if stdin is not None:
        _inner(run, stdin)
        return True
    spaced = [word for word in rest if " " in text_of(word) or "\n" in text_of(word)]
    if spaced:
        _inner(run, spaced[-1])
        return True
    return False


def _source(run: State, plain: list[str]) -> bool:
    """A file of the repository read as a part of this script: what it sets and defines."""
    label = label_of(run, plain[0]) if plain else ""
    if not label or label == run.pages.label:
        return True
    lines = lines_of_file(run, label)
    if lines is not None and sum(len(line.text) for line in lines) <= LONGEST:
        # What it does is its own story; here it lends its variables and functions.
        run.walk(ScriptText(lines))
    return True
