"""Jinja is filled in as Ansible does, as far as it is known; nothing is looked up, and what would take long is stopped and named."""

from typing import Any

import pytest

from portwright.repositories.deployers.ansible.filters import FILTERS, TESTS
from portwright.repositories.deployers.ansible.inventory import Inventory, read
from portwright.repositories.deployers.ansible.jinja import FAILURES, Engine, TooMuch
from portwright.repositories.deployers.ansible.unknown import MISSING, UNKNOWN, is_unknown
from portwright.repositories.reading import read_repository
from portwright.trees.repository import RepositoryInMemory

KNOWN: dict[str, Any] = {
    "port": 8080,
    "name": "desk",
    "ports": [80, 443],
    "sites": [{"name": "a", "port": 1}, {"name": "b"}],
    "kernel": {"net.core.somaxconn": 4096},
    "release": "2.27.0",
    "fact": UNKNOWN,
}


def engine() -> Engine:
    made = Engine(FILTERS, TESTS)
    made.ask = lambda name: KNOWN.get(name, MISSING)
    return made


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ port }}", 8080),
        ("listen {{ port + 1 }};", "listen 8081;"),
        ("{{ nobody | default(3) }}", 3),
        ("{{ name | upper }}-{{ ports | join(',') }}", "DESK-80,443"),
        ("{{ kernel | dict2items }}", [{"key": "net.core.somaxconn", "value": 4096}]),
        ("{{ kernel | combine({'net.core.somaxconn': 1}) }}", {"net.core.somaxconn": 1}),
        ("{{ sites | selectattr('port', 'defined') | map(attribute='name') | list }}", ["a"]),
        ("{{ sites | map(attribute='name') | join('+') }}", "a+b"),
        ("{{ release is version('2.24', '>=') }}", True),
        ("{{ name | regex_replace('^d(.*)$', '\\\\1') }}", "esk"),
        ("{{ nobody is defined and nobody.port > 3 }}", False),
        ("{{ ports | length > 1 and 80 in ports }}", True),
        ("{% if name == 'desk' %}a{% else %}b{% endif %}", "a"),
        ("{% set found = [] %}{% for each in ports %}{% set _ = found.append(each) %}{% endfor %}{{ found | sum }}", "523"),
        ("{% set box = namespace(last=0) %}{% for each in ports %}{% set box.last = each %}{% endfor %}{{ box.last }}", "443"),
        ("{{ fact and false }}", False),
        ("{{ fact or true }}", True),
        ("{{ 'yes' | bool | ternary('on', 'off') }}", "on"),
    ],
)
def test_what_is_known_is_filled_in(text: str, value: object) -> None:
    assert value == engine().value(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ nobody }}",
        "{{ fact }}",
        "{{ fact | default(80) }}",
        "{{ fact.os.family == 'Debian' }}",
        "{{ not fact }}",
        "{{ 80 if fact else 81 }}",
        "{{ port if fact else nobody }}",
        "{{ fact in ports }}",
        "{{ fact is defined }}",
        "{{ lookup('env', 'HOME') }}",
        "{{ query('file', '/etc/passwd') }}",
        "{{ name | a_filter_of_somebody }}",
        "{{ name is a_test_of_somebody }}",
        "{{ name.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ports.__init__.__globals__ }}",
        "{{ range.__self__ }}",
        "{{ fact | int + 1 }}",
    ],
)
def test_what_nobody_knows_stays_unknown(text: str) -> None:
    assert is_unknown(engine().value(text))


def test_a_text_of_both_branches_is_unknown_where_it_is_a_value() -> None:
    assert "port �" == engine().value("port {% if fact %}80{% endif %}")


def test_of_an_undecided_branch_each_line_is_written_and_marked() -> None:
    text = "a\n{% if fact %}\nb\n{% elif name == 'desk' %}\nc\n{% else %}\nd\n{% endif %}\ne\n"

    assert [("a", 1, True), ("b", 3, False), ("c", 5, False), ("e", 9, True)] == [
        (each.text, each.number, each.is_sure) for each in engine().lines(text)
    ]


def test_of_a_loop_over_what_nobody_knows_one_turn_is_written() -> None:
    text = "{% for name, port in nobody.items() %}\nlisten {{ port }};\nserver {{ loop.index }};\n{% endfor %}\n"

    assert [("listen �;", False), ("server 1;", False)] == [(each.text, each.is_sure) for each in engine().lines(text)]


def test_a_line_has_the_number_that_it_has_in_the_template() -> None:
    macro = "{# said\n twice #}\n{% macro site(port) %}\n listen {{ port }};\n{% endmacro %}\n"
    text = macro + "{% for each in ports %}\n {{ site(each) }}\n{% endfor %}\n"
    found = [(each.text, each.number) for each in engine().lines(text) if "listen" in each.text]

    assert [("  listen 80;", 4), ("  listen 443;", 4)] == found


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{{ range(10 ** 9) | list }}",
        "{{ 'a' * 10 ** 9 }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%1000000000d' % 1 }}",
        "{% set a = 'x' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = [1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
        "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
        "{{ name.replace('', 'x' * 100000).replace('x', 'y' * 100000) }}",
        "{{ 'a' | center(10 ** 9) }}",
        "{{ 'a' | indent(10 ** 9) }}",
        "{{ ('a\\n' * 100000) | indent('x' * 200000) }}",
        "{{ ('a\\n' * 100000) | comment('plain', decoration='x' * 200000) }}",
        "{{ [1] | batch(10 ** 9, 'x') | list }}",
        "{{ 1.5 | round(10 ** 9, 'ceil') }}",
        "{{ ['x' * 200000] * 60000 }}",
        "{{ ['x' * 200000] * 60000 | string }}",
        "{{ (['x' * 200000] * 60000) | to_json }}",
        "{{ (['x' * 200000] * 60000) | to_yaml }}",
        "{% set a = 'x' * 200000 %}{{ '%s' * 2000 % (" + "a," * 2000 + ") }}",
        "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
        "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' is match('(a+)+$') }}",
        "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | regex_replace('a*a*a*a*a*a*b', '') }}",
        "{% for a in ports recursive %}{{ loop(ports) }}{% endfor %}",
    ],
)
def test_what_takes_long_is_stopped(text: str) -> None:
    try:
        found = engine().value(text)
    except (TooMuch, *FAILURES):
        return
    assert is_unknown(found) or len(str(found)) < 1 << 18


@pytest.mark.parametrize(
    "template", ["{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}\n", "net.core.somaxconn = {{ a }}\n" * 4_097]
)
def test_a_template_that_takes_too_long_is_named(template: str) -> None:
    files: dict[str, str | bytes] = {
        "/roles/web/tasks/main.yml": "- template: {src: a.conf, dest: /etc/sysctl.d/a.conf}\n",
        "/roles/web/templates/a.conf": template,
    }

    (host,) = read_repository(RepositoryInMemory(files), "repo")

    assert ["roles/web/templates/a.conf: its template takes too much work to be filled in"] == [
        f"{each.at.path}: {each.reason}" for each in host.unreadable
    ]


def test_what_files_of_several_systems_say_differently_is_unknown() -> None:
    """Which of three files is meant hangs on the host, and two of three agree in nothing."""
    files: dict[str, str | bytes] = {
        "/roles/web/tasks/main.yml": (
            "- include_vars: '{{ ansible_os_family }}.yml'\n"
            "- sysctl: {name: net.core.somaxconn, value: '{{ backlog }}'}\n"
            "- sysctl: {name: net.ipv4.tcp_fin_timeout, value: '{{ wait }}'}\n"
        ),
        **{f"/roles/web/vars/{name}.yml": f"backlog: {number}\nwait: 15\n" for number, name in enumerate(("Debian", "RedHat", "Suse"), 1)},
    }

    (host,) = read_repository(RepositoryInMemory(files), "repo")

    known = {each.key: (each.boot, each.confidence) for each in host.sysctls if not each.is_default}
    assert {"net.core.somaxconn": ("�", "possible"), "net.ipv4.tcp_fin_timeout": ("15", "certain")} == known


def test_of_lines_that_hang_together_the_first_branch_is_written() -> None:
    """A unit with the ExecStart of each system would be one that systemd refuses."""
    text = (
        "{% if fact.family == 'Debian' %}\na\n{% endif %}\n{% if fact.family == 'RedHat' %}\nb\n{% else %}\nc\n{% endif %}\n"
        "{% if fact.family == 'Debian' %}\nd\n{% endif %}\n"
    )

    assert ["a", "c", "d"] == [each.text for each in engine().lines(text, is_whole=True)]
    assert ["a", "b", "c", "d"] == [each.text for each in engine().lines(text)]


def test_a_template_that_includes_itself_ends() -> None:
    made = engine()
    made.find = lambda _: "{% include 'a' %}{% include 'a' %}"

    with pytest.raises((TooMuch, *FAILURES)):
        made.lines("{% include 'a' %}")


def test_variables_of_aliases_of_aliases_are_no_variables() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    files: dict[str, str | bytes] = {
        "/roles/web/defaults/main.yml": f"{laughs}port: 40000\n",
        "/roles/web/tasks/main.yml": (
            "- debug: {msg: '{{ a11 }}'}\n"
            '- copy: {dest: /etc/systemd/system/a.service, content: "[Service]\\nExecStart=/bin/python3 -m http.server {{ port }}\\n"}\n'
        ),
    }

    (host,) = read_repository(RepositoryInMemory(files), "repo")

    assert [] == [each.port for each in host.listeners if each.port == 40000]
    assert ["roles/web/defaults/main.yml"] == [each.at.path for each in host.unreadable]


def test_a_line_of_an_included_template_points_at_that_one() -> None:
    files: dict[str, str | bytes] = {
        "/roles/web/tasks/main.yml": "- template: {src: nginx.conf.j2, dest: /etc/nginx/nginx.conf}\n",
        "/roles/web/templates/nginx.conf.j2": "events {}\nhttp {\n{% include 'sites/one.j2' %}\n}\n",
        "/roles/web/templates/sites/one.j2": "server {\n{% for port in [40000] %}\n  listen {{ port }};\n{% endfor %}\n}\n",
    }

    (host,) = read_repository(RepositoryInMemory(files), "repo")

    assert [("roles/web/templates/sites/one.j2", 3, 40000)] == [(each.at.path, each.at.line, each.port) for each in host.listeners]


def test_hosts_with_many_ranges_and_groups_in_many_groups_are_read_in_little_time() -> None:
    inventory = Inventory()
    read("hosts", "[web]\nweb[0:4999][0:4999][0:4999]\n", inventory)
    assert len(inventory.hosts) == 5_000

    inventory = Inventory()
    read("hosts", "[web]\nweb" + "[0:1]" * 2_000 + "\nweb[1:2]-[a:b]\nweb[a:2x]\n", inventory)
    assert ["web1-a", "web1-b", "web2-a", "web2-b", "web[a:2x]"] == [*inventory.hosts][1:]

    inventory = Inventory()
    chain = "".join(f"[g{number + 1}:children]\ng{number}\n" for number in range(2_000))
    read("hosts", "[g0]\n" + "".join(f"h{number}\n" for number in range(200)) + chain, inventory)
    assert {2_002} == {len(groups) for _, groups in inventory.groups_of_hosts()}
