"""A check as one page: a summary, a filter, hosts by their gravest finding with ports, findings and gaps, and what each rule is for."""

import os
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from portwright.finding import SEVERITIES, HostResult
from portwright.reports.escape import safe
from portwright.reports.excerpt import place
from portwright.reports.html.element import Element, put, say, written
from portwright.reports.html.findings import findings
from portwright.reports.html.picture import picture
from portwright.reports.port_map import PortMap
from portwright.reports.registry import Checked
from portwright.reports.words import (
    accepted_by,
    accepted_in_words,
    compared_with,
    counted,
    first_few,
    no_verdict,
    obeyed,
    told_uncovered,
    uncovered,
)
from portwright.source import Span

if TYPE_CHECKING:
    from portwright.reports.trend import Trend

_MOST_MAPS = 12
"""Of one repository, whose machines may be many."""
_MOST_ROWS = 500

_Host = tuple[HostResult, tuple[PortMap, ...], str]


def page(checked: Checked) -> str:
    """The page, ending in a newline."""
    maps = checked.maps or [()] * len(checked.results)
    pairs = sorted(zip(checked.results, maps, strict=True), key=lambda pair: (*_gravity(pair[0]), pair[0].host))
    hosts = [(result, own, f"h{number}") for number, (result, own) in enumerate(pairs, 1)]
    root = Element("html", {"lang": "en"})
    style, script = (_static(name) for name in ("page.css", "page.js"))
    head = put(root, "head")
    put(head, "meta", charset="utf-8")
    # Nothing is loaded and nothing is run but the two texts that ship with portwright.
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    put(head, "meta", http_equiv="Content-Security-Policy").set("content", policy)  # a hash looks like a secret
    put(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    put(head, "meta", name="referrer", content="no-referrer")
    put(head, "meta", name="color-scheme", content="light dark")
    put(head, "title", f"portwright: {_tally([result for result, *_ in hosts])}")
    put(head, "style").text = style
    body = put(root, "body")
    _body(body, hosts, checked)
    put(body, "script").text = script
    return f"<!DOCTYPE html>\n{written(root)}\n"


def _static(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode('utf-8', 'strict')).digest()).decode()}"


def _gravity(result: HostResult) -> tuple[int, ...]:
    counts = [sum(1 for finding in result.findings if finding.severity == severity) for severity in SEVERITIES]
    return (*(-count for count in counts), -len(result.unreadable))


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _body(body: Element, hosts: Sequence[_Host], checked: Checked) -> None:
    results = [result for result, *_ in hosts]
    put(body, "a", "Skip to the findings", class_="skip", href="#findings")
    header = put(body, "header")
    put(header, "h1", "portwright")
    put(header, "p", _tally(results), class_="tally")
    put(header, "p", "; ".join(_basis(results)))
    shown = {finding.card.id: finding.card for result in results for finding in result.findings}
    anchors = {rule: f"r{number}" for number, rule in enumerate(sorted(shown), 1)}
    _filter(body, results, sorted(shown))
    main = put(body, "main", id="findings")
    if checked.trend is not None:
        _trend(main, checked.trend)
    if len(hosts) > 1:
        _overview(main, hosts)
    _listed(main, "entries of the allow file without effect", ("place", "why"), [(each.at, each.reason) for each in checked.remarks])
    for result, maps, anchor in hosts:
        _host(main, result, maps, anchors, anchor, alone=len(hosts) == 1)
    if shown:
        section = put(main, "section", class_="rules")
        put(section, "h2", "Rules")
        for rule in sorted(shown):
            card = shown[rule]
            folded = put(section, "details", id=anchors[rule])
            put(put(folded, "summary"), "code", card.id)
            say(folded[0], f" {safe(card.title)}")
            put(folded, "p", " ".join(safe(card.why).split()))
            for reference in card.references:
                line = put(folded, "p", class_="see")
                if reference.startswith(("https://", "http://")):
                    put(line, "a", reference, href=reference, rel="noreferrer noopener")
                else:
                    say(line, safe(reference))
    footer = put(body, "footer")
    put(footer, "p", f"portwright {checked.version}; {_read_as(results)}")
    put(footer, "p", "Keys: / search, j and k next and previous finding, Escape clears the filter.", class_="keys", hidden="hidden")


def _tally(results: Sequence[HostResult]) -> str:
    found = [finding for result in results for finding in result.findings]
    counts = [f"{number} {severity}" for severity in SEVERITIES if (number := sum(1 for f in found if f.severity == severity))]
    listed = f" ({', '.join(counts)})" if counts else ""
    if not results:
        return "nothing was read: no host, repository or file was found"
    where = safe(results[0].host) if len(results) == 1 else counted(len(results), "input")
    return f"{counted(len(found), 'finding') if found else 'no findings'}{listed} in {where}"


def _basis(results: Sequence[HostResult]) -> Iterable[str]:
    yield f"{counted(sum(result.files_read for result in results), 'file')} read"
    for base in sorted({result.compared.base for result in results if result.compared is not None}):
        yield from compared_with(base, [each.compared for each in results if each.compared is not None and each.compared.base == base])
    if taken := obeyed(results):
        yield taken
    if accepted := accepted_by(results):
        yield accepted
    if unreadable := sum(len(result.unreadable) for result in results):
        yield f"{counted(unreadable, 'place')} could not be read, so this result is incomplete"
    if missing := uncovered(results):
        yield missing


def _read_as(results: Sequence[HostResult]) -> str:
    """What each input was taken for: a host's own comments silence nothing, a repository's do."""
    kinds = [
        ("host", sum(1 for result in results if not result.repository)),
        ("repository", sum(1 for result in results if result.repository and not result.is_file)),
        ("file", sum(1 for result in results if result.is_file)),
    ]
    words = {"host": ("host", "hosts"), "repository": ("repository", "repositories"), "file": ("single file", "single files")}
    return f"read as {', '.join(counted(number, *words[kind]) for kind, number in kinds if number) or 'nothing'}"


def _filter(body: Element, results: Sequence[HostResult], rules: Sequence[str]) -> None:
    """Hidden until the script is there to obey it."""
    form = put(body, "form", id="filter", role="search", hidden="hidden", aria_label="filter the findings")
    severities = put(form, "fieldset")
    put(severities, "legend", "severity")
    for severity in SEVERITIES:
        number = sum(1 for result in results for finding in result.findings if finding.severity == severity)
        if number:
            label = put(severities, "label", class_=severity)
            put(label, "input", type="checkbox", name="severity", value=severity, checked="checked")
            say(label, f" {severity} {number}")
    rule = put(form, "label", "rule ")
    choices = put(rule, "select", name="rule")
    put(choices, "option", "all", value="")
    for each in rules:
        put(choices, "option", each, value=each)
    if len(results) > 1:
        put(put(form, "label", "host "), "input", type="search", name="host", autocomplete="off", placeholder="part of its name")
    put(put(form, "label", "text "), "input", type="search", name="text", autocomplete="off", placeholder="service, port, file")
    put(form, "button", "clear", type="reset")
    if len(results) > 1:
        put(form, "button", "open all", type="button", name="open")
    put(form, "output", id="shown", aria_live="polite")


def _trend(main: Element, found: "Trend") -> None:
    """What differs from the run before: each rule with something new or fixed, and hosts that came or went."""
    from portwright.reports.trend import changes, in_words

    section = put(main, "section", class_="overview")
    put(section, "h2", "Since the run before")
    put(section, "p", in_words(found))
    rows = changes(found)
    if rows:
        body = _table(section, ("what", "rule", "severity", "findings", "hosts"), "what differs")
        for each in rows[:_MOST_ROWS]:
            row = put(body, "tr")
            put(row, "td", each.kind)
            put(put(row, "td"), "code", safe(each.rule))
            put(row, "td", each.severity, class_=each.severity)
            put(row, "td", str(each.findings), class_="number")
            put(row, "td", first_few(each.hosts))
    for names, what in ((found.hosts_new, "New hosts"), (found.hosts_gone, "Hosts that are gone")):
        if names:
            put(section, "p", f"{what}: {first_few(names)}.")


def _overview(main: Element, hosts: Sequence[_Host]) -> None:
    section = put(main, "section", class_="overview")
    put(section, "h2", "Hosts, the gravest first")
    body = _table(section, ("host", *SEVERITIES, "unread", "not covered"), "hosts")
    for result, _, anchor in hosts:
        row = put(body, "tr", data_host=safe(result.host), data_section=anchor)
        put(put(row, "th", scope="row"), "a", safe(result.host), href=f"#{anchor}")
        for severity in SEVERITIES:
            number = sum(1 for finding in result.findings if finding.severity == severity)
            put(row, "td", str(number) if number else "", class_=f"number {severity}" if number else "number")
        put(row, "td", str(len(result.unreadable) or ""), class_="number")
        coverage = result.coverage
        put(row, "td", str(len(coverage.not_understood) + len(coverage.left_out) + len(coverage.not_read) or ""), class_="number")


def _host(main: Element, result: HostResult, maps: Sequence[PortMap], rules: dict[str, str], anchor: str, *, alone: bool) -> None:
    section = put(main, "section", class_="host", data_host=safe(result.host), id=anchor)
    inside = section
    if alone:
        put(section, "h2", safe(result.host))
    else:
        inside = put(section, "details")
        summary = put(inside, "summary")
        put(summary, "h2", safe(result.host))
        put(summary, "span", _tally([result]).rpartition(" in ")[0])
    if said := no_verdict(result):
        put(inside, "p", said, class_="bad")
    for drawn in maps[:1]:
        picture(inside, drawn, safe(result.host))
    for drawn in maps[1:_MOST_MAPS]:
        folded = put(inside, "details")
        put(folded, "summary", f"the ports of {drawn.machine}")
        picture(folded, drawn, safe(result.host))
    if len(maps) > _MOST_MAPS:
        put(inside, "p", f"{counted(len(maps) - _MOST_MAPS, 'more machine')} that the repository describes: portwright ports shows them.")
    findings(inside, result, rules, anchor)
    if not result.findings and not said:
        put(inside, "p", "No findings.", class_="good")
    _gaps(inside, result)


def _gaps(parent: Element, result: HostResult) -> None:
    unread = [(trouble.at, trouble.reason) for trouble in sorted(result.unreadable)]
    _listed(parent, "could not be read", ("place", "reason"), unread, is_open=True)
    allowed = sorted(result.allowed, key=lambda each: (each.at, each.rule))
    _listed(parent, "allowed", ("place", "rule and reason"), [(each.at, accepted_in_words(each)) for each in allowed])
    _listed(parent, "comments without effect", ("place", "why"), [(each.at, each.reason) for each in result.unused])
    told = [(at, text) for text, at in told_uncovered(result.coverage)]
    _listed(parent, "not covered", ("place", "what is not covered"), told)


def _listed(parent: Element, title: str, heads: tuple[str, str], rows: Sequence[tuple[Span, str]], *, is_open: bool = False) -> None:
    if not rows:
        return
    folded = put(parent, "details", class_="gaps", **({"open": "open"} if is_open else {}))
    put(folded, "summary", f"{title} ({len(rows)})")
    body = _table(folded, heads, title)
    for at, text in rows[:_MOST_ROWS]:
        row = put(body, "tr")
        put(put(row, "td"), "code", place(at))
        put(row, "td", text)
    if len(rows) > _MOST_ROWS:
        put(folded, "p", f"{counted(len(rows) - _MOST_ROWS, 'more row')} left out; --format json has all.")


def _table(parent: Element, heads: Iterable[str], label: str) -> Element:
    """The body of a new table, which moves sideways where it is wider than its page."""
    frame = put(parent, "div", class_="wide", tabindex="0", role="group", aria_label=label)
    made = put(frame, "table")
    row = put(put(made, "thead"), "tr")
    for head in heads:
        put(row, "th", head, scope="col")
    return put(made, "tbody")
