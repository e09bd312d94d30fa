"""Lines of daemons' configs edited: what they say then, every other byte as it was, and which line stands in the way where they are not."""

import json
import random
from hashlib import sha256

import pytest

from portwright._start.records import replace
from portwright.changes import ContradictionError
from portwright.changes.config_step import ConfigStep
from portwright.changes.rewritten import rewritten
from portwright.fixes.ansible import Before, playbook, templates
from portwright.fixes.plan import Plan, plan
from portwright.fixes.policy import FixPolicy
from portwright.shipped import playbooks_directory
from portwright.source import Rewrite, Source
from portwright.trees.memory import MemoryTree
from portwright.trees.overlay import OverlayTree
from tests.fixes.on_a_copy import PROXY, all_rules, checked, plan_for, reasons, service

CONF = "/etc/nginx/conf.d/app.conf"
NGINX = {
    **service("nginx.service", "/usr/sbin/nginx -g 'daemon off;'"),
    "/etc/nginx/nginx.conf": "events {\n}\nhttp {\n    include /etc/nginx/conf.d/*.conf;\n}\n",
}


def nginx(text: str, version: str = "1.22.1-9") -> dict[str, str]:
    return {**NGINX, CONF: text, "/.portwright/packages": f"nginx {version}\n"}


def edited(text: str, version: str = "1.22.1-9") -> str:
    return plan_for(nginx(text, version), review=True).edits.get(CONF, text)


def why(text: str) -> str:
    return reasons(plan_for(nginx(text), review=True))["nginx-upstream-without-keepalive"]


# ── nginx ──


def test_each_place_that_uses_an_upstream_keeps_its_connections() -> None:
    before = """\
upstream api {
    least_conn;
    server 10.0.0.5:8080;  # the first
}
map $http_upgrade $upgrade { default upgrade; '' close; }
server {
    listen 80;
    proxy_set_header Host $host;
    location / {
        proxy_pass http://api;
    }
    location /old { proxy_pass http://api; proxy_http_version 1.0; }
    location /ws {
        proxy_set_header Connection $upgrade;
        proxy_pass http://api;
    }
}
"""
    after = """\
upstream api {
    least_conn;
    server 10.0.0.5:8080;  # the first
    keepalive 32;
}
map $http_upgrade $upgrade { default upgrade; '' ""; }
server {
    listen 80;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    location / {
        proxy_http_version 1.1;
        proxy_pass http://api;
    }
    location /old { proxy_pass http://api; proxy_http_version 1.1; }
    location /ws {
        proxy_set_header Connection $upgrade;
        proxy_http_version 1.1;
        proxy_pass http://api;
    }
}
"""
    assert after == edited(before)


def test_line_ends_tabs_and_a_last_line_without_one_stay_as_they_are() -> None:
    before = "upstream a {\r\n\tserver 10.0.0.5:80;\r\n}\r\nserver {\r\n\tlocation / {\r\n\t\tproxy_pass http://a; # é\r\n\t}\r\n}"
    after = (
        "upstream a {\r\n\tserver 10.0.0.5:80;\r\n\tkeepalive 32;\r\n}\r\nserver {\r\n\tlocation / {\r\n\t\tproxy_http_version 1.1;\r\n"
        '\t\tproxy_set_header Connection "";\r\n\t\tproxy_pass http://a; # é\r\n\t}\r\n}'
    )
    assert after == edited(before)


def test_a_release_that_keeps_connections_by_itself_is_told_only_what_stands_against_it() -> None:
    said = "upstream a { server 10.0.0.5:80; }\nserver { location / { proxy_http_version 1.0; proxy_pass http://a; } }\n"

    assert said.replace("1.0;", "1.1;", 1) == edited(said, "1.29.7").replace("10.0.0.5:81", "")
    assert 'proxy_set_header Connection ""' in edited(said)


def test_an_address_that_is_passed_to_becomes_an_upstream_where_the_request_names_another_host() -> None:
    before = "server {\n    location / {\n        proxy_set_header Host $host;\n        proxy_pass http://10.0.0.9:9000/x;\n    }\n}\n"
    after = edited(before)

    assert after.startswith("upstream kept_10.0.0.9_9000 {\n    server 10.0.0.9:9000;\n    keepalive 32;\n}\n\nserver {")
    assert "proxy_pass http://kept_10.0.0.9_9000/x;" in after


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("server { location / { proxy_pass http://10.0.0.9:9000; } }\n", "the request would name the upstream as its host"),
        ("upstream a { server 10.0.0.5:80; }\nserver { location / { uwsgi_pass a; } }\n", f"{CONF}:2:34 passes to it over uwsgi"),
        (
            'upstream a { server 10.0.0.5:80; }\nserver { location / { proxy_set_header Connection "x-y"; proxy_pass http://a; } }\n',
            f"{CONF}:2:23 sets a Connection header of its own",
        ),
        ("server { location / { proxy_pass https://10.0.0.9; } }\n", f"{CONF}:1:34 names the server itself"),
    ],
)
def test_what_stands_in_the_way_of_one_place_leaves_all_of_them(text: str, line: str) -> None:
    assert line in why(text)
    assert text == edited(text)


def test_a_file_that_a_tool_keeps_or_a_package_brought_is_not_edited() -> None:
    said = "upstream a { server 10.0.0.5:80; }\nserver { location / { proxy_pass http://a; } }\n"

    assert f"{CONF} says 'Ansible managed': change the line where it comes from" == why(f"# Ansible managed\n{said}")
    files = {path: text for path, text in nginx(said).items() if path != CONF} | {"/usr/share/nginx/app.conf": said}
    files["/etc/nginx/nginx.conf"] = "events {\n}\nhttp {\n    include /usr/share/nginx/app.conf;\n}\n"
    assert "belongs to a package" in reasons(plan_for(files, review=True))["nginx-upstream-without-keepalive"]


@pytest.mark.parametrize("name", ["$HOME.conf", "${PATH}.conf", "a\x1b.conf", "\udcff.conf"])
def test_a_file_whose_path_ansible_would_take_for_another_is_not_edited(name: str) -> None:
    said = "upstream a { server 10.0.0.5:80; }\nserver { location / { proxy_pass http://a; } }\n"
    files = {path: text for path, text in nginx(said).items() if path != CONF}

    files |= {f"/etc/nginx/conf.d/{name}": said}

    assert "is not a path" in str(reasons(plan_for(files, review=True))) or "is not a line of" in str(reasons(plan_for(files, review=True)))
    assert not plan_for(files, review=True).edits


# ── haproxy, httpd, squid ──


def test_haproxy_loses_the_options_that_close_wherever_they_stand() -> None:
    text = (
        "defaults\n    mode http\n    option httpclose\nfrontend f\n    bind :80\n    option http-server-close # old\n"
        "    default_backend api\nbackend api\n    http-reuse never\n    server a 10.0.0.5:8080 pool-max-conn 0\n"
    )
    made = plan_for({**PROXY, "/etc/haproxy/haproxy.cfg": text}, review=True)

    assert {
        "/etc/haproxy/haproxy.cfg": "defaults\n    mode http\nfrontend f\n    bind :80\n     # old\n    default_backend api\nbackend api\n"
        "    http-reuse safe\n    server a 10.0.0.5:8080 pool-max-conn -1\n"
    } == made.edits
    (step,) = made.steps
    assert "clients that send one request each still open one each" in step.caution(made.host)


def test_a_backend_of_httpd_that_shares_a_macro_is_left_with_the_line() -> None:
    files = {**service("apache2.service", "/usr/sbin/apache2 -DFOREGROUND")}
    conf = "/etc/apache2/apache2.conf"
    lines = ("Listen 80", "ProxyPass /a http://10.0.0.5/ disablereuse=on", "SetEnv proxy-nokeepalive 1", "ProxyPass /f fcgi://10.0.0.6:9000/")
    kept = plan_for({**files, conf: "\n".join(lines)}, review=True)
    macro = plan_for(
        {**files, conf: "Listen 80\n<Macro P $h>\nProxyPass /a http://$h/ disablereuse=on\n</Macro>\nUse P 10.0.0.5\n"}, review=True
    )

    assert [lines[0], "ProxyPass /a http://10.0.0.5/ disablereuse=off", f"{lines[3]} enablereuse=on"] == kept.edits[conf].split("\n")
    assert {} == macro.edits
    assert "what it comes from has to be changed" in reasons(macro)["apache-closes-backend-connections"]


def test_squid_is_told_with_its_own_word() -> None:
    conf = "/etc/squid/squid.conf"
    files = {**service("squid.service", "/usr/sbin/squid -N"), conf: "http_port 3128\nserver_persistent_connections off # x"}

    assert {conf: "http_port 3128\nserver_persistent_connections on # x"} == plan_for(files, review=True).edits


# ── files ──


def test_a_file_behind_a_link_is_written_where_it_lies() -> None:
    said = "upstream a { server 10.0.0.5:80; }\nserver { location / { proxy_pass http://a; } }\n"
    tree = MemoryTree({**nginx(""), CONF: "-> ../sites/app", "/etc/nginx/sites/app": said})
    host, found = checked(tree, all_rules())
    host = replace(host, links={CONF: "/etc/nginx/sites/app"})
    made = plan(host, found, lambda edits: checked(OverlayTree(tree, edits), all_rules()), FixPolicy(review=True))

    assert ["/etc/nginx/sites/app"] == list(made.edits)
    book = json.loads(playbook(made, "p.yml", templates(playbooks_directory()), Before(), allow_restart=False).files["p.vars.json"])
    assert CONF not in str(book["portwright_read"])
    assert [{"__ansible_unsafe": "nginx"}, {"__ansible_unsafe": "-t"}] == book["portwright_config_units"][0]["check"][:2]


def test_a_rewriting_of_random_stretches_leaves_every_other_byte() -> None:
    told = random.Random(12)  # noqa: S311  a test
    for _ in range(300):
        text = "".join(told.choice(["a", "é", " ", "\n", "\r\n", "#", "\t", "\ud800", "𝄞"]) for _ in range(told.randrange(1, 60)))
        source = Source("/etc/x", text)
        cuts = sorted(told.sample(range(len(text) + 1), min(4, len(text) + 1)))
        pairs = [(start, end) for start, end in zip(cuts[::2], cuts[1::2], strict=False)]
        rewrites = [Rewrite(source.span(start, end), "NEW", text[start:end]) for start, end in pairs]
        wanted, done = "", 0
        for start, end in pairs:
            wanted, done = f"{wanted}{text[done:start]}NEW", end
        assert wanted + text[done:] == rewritten(source, told.sample(rewrites, len(rewrites)))
        assert text == rewritten(source, ())


def test_two_changes_of_one_stretch_and_a_stretch_that_is_another_one_contradict() -> None:
    source = Source("/etc/x", "one two\n")
    two = source.span(4, 7)

    with pytest.raises(ContradictionError, match="two changes are about /etc/x:1:5"):
        rewritten(source, (Rewrite(two, "2", "two"), Rewrite(two, "II", "two")))
    with pytest.raises(ContradictionError, match="read as 'three'"):
        rewritten(source, (Rewrite(two, "2", "three"),))
    assert "one 2\n" == rewritten(source, (Rewrite(two, "2", "two"), Rewrite(two, "2", "two")))


def test_configs_of_one_daemon_are_one_step_whatever_the_order_of_the_findings() -> None:
    two = "upstream a { server 10.0.0.5:80; }\nupstream b { server 10.0.0.6:80; }\n"
    text = f"{two}server {{ location / {{ proxy_pass http://a; }} location /b {{ proxy_pass http://b; }} }}\n"
    made: Plan = plan_for(nginx(text), review=True)
    (step,) = made.steps

    assert isinstance(step, ConfigStep)
    assert (2, "reload", "review") == (len(step.words), step.disruption, step.safety)
    assert ("nginx", "-t", "-c", "/etc/nginx/nginx.conf") == step.check
    assert 2 == len(made.fixed)
    assert sha256(made.edits[CONF].encode()).hexdigest() == sha256(edited(text).encode()).hexdigest()
