"""What a text speaks of: lines that set something up count, remarks and what only asks, tells or starts again do not."""

import pytest

from portwright.repositories.not_read import kind_of, spoken_of


@pytest.mark.parametrize(
    ("line", "spoken"),
    [
        ("sysctl -w net.core.somaxconn=1", {"kernel"}),
        ("# sysctl -w net.core.somaxconn=1", set()),
        ("  // listen on port: 8080", set()),
        ("sysctl -p", set()),
        ("sysctl --system; sysctl -w net.ipv4.ip_forward=1", {"kernel"}),
        ("systemctl enable web", {"units"}),
        ("if systemctl --user is-active web; then", set()),
        ("sudo systemctl daemon-reload && systemctl restart web", set()),
        ("systemctl restart web && systemctl enable web", {"units"}),
        ("  listen: Restart etcd", set()),
        ("  listen: 8080", {"ports"}),
        ("Label=traefik.http.services.web.loadbalancer.server.port=3000", set()),
        ("PublishPort=3000:3000", {"ports"}),
    ],
)
def test_a_line_speaks_of(line: str, spoken: set[str]) -> None:
    assert spoken == {name for _, name in spoken_of(f"{line}\n")}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("---\n# all\n- hosts: all\n  roles: [web]\n", "ansible"),
        ("- name: a\n  hosts: web\n  tasks: []\n", "ansible"),
        ("ingress:\n  hosts: [a.example]\nservice:\n  port: 80\n", None),
        ("a: 1\nb:\n  ansible.builtin.copy: {}\n", "ansible"),
    ],
)
def test_a_playbook_is_a_list_and_a_charts_values_are_none(text: str, kind: str | None) -> None:
    assert kind == kind_of("web/values.yaml", "yaml", text)
