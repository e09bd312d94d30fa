"""The grammars of the catalogue: what is written comes out as nodes with their places, and any text comes to an end."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.formats import braces, defines, erlang, rainer, sections, tags, yaml_nodes
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Span


def _braces(dialect: braces.Dialect) -> Callable[[Source], Parsed]:
    return lambda source: braces.parse(source, dialect)


def _sections(dialect: sections.Dialect) -> Callable[[Source], Parsed]:
    return lambda source: sections.parse(source, dialect)


GRAMMARS: dict[str, Callable[[Source], Parsed]] = {
    **{name: _braces(dialect) for name, dialect in vars(braces).items() if isinstance(dialect, braces.Dialect)},
    **{name: _sections(dialect) for name, dialect in vars(sections).items() if isinstance(dialect, sections.Dialect)},
    "XML": tags.parse,
    "TAGS": lambda source: tags.parse(source, closed=False),
    "YAML": yaml_nodes.parse,
    "RAINER": rainer.parse,
    "ERLANG": erlang.parse,
    "DEFINES": defines.parse,
}
HOSTILE = ["{", "a {\n", "[", '"', "'", "/*", "--[[", "<", "<a", "<!", "<a b='", "(", "a=", "a(b=", "\\", "- ", "a: ", "*a ", "&"]


def shown(nodes: tuple[Node, ...], depth: int = 0) -> list[str]:
    found = []
    for node in nodes:
        found.append(f"{'  ' * depth}{node.key.text}" + "".join(f" {word.text!r}" for word in node.values))
        found += shown(node.children, depth + 1)
    return found


@pytest.mark.parametrize(
    ("grammar", "text", "expected"),
    [
        ("NAMED", 'a { b port 1 { x; !y; }; c "d e"; }; // e\n/* f */ g;', ["a", "  b 'port' '1'", "    x", "    !y", "  c 'd e'", "g"]),
        ("DOVECOT", "a b {\n  c = d e # f\n}\ng = *, ::\n", ["a 'b'", "  c 'd' 'e'", "g '*' '::'"]),
        ("DOVECOT", "a\n{\n b = 1\n}\n", ["a", "  b '1'"]),
        ("JSON", '{"a": {"b": [1, 2], "c": [{"d": 3}, {"d": 4}]}, "e": "f"}',
         ["a", "  b '1' '2'", "  c", "    d '3'", "  c", "    d '4'", "e 'f'"]),
        ("LUA", 'a = { "b", "c" }\nf("x", {y=1})\n-- z\n--[[ w\n]] g = 1', ["a", "  b", "  c", "f 'x'", "  y '1'", "g '1'"]),
        ("LIGHTTPD", 'a.b = (\n "c",\n)\n$SERVER["socket"] == ":443" {\n d = "e"\n}\n', ["a.b 'c'", "$SERVER 'socket' ':443'", "  d 'e'"]),
        ("NATS", "a: 1\nhttp: localhost:8222\nb {\n c: [d, e]\n}", ["a '1'", "http 'localhost:8222'", "b", "  c 'd' 'e'"]),
        ("CADDY", ":80, {$A} {\n b {path}\n}\n", [":80 '{$A}'", "  b '{path}'"]),
        ("INI", "a = 1\n[b]\nc=d = e\n; f\ng\n", ["a '1'", "b", "  c 'd = e'", "  g"]),
        ("TOML", 'a = "b # c" # d\n[[e.f]]\ng = [ "h", # i\n "j" ]\n', ["a 'b # c'", "e.f", "  g 'h' 'j'"]),
        ("CLAUSES", "a:\n  b: c # d\n  e: \"f\"\ng:\n  h: ::1\n", ["a", "  b 'c'", "  e 'f'", "g", "  h '::1'"]),
        ("XML", "<a x='1'><!-- <b/> --><b>t &amp; u</b><c/></a>", ["a", "  x '1'", "  b 't & u'", "  c"]),
        ("TAGS", '# <n>\n<a b="c"\n d="e">\n<f>', ["a", "  b 'c'", "  d 'e'", "f"]),
        ("YAML", "a: 1\nb: [c, d]\ne:\n- f: g\n- f: h\ni:\n", ["a '1'", "b 'c' 'd'", "e", "  f 'g'", "e", "  f 'h'", "i"]),
        ("RAINER", 'input(type="a" port=["1","2"]) # b\n$C d\n*.* /var/log/x\ninclude(file="/e")\n',
         ["input", "  type 'a'", "  port '1' '2'", "C 'd'", "include '/e'", "  file '/e'"]),
        ("ERLANG", '%% a\n[{b, [{c, [{"::1", 5}, 6, {{127,0,0,1}, 7}]}, {d, "e"}]}, {f, []}, g].',
         ["b", "  c '[::1]:5' '6' '127.0.0.1:7'", "  d 'e'", "f", "g"]),
        ("ERLANG", "[{a, {127, 0, 0, 1}}, {b, {0,0,0,0,0,0,0,1}}].", ["a '127.0.0.1'", "b '0:0:0:0:0:0:0:1'"]),
        ("DEFINES", '#!ifdef A // b\nlisten = udp:x:5 # c\n/* d = 1\n*/ e="f";\nimport_file "g"\n}\nh = {\n i = j;\n}\n',
         ["#!ifdef 'A'", "listen 'udp:x:5'", "e 'f'", "import_file 'g'", "h", "  i 'j'"]),
    ],
)  # fmt: skip
def test_a_text_is_read_as_nodes(grammar: str, text: str, expected: list[str]) -> None:
    nodes, troubles = GRAMMARS[grammar](Source("/x", text))

    assert expected == shown(nodes)
    assert () == troubles


@pytest.mark.parametrize(
    ("grammar", "text", "expected"),
    [
        ("NAMED", "a {\n b;", "/x:1:1: a block is not closed"),
        ("NAMED", "a;\n};", "/x:2:1: a closing brace without an opening one"),
        ("NAMED", "/* a", "/x:1:1: a comment is not closed"),
        ("DOVECOT", 'a = "b\nc = d', "/x:1:5: a quote is not closed"),
        ("DOVECOT", "a {" * 70, "/x:1:195: more than 64 blocks inside each other"),
        ("TOML", "a = [\n1", "/x:1:1: a list is not closed"),
        ("TOML", "a", "/x:1:1: neither a section nor a key with a value"),
        ("INI", "[a", "/x:1:1: a section's bracket is not closed"),
        ("XML", "<!-- a", "/x:1:1: <!-- is not closed"),
        ("XML", "<a b=c>", "/x:1:4: an attribute's value is not in quotes"),
        ("XML", "<a>" * 70, "/x:1:194: more than 64 elements inside each other"),
        ("YAML", "a: b: c", "/x:1:5: not YAML: mapping values are not allowed in this context"),
        ("YAML", "[" * 70, "/x:1:65: more than 64 levels: the rest is not read"),
        ("RAINER", 'input(type="a"', "/x:1:1: a parenthesis is not closed"),
        ("ERLANG", "[{a, 1}", "/x:1:1: a list is not closed"),
        ("ERLANG", "[{" * 40, "/x:1:65: more than 64 lists inside each other"),
        ("ERLANG", "[{a, $b}].", "/x:1:6: this is no term of Erlang"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(grammar: str, text: str, expected: str) -> None:
    _, troubles = GRAMMARS[grammar](Source("/x", text))

    assert expected == f"{troubles[0].at}: {troubles[0].reason}"


MARKS = ["{", "}", "[", "]", "(", ")", "<", ">", "</a>", "<a", '"', "'", "=", ":", ";", ",", "\n", "\\", "#"]
PIECES = st.sampled_from([*MARKS, "--[[", "/*", "-->", "<!--", "a", "$"])


@pytest.mark.parametrize("grammar", sorted(GRAMMARS))
@settings(max_examples=40)
@given(pieces=st.lists(PIECES | st.text(max_size=3), max_size=40))
def test_any_text_comes_to_an_end_with_places_inside_it(grammar: str, pieces: list[str]) -> None:
    source = Source("/x", "".join(pieces))
    nodes, troubles = GRAMMARS[grammar](source)
    last = source.text.count("\n") + 1

    assert all(1 <= each.at.line <= last + 1 for each in troubles)
    assert all(1 <= at.line <= at.end_line <= last + 1 for at in _places(nodes))


def _places(nodes: tuple[Node, ...]) -> list[Span]:
    return [at for node in nodes for at in (node.key.at, *(word.at for word in node.values), *_places(node.children))]


@pytest.mark.parametrize("grammar", sorted(GRAMMARS))
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_is_read_in_linear_time(grammar: str, piece: str) -> None:
    GRAMMARS[grammar](Source("/x", piece * (30_000 // len(piece))))
