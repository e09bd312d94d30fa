"""The page for a browser: it says what the text report says, loads nothing, and nothing in it that came from a host is code."""

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.cli import main
from portwright.coverage import Coverage, LeftOut, NotRead, NotUnderstood
from portwright.finding import Allowed, Compared, Finding, HostResult, Note
from portwright.reports.formats.html import check
from portwright.reports.port_map import PortMap, port_map, port_maps
from portwright.reports.registry import Checked, Look
from portwright.source import Source, Span, Unreadable
from tests.reports.hosts import BY_HAND, CLEAN, COLLISIONS, COVERAGE, DB1, EMPTY, IN_RANGE, NO_CAPABILITY, WEB1

ROOT = Path(__file__).parents[2]
_VOID = {"meta", "input", "br"}
_HOSTILE = "</script></style></title>\"'><script>alert(1)</script><img src=x onerror=alert(1)><!-- {{7*7}} &lt;"


class _Page(HTMLParser):
    """A page as its elements: (name, attributes), and the text inside of each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[tuple[str, str]] = []
        self.comments = 0
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.pop()

    def handle_data(self, data: str) -> None:
        self.said.append((self._open[-1] if self._open else "", data))

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    @property
    def text(self) -> str:
        return " ".join(" ".join(data for kind, data in self.said if kind not in ("script", "style")).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _page(*results: HostResult, maps: tuple[tuple[PortMap, ...], ...] = ()) -> _Page:
    return _Page(check(Checked(results, (), "1.2.3", maps), Look()))


def _hostile(text: str) -> HostResult:
    """A result that says a text wherever a host can say one."""
    at = Span(f"/etc/{text}", 1, 1, 1, 4)
    finding = replace(
        IN_RANGE,
        message=text,
        at=at,
        subject=replace(IN_RANGE.subject, unit=text, app=text, address=text),
        notes=(Note(text, at), Note(text)),
        summary=text,
        likelihood_because=text,
        card=replace(IN_RANGE.card, title=text, why=text, references=(text, f"https://a.example/{text}", f"javascript:{text}")),
    )
    return replace(
        CLEAN,
        host=text,
        findings=(finding, replace(finding, at=replace(at, line=2, end_line=2))),
        allowed=(Allowed("port-claimed-twice", at, text),),
        unreadable=(Unreadable(at, text),),
        sources={at.path: Source(at.path, f"{text}\n{text}\n")},
        coverage=Coverage((NotUnderstood(text, text, at, text),), (LeftOut(text, text),), (NotRead(text, text, text),)),
        compared=Compared(text, 1),
    )


def _shape(page: _Page) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, tuple(sorted(attributes))) for name, attributes in page.elements]


@given(st.text(st.sampled_from("<>&\"'/=-!x \n\\{}`;:"), min_size=1, max_size=12))
def test_case_44_no_text_of_a_host_changes_what_the_page_is_made_of(text: str) -> None:
    assert _shape(_page(_hostile("x"))) == _shape(_page(_hostile(f"x{text}x")))


def test_case_44_a_script_that_a_host_says_is_shown_and_not_run() -> None:
    page = _page(_hostile(_HOSTILE), replace(CLEAN, host=_HOSTILE))

    assert 1 == len(page.of("script")) == len(page.of("style"))
    assert [] == page.of("img")
    assert 0 == page.comments
    assert page.text.count("<script>alert(1)</script>") > 10
    links = [attributes["href"] or "" for attributes in page.of("a")]
    assert all(link.startswith(("#", "https://a.example/")) for link in links)


def test_case_44_the_policy_lets_one_script_and_one_style_run_and_loads_nothing() -> None:
    page = _page(WEB1)
    (policy,) = (each["content"] or "" for each in page.of("meta") if each.get("http-equiv") == "Content-Security-Policy")

    for kind in ("script", "style"):
        (text,) = ("".join(data for inside, data in page.said if inside == kind),)
        assert f"{kind}-src 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for name, attributes in page.elements:
        assert not any(key.startswith("on") or key in ("style", "src", "srcdoc", "action", "formaction") for key in attributes), name


def test_it_says_what_the_text_report_says_of_a_host() -> None:
    page = _page(replace(WEB1, coverage=COVERAGE))

    assert "5 findings (1 high, 3 medium, 1 low) in web1" in page.text
    for finding in WEB1.findings:
        assert finding.message in page.text
        assert finding.card.id in page.text
    assert "will fail EACCES (permission denied)" in page.text
    assert "fix give intake.service CAP_NET_BIND_SERVICE (safe; restarts the service)" in page.text
    assert "by hand set SO_REUSEADDR before bind()" in page.text
    assert "/etc/haproxy/haproxy.cfg permission denied" in page.text
    assert "root-for-one-low-port: the intake opens a raw socket too" in page.text
    assert "not understood: app.service starts /opt/app/bin/app: nobody knows it" in page.text
    assert "not read (vagrant): its text mentions ports" in page.text
    assert "read as 1 host" in page.text


def test_an_excerpt_marks_what_is_meant_in_its_line() -> None:
    page = _page(replace(WEB1, findings=(NO_CAPABILITY,)))
    marked = [data for kind, data in page.said if kind == "mark"]

    assert "intake" == marked[0]
    assert "0.0.0.0:80" in marked
    assert "runs as intake" in page.text


def test_findings_that_differ_in_their_port_alone_are_said_once_with_their_places() -> None:
    other = replace(IN_RANGE, at=replace(IN_RANGE.at, line=4, end_line=4), message=IN_RANGE.message.replace("40000", "40002"))
    subject = replace(IN_RANGE.subject, port=40002, end_port=40002)
    other = replace(other, subject=subject, summary=IN_RANGE.summary.replace("40000", "40002"))
    page = _page(replace(WEB1, findings=(IN_RANGE, other)))

    assert 1 == len(page.of("article"))
    assert "2 findings" in page.text
    assert "1 more like this" in page.text
    assert "tcp *:40002" in page.text


def test_several_hosts_have_a_table_the_gravest_first() -> None:
    page = _page(CLEAN, replace(WEB1, host="web9", findings=(BY_HAND,)), WEB1)

    hosts = [each["data-host"] for each in page.of("section") if "host" in (each["class"] or "").split()]
    assert ["web1", "web9", "web2"] == hosts
    assert ["web1", "web9", "web2"] == [each["data-host"] for each in page.of("tr") if "data-host" in each]
    assert {"#h1", "#h2", "#h3"} <= {each["href"] for each in page.of("a")}
    assert {"h1", "h2", "h3"} <= {each["id"] for each in page.of("section") if "id" in each}


def test_every_link_into_the_page_has_its_place_and_no_place_is_there_twice() -> None:
    page = _page(CLEAN, WEB1, EMPTY)
    places = [attributes["id"] for _, attributes in page.elements if "id" in attributes]

    assert len(places) == len(set(places))
    assert {each["href"] for each in page.of("a") if (each["href"] or "").startswith("#")} <= {f"#{place}" for place in places}


def test_nothing_read_is_said() -> None:
    assert "nothing was read: no host, repository or file was found" in _page().text
    assert "result: inconclusive (nothing was read)" in _page(EMPTY).text
    assert "No findings." not in _page(EMPTY).text
    assert "No findings." in _page(CLEAN).text


# ── the ports ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_map_has_a_mark_for_each_listener_and_says_who_fails() -> None:
    drawn = port_map(DB1, COLLISIONS)
    page = _page(WEB1, maps=((drawn,),))
    marks = [each["class"] for each in page.of("g")]

    assert sum(stand.low is not None and stand.sign != "apart" for stand in drawn.stands) == len(marks)
    assert marks.count("mark fails") == 3
    assert "5432/tcp pgbouncer.service on 127.0.0.1 as pgbouncer: uses the same port as postgresql@15-main.service" in page.text
    assert "80/tcp intake.service on * as intake: cannot bind: EACCES (intake lacks CAP_NET_BIND_SERVICE)" in page.text
    assert "ephemeral: 32768-60999" in page.text
    assert "reserved: 50000-51000" in page.text
    assert "1 more is never started" in page.text


def test_every_mark_and_label_lies_within_the_picture() -> None:
    page = _page(WEB1, maps=((port_map(DB1, COLLISIONS),),))
    (svg,) = page.of("svg")
    _, _, width, height = map(float, (svg["viewbox"] or "").split())

    for name, across, down in (("circle", "cx", "cy"), ("text", "x", "y"), ("line", "x1", "y1"), ("line", "x2", "y2"), ("rect", "x", "y")):
        for each in page.of(name):
            assert 0 <= float(each[across] or "-1") <= width
            assert 0 <= float(each[down] or "-1") <= height


def test_a_host_without_listeners_has_no_map() -> None:
    assert () == port_maps([(replace(DB1, listeners=()), ())])
    assert 1 == len(port_maps([(DB1, COLLISIONS), (DB1, COLLISIONS)]))


def test_check_writes_the_page_with_the_ports_of_the_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, document = tmp_path / "page.html", tmp_path / "report.json"

    outputs = ["--format", "html", "--output", str(page), "--format", "json", "--output", str(document)]

    assert 1 == main(["check", str(ROOT / "examples" / "web1"), *outputs])
    written = _Page(page.read_text("utf-8"))
    assert 4 == len(written.of("g"))
    for message in _messages(json.loads(document.read_text("utf-8"))):
        assert message in written.text


def _messages(document: dict[str, list[dict[str, list[dict[str, str]]]]]) -> Iterator[str]:
    for host in document["hosts"]:
        yield from (finding["message"] for finding in host["findings"])


def test_findings_are_told_whole_however_they_are_grouped() -> None:
    def count(page: _Page) -> int:
        return sum(int(each.get("data-count") or 1) for each in page.of("span") if each.get("class") == "count")

    groups: tuple[Finding, ...] = (IN_RANGE, replace(IN_RANGE, at=replace(IN_RANGE.at, column=9)))
    assert 2 == count(_page(replace(WEB1, findings=groups)))
