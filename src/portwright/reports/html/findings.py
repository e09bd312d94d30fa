"""Findings of one host as articles: what is wrong, the lines that say so with what matters marked, remarks, and where its likes are."""

from collections.abc import Mapping, Sequence

from portwright.finding import Finding, HostResult
from portwright.reports.escape import safe
from portwright.reports.excerpt import Mark, can_show, pieces, place
from portwright.reports.html.element import Element, put, say
from portwright.reports.order import worst_first
from portwright.reports.repeats import gathered
from portwright.reports.shorten import short
from portwright.reports.told import apart, is_default, remarks, spots

_MOST_ALIKE = 200


def findings(parent: Element, result: HostResult, rules: Mapping[str, str], host: str) -> None:
    """The findings, the worst first; `rules` are the anchors of what is said of each rule, `host` is that of this host."""
    for number, group in enumerate(gathered(sorted(result.findings, key=worst_first)), 1):
        finding = group[0]
        said = {"data_severity": finding.severity, "data_rule": finding.card.id}
        article = put(parent, "article", class_=f"finding {finding.severity}", id=f"{host}-f{number}", tabindex="-1", **said)
        head = put(article, "h3")
        put(head, "span", finding.severity, class_="severity")
        say(head, " ")
        put(head, "a", finding.card.id, class_="rule", href=f"#{rules[finding.card.id]}")
        if len(group) > 1:
            put(head, "span", f"{len(group)} findings", class_="count", data_count=str(len(group)))
        put(article, "p", short(finding.message), class_="message")
        _excerpts(article, finding, result)
        _remarks(article, group, result)
        _others(article, group)


def _excerpts(article: Element, finding: Finding, result: HostResult) -> None:
    files, _ = spots(finding, result, short)
    for index, marks in enumerate(files.values()):
        if index == 0 and is_default(finding.at, result):
            put(article, "p", f"{place(finding.at)}, the kernel's default", class_="place")
            continue
        put(article, "p", place(marks[0].at), class_="place")
        _excerpt(article, [mark for mark in marks if can_show(mark.at, result.sources)], result)


def _excerpt(article: Element, marks: Sequence[Mark], result: HostResult) -> None:
    if not marks:
        return
    shown = put(article, "div", class_="excerpt")
    last = 0
    for number, parts, labels in pieces(marks, result.sources):
        if last and number > last + 1:
            put(shown, "div", "...", class_="left-out")
        last = number
        line = put(shown, "div", class_="line")
        put(line, "span", str(number), class_="number")
        code = put(line, "code")
        for text, role in parts:
            if role is None:
                say(code, text)
            else:
                put(code, "mark", text, class_=role)
        for label in labels:
            put(shown, "div", label, class_="label")


def _remarks(article: Element, group: Sequence[Finding], result: HostResult) -> None:
    _, plain = spots(group[0], result, short)
    listed = None
    for key, text, role in remarks(group, plain, result, short):
        listed = put(article, "dl") if listed is None else listed
        row = put(listed, "div", class_=role)
        put(row, "dt", key)
        put(row, "dd", safe(text))


def _others(article: Element, group: Sequence[Finding]) -> None:
    if len(group) == 1:
        return
    rows, told = apart(group)
    folded = put(article, "details", class_="others")
    put(folded, "summary", f"{len(group) - 1} more {'like this' if 0 in told else 'here'}")
    listed = put(folded, "ul")
    for row in rows[1 : _MOST_ALIKE + 1]:
        put(listed, "li", "  ".join(row[index] for index in told if row[index]))
    if len(rows) > _MOST_ALIKE + 1:
        put(folded, "p", f"... and {len(rows) - 1 - _MOST_ALIKE} more")
