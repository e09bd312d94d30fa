"""Every command, its options and its exit codes: the one table from which a command line is read and `--help` is written."""

from __future__ import annotations

from portwright import __version__
from portwright._start import argv
from portwright._start.argv import Command, HelpWanted, Operand, Option, Options, UsageError
from portwright.numbers import decimal

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence


class _Formats:
    """The formats of a command's report, as the files of reports/formats/ say: one word is looked up, all are read to list them."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __contains__(self, word: object) -> bool:
        from portwright.reports.registry import find

        return isinstance(word, str) and find(word, self._command) is not None

    def __iter__(self) -> Iterator[str]:
        from portwright.reports.registry import formats

        return iter(formats(self._command))


def _jobs(text: str) -> int | None:
    return _count(text, 4)


def _rate(text: str) -> int | None:
    return _count(text, 7)


def _shard(text: str) -> tuple[int, int] | None:
    part, slash, whole = text.partition("/")
    number, count = _count(part, 4), _count(whole, 4)
    return (number, count) if slash and number and count and number <= count else None


def _port(text: str) -> int | None:
    return decimal(text, 65535) or None


def _count(text: str, digits: int) -> int | None:
    return decimal(text, 10**digits - 1) or None


def _look(quiet: str, verbose: str) -> tuple[Option, ...]:
    colours = "colours and links: auto, always or never (NO_COLOR, FORCE_COLOR, NO_HYPERLINK, FORCE_HYPERLINK are obeyed)"
    return (
        Option("--color", metavar="WHEN", choices=("auto", "always", "never"), default="auto", help=colours),
        Option("-q", "--quiet", help=quiet),
        Option("-v", "--verbose", help=verbose),
        Option("--debug", help="log what is read and decided to standard error, and show the traceback of an internal error"),
    )


_RULES = (
    Option("--select", metavar="RULE|FAMILY", many=True, help="run only these rules or families"),
    Option("--ignore", metavar="RULE|FAMILY", many=True, help="do not run these rules or families"),
    Option("--extend-select", metavar="RULE|FAMILY", many=True, help="run these rules or families, too"),
    Option("--min-confidence", metavar="CONFIDENCE", choices=("certain", "likely", "possible"),
           help="report only findings of this confidence or above: certain, likely or possible (default: possible)"),
    Option("--rules", metavar="DIR", many=True, help="a folder of more rules"),
)  # fmt: skip
_SETTINGS = (
    Option("--config", metavar="FILE", help="obey this configuration (default: the one at the root of the repository one stands in)"),
    Option("--profile", metavar="NAME", help="settings of a kind of machine: proxy, database, kubernetes-node or load-generator"),
)
_RATE = Option("--rate", metavar="N", read=_rate, wanted="a number of connections a second",
               help="new connections a second to one destination that a host must sustain (default: unknown)")  # fmt: skip


def _reports(command: str, quiet: str, verbose: str) -> tuple[Option, ...]:
    listed = "{choices} (repeatable, each with its --output; default: text)"
    return (
        Option("--format", metavar="FORMAT", many=True, choices=_Formats(command), help=listed),
        Option("--output", metavar="FILE", many=True, help="write the report to this file (default: standard output)"),
        *_look(quiet, verbose),
    )


_STDIN = Option("--stdin-filename", metavar="NAME", help="the path under which standard input (-) is read")
_AS = Option("--as", metavar="KIND", choices=("host", "repository"),
             help="read each directory as a host's root or as a repository (default: told by what it holds)")  # fmt: skip
_EXCLUDE = Option("--exclude", metavar="PATTERN", many=True,
                  help="leave out files of a repository, as a line of .gitignore would (repeatable)")  # fmt: skip
_COMPARING = (
    Option("--changed-since", metavar="REV", help="report what the repository has and its revision REV had not (reads git's objects)"),
    Option("--onto", metavar="HOST", many=True,
           help="report what a repository's files, laid over this host's, would break there (a host, or a directory of hosts)"),
)  # fmt: skip
_BASELINE = (
    Option("--baseline", metavar="FILE", help="do not count the findings of this file, which --write-baseline wrote"),
    Option("--write-baseline", metavar="FILE", help="write a baseline that accepts all findings of this run, and count none of them"),
)
_FAIL_ON = Option("--fail-on", metavar="SEVERITY", choices=("high", "medium", "low", "info", "never"),
                  help="exit 1 for findings of this severity or above: high, medium, low, info or never (default: low)")  # fmt: skip
_CHECK = (
    _FAIL_ON,
    Option("--exit-zero", help="exit 0 where findings would make it 1"),
    Option("--jobs", metavar="N", default=1, read=_jobs, wanted="a number of jobs", help="check this many hosts at once (default: 1)"),
)
_ALLOW = Option("--allow", metavar="FILE", help="do not count the findings that this file accepts, each for a reason and some for a time")
_SHOW_ALLOWED = Option("--show-allowed", help="list the findings that comments, the configuration and an allow file accept (-v does, too)")
_GAPS = (
    Option("--strict", help="exit 3 also for what is not covered: programs not understood, files left out, files not read"),
    Option("--accept-unreadable", help="exit as if everything could be read; what could not be stays in the report"),
)
_FIX = (
    Option("-o", "--output", metavar="NAME.yml",
           help="write NAME.yml, NAME.vars.json and NAME.rollback.yml; for several hosts also NAME.vars/, with a file for each"),
    Option("--patch", metavar="FILE",
           help="in a repository: write a patch for `git apply` (- writes it to standard output, and no report)"),
    Option("--apply", help="run the playbook on this machine (PATH must be /)"),
    Option("--allow-restart", help="let the playbook restart services"),
    Option("--allow-review", help="also plan what should be reviewed first"),
    Option("--safe-only", help="plan only what is safe without a review (the default; not with --allow-review)"),
    Option("--max-disruption", metavar="LEVEL", choices=("none", "reload", "restart", "reboot"), default="reboot",
           help="plan nothing that disrupts more: none, reload, restart or reboot (default: reboot)"),
    Option("--free-on", metavar="PATH", many=True,
           help="a service that moves gets a port that is free on these hosts, too: the others of its group (directories or archives)"),
    Option("--verify", help="have the daemons' own commands, where this machine has them, check the edited configs, without network"),
    Option("--diff", help="show what the plan changes in each file, as a unified diff"),
    Option("--exit-zero", help="exit 0 where findings without a plan would make it 1"),
    Option("--jobs", metavar="N", default=1, read=_jobs, wanted="a number of jobs", help="plan for this many hosts at once (default: 1)"),
)  # fmt: skip
_TEST = (
    Option("--test", metavar="DIR", help="test the rules of this folder against their examples and the cases beside them"),
    Option("--cases", metavar="DIR", help="with --test: where the cases are, if not beside the rules"),
    Option("--accept", help="with --test: keep what is reported now as the report of each flagged case"),
)
_HOST = (Option("--host", metavar="NAME", many=True, help="show this host in full, as check does (repeatable)"),)
_FLEET = (
    Option("-i", "--inventory", metavar="FILE", many=True, help="collect the hosts of this inventory with Ansible first, and check them"),
    Option("--limit", metavar="PATTERN", help="with -i: collect only the hosts that match this Ansible pattern"),
    Option("--forks", metavar="N", default=0, read=_jobs, wanted="a number of hosts", help="with -i: collect from this many hosts at once"),
    Option("--become", help="with -i: become root on the hosts (without it, less can be read)"),
    Option("--snapshots", metavar="DIR", help="with -i: keep what was collected in this empty folder, which only its owner may enter"),
    Option("--store", metavar="FILE",
           help="keep what is found in this SQLite file, and examine again only hosts that differ; without hosts, report its last run"),
    *_HOST,
)  # fmt: skip
_SHARD = Option("--shard", metavar="K/N", read=_shard, wanted="a part of a whole, such as 2/5",
                help="audit the K-th of N parts of these hosts (each is in one by its name), so that N machines share work")  # fmt: skip
_SNAPSHOT = (Option("-o", "--output", metavar="FILE", help="write this file, a .tar.gz or .tar.zst that only its owner can read"),)
_SUGGEST = (
    Option("--protocol", metavar="PROTOCOL", choices=("tcp", "udp"), default="tcp", help="tcp or udp (default: tcp)"),
    Option("--near", metavar="PORT", default=8000, read=_port, wanted="a port", help="start at this port (default: 8000)"),
    Option("--count", metavar="N", default=5, read=_jobs, wanted="a number of ports", help="how many ports to suggest (default: 5)"),
)
_PATHS = Operand("paths", "a host's directory or archive, a directory of hosts, a repository, a file, or - (default: .)", "PATH", many=True)
_FLEET_PATHS = Operand("paths", "snapshots or directories of hosts, or folders of such", "PATH", many=True)
_STORES = Operand("paths", "stores that `audit --store` wrote, one of each shard", "STORE", many=True)
_STANDING = Operand("paths", "the directory that one would stand in (default: .)", "DIR", many=True)
SHELLS = ("bash", "zsh", "fish")
_SHELL = Operand("shell", "bash, zsh or fish", "SHELL", choices=SHELLS)
_RULE = Operand("rule", "a rule, or a family of rules", "RULE")

ABOUT = "Find what breaks services at the seam between ports, sockets and processes."
FIRST_STEPS = f"""\
portwright {__version__}: {ABOUT[0].lower()}{ABOUT[1:]}

  portwright check .        lint the repository you stand in
  portwright check HOST     lint a copy of a host's files: a directory, an archive; / is this machine
  portwright ports /        see who listens where on this machine
  portwright explain RULE   what a rule means, and how to fix what it finds
  portwright --help         all commands
"""
_USAGE = "a mistake in the command line, a path that does not exist, an output that cannot be written"
_SETTINGS_ERROR = f"a mistake in the command line or in a configuration{_USAGE.removeprefix('a mistake in the command line')}"
_RULE_ERROR = f"a mistake in the command line, in a configuration or in a rule{_USAGE.removeprefix('a mistake in the command line')}"
_UNREAD = "incomplete: something could not be read or parsed (unless --accept-unreadable), nothing was read"
_STRICTLY = "with --strict, something is not covered"
_INCOMPLETE = f"{_UNREAD}, or, {_STRICTLY}"
_ALWAYS = {70: "internal error: a bug in portwright", 130: "interrupted"}

COMMANDS = {
    "check": Command(
        "lint hosts, repositories and files", _PATHS,
        *_reports("check", "a line for each finding and each thing that could not be read, and nothing else",
                  "each finding in full, why its rule exists, overridden values, what was allowed, read and left out"),
        _STDIN, _AS, _EXCLUDE, *_COMPARING, *_BASELINE, *_RULES, *_SETTINGS, _RATE, *_CHECK, _SHOW_ALLOWED, *_GAPS,
        exits={0: "no findings at or above --fail-on", 1: "findings (0 with --exit-zero)", 2: _RULE_ERROR,
               3: f"{_UNREAD}, no rule was run, or, {_STRICTLY}; findings still make it 1", **_ALWAYS},
        examples={"portwright check .": "lint the repository one stands in",
                  "portwright check web1/ db1.tar.gz --fail-on medium": "two copies of hosts",
                  "portwright check . --format sarif --output portwright.sarif --format text": "two reports in one run"},
    ),
    "facts": Command(
        "show what was read and what is in force, without judging", _PATHS,
        *_reports("facts", "a line for each listener and each thing that could not be read",
                  "every kernel setting, socket options, long values in full"),
        _STDIN, _AS, _EXCLUDE, *_SETTINGS, *_GAPS,
        exits={0: "everything was read", 2: _SETTINGS_ERROR, 3: _INCOMPLETE, **_ALWAYS},
        examples={"portwright facts web1/": "what was read of a host",
                  "portwright facts . --format json": "the same for programs"},
    ),
    "ports": Command(
        "draw the port space: zones, range, reserved, listeners, collisions, capacity", _PATHS,
        *_reports("ports", "the listeners and collisions, without picture and capacity", "long lists of ports in full"),
        _STDIN, _AS, _EXCLUDE, *_SETTINGS, _RATE, *_GAPS,
        exits={0: "everything was read", 2: _SETTINGS_ERROR, 3: _INCOMPLETE, **_ALWAYS},
        examples={"portwright ports /": "the ports of this machine",
                  "portwright ports web1/ -v": "of a copy, lists in full"},
    ),
    "fix": Command(
        "plan, prove and write a playbook for hosts, or a patch for a repository", _PATHS,
        _AS, _EXCLUDE, *_FIX, *_GAPS, *_RULES, *_SETTINGS, _RATE,
        *_look("a line for each step, each finding that is left and each file that was written", "also the findings that are fixed"),
        exits={0: "everything found is planned, or nothing was found",
               1: "findings remain without a plan (0 with --exit-zero), --apply failed, or --verify found a config refused", 2: _RULE_ERROR,
               3: f"{_UNREAD}, no rule was run, or, {_STRICTLY}; findings without a plan still make it 1", **_ALWAYS},
        examples={"portwright fix web1/ -o fix.yml --diff": "a playbook, and what it changes",
                  "portwright fix . --patch fix.patch": "a patch for a repository's own files"},
    ),
    "audit": Command(
        "check a fleet and say what its hosts have in common", _FLEET_PATHS, *_FLEET, _SHARD,
        *_reports("audit", "a line for each different finding and each host that could not be read in full", "every host by name"),
        *_RULES, *_SETTINGS, _RATE, *_CHECK, *_BASELINE, _ALLOW, _SHOW_ALLOWED, *_GAPS,
        exits={0: "no findings at or above --fail-on", 1: "findings (0 with --exit-zero)", 2: _RULE_ERROR,
               3: f"{_UNREAD}, a host was not collected, no rule was run, or, {_STRICTLY}; findings still make it 1", **_ALWAYS},
        examples={"portwright audit -i inventory.ini --become --snapshots hosts": "collect a fleet and check it",
                  "portwright audit hosts --store fleet.db": "the same once more, where only what differs costs",
                  "portwright audit --store fleet.db --host web7": "one host of the last run",
                  "portwright audit hosts --shard 1/2 --store 1.db": "one half of a fleet, on one machine; 2/2 on another"},
    ),
    "merge": Command(
        "report the last runs of several stores as one: the shards of a fleet", _STORES, *_HOST,
        *_reports("audit", "a line for each different finding and each host that could not be read in full", "every host by name"),
        _FAIL_ON, Option("--exit-zero", help="exit 0 where findings would make it 1"), *_BASELINE, _ALLOW, _SHOW_ALLOWED, *_GAPS,
        exits={0: "no findings at or above --fail-on", 1: "findings (0 with --exit-zero)",
               2: "a mistake in the command line, a file that is no store, stores that are no parts of one run",
               3: f"{_UNREAD}, a host was not collected, or, {_STRICTLY}; findings still make it 1", **_ALWAYS},
        examples={"portwright merge 1.db 2.db": "both halves of a fleet, as one run would report them"},
    ),
    "suggest-port": Command(
        "suggest ports that are free on all of these hosts", _FLEET_PATHS, *_SUGGEST,
        *_reports("suggest-port", "the ports only, one a line", "every host by name"), *_GAPS,
        exits={0: "as many ports as were asked for", 1: "fewer ports are free", 2: _USAGE, 3: _INCOMPLETE, **_ALWAYS},
        examples={"portwright suggest-port hosts --near 9000 --count 3": "three ports that are free on all"},
    ),
    "snapshot": Command(
        "write this machine as one archive, secrets left out", None, *_SNAPSHOT,
        *_look("nothing but errors", "each thing that is not in it, with the reason"),
        exits={0: "written, and it holds all that there is to read", 2: _USAGE,
               3: "written, and some of what there is to read is not in it", **_ALWAYS},
        examples={"portwright snapshot -o web1.tar.gz": "this machine as one archive"},
    ),
    "explain": Command(
        "say what a rule means, why it matters, and how to fix what it finds", _RULE, *_RULES,
        *_reports("explain", "its id and title only", "the same as without: nothing is left out"),
        exits={0: "explained", 2: "a mistake in the command line or in a rule, no such rule, an output that cannot be written", **_ALWAYS},
        examples={"portwright explain listener-in-ephemeral-range": "one rule",
                  "portwright explain ephemeral -q": "the rules of a family by their titles"},
    ),
    "rules": Command(
        "list the rules, or test your own", None, *_TEST, *_RULES,
        *_reports("rules", "the ids only; with --test the cases that fail", "titles in full"),
        exits={0: "listed; with --test: every case passes", 1: "with --test: a case fails",
               2: f"{_RULE_ERROR}; with --test: nothing to test", **_ALWAYS},
        examples={"portwright rules --select ephemeral": "the rules of a family",
                  "portwright rules --test my-rules": "test one's own rules"},
    ),
    "config": Command(
        "say what a run here is asked to do: each value, and what says it", _STANDING,
        *_reports("config", "the same as without: nothing is left out", "the same as without: nothing is left out"),
        *_RULES, *_SETTINGS, _EXCLUDE, _RATE, _FAIL_ON,
        exits={0: "said", 2: "a mistake in the command line, in a configuration or in a rule, an output that cannot be written", **_ALWAYS},
        examples={"portwright config": "what holds here, and what says it"},
    ),
    "lsp": Command(
        "serve an editor: remarks, hovers and quick fixes (needs portwright[lsp])", None,
        Option("--stdio", help="speak over standard input and output, which it does in any case"),
        *_RULES, *_SETTINGS, _RATE, _AS, _EXCLUDE,
        Option("--debug", help="log what is read and decided to standard error"),
        exits={0: "the editor ended it", 2: "a mistake in the command line, or pygls is not installed", **_ALWAYS},
        examples={"portwright lsp": "what an editor runs; one does not call it by hand"},
    ),
    "completion": Command(
        "print what a shell needs to complete commands, options and rules", _SHELL,
        exits={0: "printed", 2: "a mistake in the command line", **_ALWAYS},
        examples={"portwright completion bash > ~/.bash_completion": "for new shells of one's own",
                  "portwright completion fish > ~/.config/fish/completions/portwright.fish": "the same for fish"},
    ),
    "apps": Command(
        "list the daemons whose configuration is understood", None,
        *_reports("apps", "the names only", "all programs of each"),
        exits={0: "listed", 2: "a mistake in the command line, an output that cannot be written", **_ALWAYS},
        examples={"portwright apps -q": "the names of all daemons that are understood"},
    ),
}  # fmt: skip


def read(words: Sequence[str]) -> Options:
    """The options that these words are. Raises UsageError for what is wrong, and HelpWanted for the help that is asked for."""
    found = argv.plain(words, COMMANDS)
    return argv.parsed(words, parser(), COMMANDS) if found is None else found


def parser() -> argparse.ArgumentParser:
    """The table as argparse has it."""
    return argv.parser("portwright", __version__, ABOUT, COMMANDS)


__all__ = ["ABOUT", "COMMANDS", "FIRST_STEPS", "SHELLS", "HelpWanted", "Options", "UsageError", "parser", "read"]
