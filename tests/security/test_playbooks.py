"""Plans for a hostile host: its words stand in the vars file, in no task, and only under names that can stand there."""

import json
import re
from pathlib import Path

import pytest
import yaml

from portwright.cli import main
from portwright.shipped import folder
from tests.hostile.program import enabled, lay

PAYLOADS = (
    "{{ lookup('pipe','touch run') }}", "{% raw %}{{ 1 }}{% endraw %}", "{% endraw %}{{ 7 }}", "{# gone #}",
    "}}{{", "!unsafe x", "yes", "010",
    "a[1:200000]", "all:!x", "web1 ansible_connection=local", "-v", "../../x", "two\\nlines",
)  # fmt: skip


def _planned(root: Path, place: Path) -> dict[str, str]:
    place.mkdir()
    assert main(["fix", "-o", str(place / "plan.yml"), str(root)]) in (0, 1, 3)
    return {path.name: path.read_text() for path in place.iterdir()}


def _host(place: Path, payload: str = "web1") -> Path:
    unit = f'[Service]\nUser=svc\nEnvironment="X={payload}"\nDescription={payload}\nExecStart=/opt/app --port 81 "{payload}"\n'
    return lay(
        place,
        {
            "etc/hostname": f"{payload}\n",
            "etc/systemd/system/web.service": unit,
            "etc/systemd/system/nginx.service": "[Service]\nExecStart=/usr/sbin/nginx\n",
            "etc/nginx/nginx.conf": f'# {payload}\nhttp {{ server {{ listen 40000; server_name "{payload}"; }} }}\n',
            **enabled("web.service"),
            **enabled("nginx.service"),
        },
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_cases_56_to_59_and_62_a_host_changes_the_vars_file_and_nothing_else(payload: str, tmp_path: Path) -> None:
    plain, hostile = _planned(_host(tmp_path / "a"), tmp_path / "1"), _planned(_host(tmp_path / "b", payload), tmp_path / "2")

    assert {"plan.yml", "plan.vars.json", "plan.rollback.yml"} == plain.keys() == hostile.keys()
    assert ["plan.vars.json"] == sorted(name for name in plain if plain[name] != hostile[name])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_cases_56_and_58_every_string_of_the_vars_is_marked_as_no_template(payload: str, tmp_path: Path) -> None:
    said = json.loads(_planned(_host(tmp_path / "h", payload), tmp_path / "1")["plan.vars.json"])

    def bare(value: object) -> list[str]:
        if isinstance(value, dict):
            return [] if value.keys() == {"__ansible_unsafe"} else [text for item in value.values() for text in bare(item)]
        return [text for item in value for text in bare(item)] if isinstance(value, list) else [value] if isinstance(value, str) else []

    assert [] == bare(said)


def test_cases_57_61_63_and_64_the_text_of_a_plan_has_no_raw_block_no_shell_and_no_pattern(tmp_path: Path) -> None:
    made = _planned(_host(tmp_path / "h"), tmp_path / "1")

    for text in (made["plan.yml"], made["plan.rollback.yml"]):
        assert not re.search(r"{%-?\s*(?:raw|endraw)|ansible\.builtin\.(?:shell|raw|script|lineinfile|replace)|regexp", text)
        comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
        assert "web" not in " ".join(comments).lower().replace("ansible-playbook", "")


@pytest.mark.parametrize("value", ["a\x85b", "a\rb", "a\x0bb", "a\\x0ab"])
def test_case_60_a_value_cannot_write_a_second_line(value: str, tmp_path: Path) -> None:
    root = _host(tmp_path / "h")
    (root / "etc/sysctl.d").mkdir()
    (root / "etc/sysctl.d/1.conf").write_text(f"net.ipv4.ip_local_reserved_ports = 9{value}\n")
    made = _planned(root, tmp_path / "1")

    content = json.loads(made["plan.vars.json"])["portwright_sysctl_files"][0]["content"]["__ansible_unsafe"]
    assert "net.ipv4.ip_local_reserved_ports = " in content
    assert [] == [line for line in content.split("\n") if line and not re.fullmatch(r"#.*|net\.[\w./-]+ = [\d, -]+", line)]


def test_case_65_the_same_host_gives_the_same_bytes(tmp_path: Path) -> None:
    root = _host(tmp_path / "h")

    assert _planned(root, tmp_path / "1") == _planned(root, tmp_path / "2")


def test_case_54_backups_lie_in_a_folder_of_roots_own() -> None:
    made, *rest = yaml.safe_load(Path(folder("playbooks"), "backup.yml").read_text("utf-8"))
    last = rest[-1]["ansible.builtin.file"]

    own = {"owner": "root", "group": "root"}
    assert {"path": "{{ portwright_backup }}", "state": "directory", "mode": "0700"} | own == made["ansible.builtin.file"]
    assert {"path": "{{ item.item.backup }}", "mode": "0600"} | own == last
