"""nginx's grammar: directives and blocks as crossplane reads them, their places, and what is left of a broken file."""

import json
from pathlib import Path

import crossplane  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.nginx import _ITEM, _PLAIN_ITEM, DEEPEST, Directive, parse
from portwright.source import Source, Span

SNIPPETS = [
    "user www-data;\nevents { worker_connections 768; }\n",
    "http {\n  server {\n    listen 80 default_server; # main\n    server_name a.example\n                b.example;\n  }\n}\n",
    """log_format main '$remote_addr - "$request" '\n    "$status;{}" # with # in it\n    x#y;""",
    r"""location ~ \.(php|\{2\})$ { fastcgi_param X "a\"b"; }""",
    r"""rewrite ^/x(.*)\ y$ /z/${a}b$1 last;""",
    """map $http_upgrade $connection {\n  default upgrade;\n  '' close;\n  "~^x{2}" 'a b';\n}""",
    """if ($request_method = POST) { return 405; }""",
    """if ($arg_a ~ "a{2,3}") { return 204; }""",
    """content_by_lua_block {\n    ngx.say("}")\n    if x then y = { 1 } end\n}\nlisten 80;""",
    """server{listen 80;location /{proxy_pass http://$a;}}""",
    """server {\r\n  listen 80;\r\n}\r\n""",
    """"listen" "80" 'x';""",
    "types { text/html html htm; }",
    "set $a ${b}c$d; set $e $;",
]


def flat(directives: tuple[Directive, ...]) -> list[tuple[str, list[str], int, object]]:
    return [(d.name, [w.text for w in d.args], d.at.line, None if d.block is None else flat(d.block)) for d in directives]


def theirs(parsed: list[dict[str, object]]) -> list[tuple[str, list[str], int, object]]:
    rows = []
    for row in parsed:
        if row["directive"] == "#":
            continue
        args, block = row["args"], row.get("block")
        if str(row["directive"]).endswith("_by_lua_block"):
            args, block = [], []
        if row["directive"] == "if":
            args = ["(" + str(args[0]), *args[1:-1], str(args[-1]) + ")"]  # type: ignore[index]
        rows.append((row["directive"], args, row["line"], None if block is None else theirs(block)))  # type: ignore[arg-type]
    return rows  # type: ignore[return-value]


def joined(rows: list[tuple[str, list[str], int, object]]) -> list[tuple[str, list[str], int, object]]:
    """Conditions with their last word and a `)` behind a quote as one, as crossplane gives them."""
    found: list[tuple[str, list[str], int, object]] = []
    for name, args, line, block in rows:
        if name == "if" and len(args) > 1 and args[-1] == ")":
            args = [*args[:-2], args[-2] + ")"]
        found.append((name, args, line, joined(block) if isinstance(block, list) else block))
    return found


def oracle(path: Path) -> list[tuple[str, list[str], int, object]]:
    payload = crossplane.parse(str(path), single=True, check_ctx=False, check_args=False)
    assert [] == payload["errors"]
    return theirs(json.loads(json.dumps(payload["config"][0]["parsed"])))


@pytest.mark.parametrize("text", SNIPPETS)
def test_directives_arguments_and_lines_are_what_crossplane_reads(text: str, tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_bytes(text.encode())
    document = parse(Source("/n", text))

    assert oracle(path) == joined(flat(document.directives))
    assert () == document.unreadable


def test_the_configuration_of_this_machine_reads_as_crossplane_reads_it() -> None:
    paths = [path for path in sorted(Path("/etc/nginx").rglob("*")) if path.is_file() and path.suffix in ("", ".conf", ".types")]
    if not paths:
        pytest.skip("the oracle is missing: no nginx is installed")
    for path in paths:
        document = parse(Source(str(path), path.read_text()))

        assert oracle(path) == joined(flat(document.directives)), path
        assert () == document.unreadable


def test_every_word_knows_its_place_with_its_quotes() -> None:
    (server,) = parse(Source("/n", 'server {\n  listen "80" # x\n    [::]:81;\n}\n')).directives
    assert server.block is not None
    (listen,) = server.block

    assert [("listen", Span("/n", 2, 3, 2, 9)), ("80", Span("/n", 2, 10, 2, 14)), ("[::]:81", Span("/n", 3, 5, 3, 12))] == [
        (word.text, word.at) for word in listen.words
    ]
    assert Span("/n", 2, 3, 3, 12) == listen.at


@pytest.mark.parametrize(
    ("text", "reasons", "left"),
    [
        ("a b", ['1:1 unexpected end of file, expecting ";" or "}"'], ["a b"]),
        ("a { b;", ['1:7 unexpected end of file, expecting "}"'], ["a{b}"]),
        ("a; } b;", ['1:4 unexpected "}"'], ["a", "b"]),
        (";; a;", ['1:1 unexpected ";"', '1:2 unexpected ";"'], ["a"]),
        ("{ a; } b;", ['1:1 unexpected "{"'], ["{a}", "b"]),
        ('a "x\nb c;', ['1:3 missing terminating " character'], ["a", "b c"]),
        ("'x\nb c;", ["1:1 missing terminating ' character"], ["b c"]),
        ("s { a 1\n} b;", ['2:1 unexpected "}", expecting ";" after "a"'], ["s{a 1}", "b"]),
        ('a "b"c; d;', ['1:6 unexpected "c" after a quoted word'], ["a b c", "d"]),
        ("a_by_lua_block { x = '}' ", ["1:16 a Lua block that no brace closes"], ["a_by_lua_block{}"]),
        ("a b\\", ['1:1 unexpected end of file, expecting ";" or "}"'], ["a b"]),
        ("", [], []),
    ],
)
def test_what_nginx_would_reject_has_a_place_and_the_rest_is_read(text: str, reasons: list[str], left: list[str]) -> None:
    document = parse(Source("/n", text))

    assert reasons == [f"{wrong.at.line}:{wrong.at.column} {wrong.reason}" for wrong in document.unreadable]
    assert left == [_short(directive) for directive in document.directives]


def test_escapes_are_undone_as_nginx_undoes_them() -> None:
    """ngx_conf_read_token(): `\\"`, `\\'`, `\\\\`, `\\t`, `\\r` and `\\n`; any other backslash stays."""
    (directive,) = parse(Source("/n", r"""log "a\"b\\c\td" e\ f \# \.php$ '\'';""")).directives

    assert ['a"b\\c\td', "e\\ f", "\\#", "\\.php$", "'"] == [word.text for word in directive.args]


def _short(directive: Directive) -> str:
    words = " ".join(word.text for word in directive.words)
    return words if directive.block is None else f"{words}{{{' '.join(map(_short, directive.block))}}}"


@pytest.mark.parametrize(
    "lua",
    ['x = "}"', "x = '}' -- }", "x = [[ } ]]", "x = [==[ ]] } ]==]", "--[[ } ]] x = {}", 'x = "\\"}"', "if a then b = { c = {} } end"],
)
def test_braces_in_lua_strings_and_comments_close_nothing(lua: str) -> None:
    document = parse(Source("/n", f"set_by_lua_block $a {{ {lua}\n }} listen 80;"))

    assert ["set_by_lua_block $a{}", "listen 80"] == [_short(directive) for directive in document.directives]
    assert () == document.unreadable


def test_a_template_is_read_for_what_it_says_plainly() -> None:
    document = parse(Source("/n", "server {\n  listen {{ port }};\n{% if tls %}\n  listen 443;\n{% endif %}\n}\n"))

    assert ["server{listen {{ port }} listen 443}"] == [_short(directive) for directive in document.directives]
    assert () == document.unreadable


def test_blocks_nested_too_deep_are_said_and_what_follows_is_read() -> None:
    document = parse(Source("/n", "a {" * (DEEPEST + 50) + "}" * (DEEPEST + 50) + "b;"))

    assert [f"blocks are nested more than {DEEPEST} deep, this one is not read"] == [wrong.reason for wrong in document.unreadable]
    assert ["a", "b"] == [directive.name for directive in document.directives]


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 100_000,
        'a_by_lua_block {"' + '\\"' * 100_000,
        "a_by_lua_block {" + "[==[" * 50_000,
        "{" * 20_000,
        "{{" * 20_000,
        "{%" * 20_000,
        "a 'b\n" * 20_000,
        'a "b"c' * 20_000,
        'a "b"}' * 20_000,
        "$" * 200_000,
        "\"'a\\" * 50_000,
    ],
)
def test_hostile_text_is_read_once(text: str) -> None:
    """Each of these takes hours where a pattern goes back over what it has read."""
    assert parse(Source("/n", text)).unreadable


@given(st.text(alphabet="a {}\"'\\;#$\n[=]%_", max_size=60))
def test_any_text_gives_words_inside_it(text: str) -> None:
    source = Source("/n", text)
    pending = list(parse(source).directives)
    while pending:
        directive = pending.pop()
        pending += directive.block or ()
        for word in directive.words:
            assert (1, 1) <= (word.at.line, word.at.column) <= (word.at.end_line, word.at.end_column)


@given(st.lists(st.text(alphabet="ab{};\"'\\ $#\t", max_size=6), min_size=1, max_size=4))
def test_quoted_words_come_back_as_they_were(words: list[str]) -> None:
    quoted = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    (directive,) = parse(Source("/n", f"name {quoted};")).directives

    assert words == [word.text for word in directive.args]


@given(st.text(st.sampled_from(" \t\n;{}#%ab$\"'\\"), max_size=24))
def test_an_item_of_plain_words_is_read_as_any_item_is(text: str) -> None:
    plain, item = _PLAIN_ITEM.match(text), _ITEM.match(text)

    assert plain is None or (item is not None and (plain.span(), plain.groups()) == (item.span(), item.groups()))
