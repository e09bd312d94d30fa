"""Programs by their names and files: where PATH finds one, what interprets a script, and whether that is a shell."""

from collections.abc import Iterable

from portwright.trees import Files

# systemd-path(1) search-binaries-default, the path systemd itself is built with.
SEARCH_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin")
SHELLS = ("sh", "bash", "dash", "ash", "ksh", "mksh", "zsh")
_LONGEST_INTERPRETER = 255  # BINPRM_BUF_SIZE less the newline
_LATEST = 6  # the lines in which a belated #! is looked for
_SLIPS = (b"!#", b"#/", b"!/", b"# !", b"#\\!", b"##!", b"$!", b"#1/")


def interpreter(program: str, files: Files) -> str:
    """The file whose capabilities count when `program` is executed: its interpreter for a `#!` script, else itself, links resolved.

    `#!/usr/bin/env name` executes env, which executes the name. Four levels deep as the kernel goes (BINPRM loops).
    """
    path = files.resolve(program)
    for _ in range(4):
        head = script_head(path, files)
        if head is None:
            return path
        argument = head[1]
        if head[0].rpartition("/")[2] == "env" and argument and "=" not in argument and argument[0] != "-":
            path = files.resolve(find_program(argument.split()[0], files))
        else:
            path = files.resolve(head[0])
    return path


def script_head(path: str, files: Files) -> tuple[str, str] | None:
    """(interpreter, the one argument after it) of a `#!` script, None for what is none or is not in the tree."""
    heads = files.once(_heads)
    if path not in heads:
        heads[path] = _script_head(path, files)
    return heads[path]


def _heads(files: Files) -> dict[str, tuple[str, str] | None]:
    """The heads that were asked for once: many services run one program."""
    return {}


def _script_head(path: str, files: Files) -> tuple[str, str] | None:
    if files.kind(path) != "file":
        return None
    head = files.head(path)
    if not head.startswith(b"#!"):
        return None
    line = head[2 : 2 + _LONGEST_INTERPRETER].decode("utf-8", "surrogateescape").partition("\n")[0].strip(" \t\r")
    name, _, argument = line.replace("\t", " ").partition(" ")
    return (name, argument.strip()) if name.startswith("/") else None


def misread_interpreter(path: str, files: Files) -> tuple[str, str] | None:
    """(what is looked for in vain, the status that this ends with) of a script whose first line ends in CR LF; None for any other.

    The kernel takes the CR as part of the interpreter's name or of its one argument, which is a program's name to env and an unknown
    option to a shell (each measured).
    """
    if files.kind(path) != "file" or not (head := files.head(path)).startswith(b"#!"):
        return None
    line, newline, _ = head[2 : 2 + _LONGEST_INTERPRETER].partition(b"\n")
    words = line.decode("utf-8", "surrogateescape").removesuffix("\r").split()
    if not newline or not line.endswith(b"\r") or not words or not words[0].startswith("/"):
        return None
    name = words[0].rpartition("/")[2]
    if len(words) == 1:
        return f"the interpreter {words[0]}\\r", "203/EXEC"
    if name == "env" and len(words) == 2 and not words[1].startswith("-") and "=" not in words[1]:
        return f"the program {words[1]}\\r", "127"
    if name in SHELLS and len(words) == 2 and words[1].startswith("-"):
        return f"the option {words[1]}\\r of {name}", "2"
    return None


def unnamed_interpreter(path: str, files: Files) -> tuple[str, str] | None:
    """(what is wrong, the status that this ends with) of a script whose first line names no interpreter; None for any other file.

    The kernel takes a file for a script where it begins with #! and for nothing at all where it has the form of no program: ENOEXEC.
    A shell would read such a file all the same, systemd does not (measured with 252 and 257). What follows #!/usr/bin/env is one word to
    env, blanks and all.
    """
    if files.kind(path) != "file" or b"\0" in (head := files.head(path)):
        return None
    if head.startswith(b"#!"):
        words = head[2 : 2 + _LONGEST_INTERPRETER].partition(b"\n")[0].decode("utf-8", "replace").split()
        if len(words) > 2 and words[0].endswith("/env") and words[1][0] not in "-'\"" and "=" not in words[1]:
            return "whose first line makes env look for one program called by all the words after it, the options too", "exit-code"
        return None
    if head.startswith(b"\xef\xbb\xbf#!"):
        return "a script that begins with a byte order mark, so that #! is not the first of it", "203/EXEC"
    lines = head.split(b"\n")[:-1]
    late = next((number for number, line in enumerate(lines[:_LATEST], 1) if line.lstrip().startswith((b"#!/", b"#! /"))), 0)
    if late:
        where = "only after a blank" if late == 1 else f"only in line {late}, not in the first"
        return f"a script that names its interpreter {where}", "203/EXEC"
    slip = next((each for each in _SLIPS if lines and lines[0].lstrip().startswith(each)), None)
    if slip is not None and b"bin/" in lines[0]:
        return f"a script whose first line begins with {slip.decode().rstrip('/')} where #! should stand", "203/EXEC"
    return None


def find_program(name: str, files: Files, path: Iterable[str] = SEARCH_PATH) -> str:
    """The absolute path of a program: itself, or the first directory of `path` that has it; without one in the tree /usr/bin.

    A link counts even where it dangles: a copied tree has few programs, but the links to them.
    """
    if "/" in name or not name:
        return name
    for directory in path:
        candidate = f"{directory}/{name}"
        if files.kind(candidate) == "file" or files.link(candidate) is not None:
            return candidate
    return f"/usr/bin/{name}"


def is_shell_script(path: str, files: Files) -> tuple[str, str] | None:
    """(shell, its option) of a `#!/bin/sh` script in the tree, also through env; None for anything else."""
    head = script_head(files.resolve(path), files)
    if head is None:
        return None
    name, argument = head
    if name.rpartition("/")[2] == "env":
        name, _, argument = argument.partition(" ")
    return (name, argument) if name.rpartition("/")[2] in SHELLS else None
