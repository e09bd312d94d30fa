"""Hooks of mkdocs: the pages of daemons, made of their rooms, and the measured accuracy, which the README has."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from portwright.daemons import daemons
from portwright.reports.catalogue import apps_json
from portwright.reports.pages import prose

_TOP = Path(__file__).parents[1]
_FAMILIES = {"deb": "Debian, Ubuntu", "rpm": "Fedora, RHEL, openSUSE", "apk": "Alpine", "arch": "Arch", "any": "every distribution"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of daemons: an index, and a page for each."""
    for path, text in daemon_pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in what the README says of accuracy where a page asks for it."""
    said = (_TOP / "README.md").read_text("utf-8").partition("## How right it is\n")[2].partition("\n## ")[0]
    return markdown.replace("<!-- measured -->", said.strip())


def daemon_pages() -> dict[str, str]:
    """The Markdown of each page by its path."""
    apps: list[dict[str, Any]] = json.loads(apps_json(daemons()))["apps"]
    apps.sort(key=lambda app: app["app"])
    index = [
        "# Daemons",
        "",
        f"{len(apps)} daemons: what of their configuration is read, and where packages put it. `portwright apps` lists them in a terminal.",
        "What listens and is none of them is named in each report (*not understood*).",
        "",
    ]
    for letter, own in groupby(apps, key=_letter):
        links = ", ".join(f"[{prose(app['app'])}]({_file(app['app'])})" for app in own)
        index += [f"**{letter.upper()}** {links}", ""]
    return {"daemons/index.md": "\n".join(index), **{f"daemons/{_file(app['app'])}": "\n".join(_page(app)) for app in apps}}


def _letter(app: dict[str, Any]) -> str:
    first: str = app["app"][0].lower()
    return first if first.isalpha() else "0"


def _file(name: str) -> str:
    """The page of a daemon; none of them is called index."""
    return f"{''.join(letter if letter.isalnum() or letter in '-_' else '-' for letter in name.lower())}.md"


def _page(app: dict[str, Any]) -> list[str]:
    packages = [f"{_FAMILIES[family]}: {_code(named)}" for family, named in app["packages"].items() if family in _FAMILIES]
    lacking = "nothing but what its command line says" if app["read_by_code"] else "its built-in defaults alone"
    built_in = [f"{each['protocol']} {each['port']}" for each in app["default_only"]]
    rows = [
        ("Programs", _code(app["programs"])),
        ("Units", _code(app["units"])),
        ("Packages", "; ".join(packages)),
        ("Config files", _code(app["config"])),
        ("Settings that are read", _code(app["settings"]) or ("by a reader of its own" if app["read_by_code"] else lacking)),
        ("Always on", ", ".join(built_in)),
        ("Config alone in a repository", "is read" if app["fragments"] else "is not read: it needs the command that starts it"),
        ("Source", prose(app["source"])),
    ]
    said = [f"- **{what}**: {text}" for what, text in rows if text]
    return ["---", "hide: [toc]", "---", f"# {prose(app['app'])}", "", *said, ""]


def _code(words: list[str]) -> str:
    return ", ".join(f"`{word.replace('`', ' ')}`" for word in words)
