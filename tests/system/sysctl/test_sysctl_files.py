"""Which files count, in which order: measured with systemd-sysctl 252 and procps 4.0.2."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.source import Span
from portwright.system.sysctl.settle import boot_files, settle
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from tests.system.sysctl.hosts import PROBE, PROBE_DEFAULT, assignment, sysctl, values

FOUR = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")


@pytest.mark.parametrize("present", [FOUR, FOUR[1:], FOUR[2:], FOUR[3:]], ids=lambda present: present[0])
def test_of_files_with_one_name_etc_beats_run_beats_usr_local_lib_beats_usr_lib(present: tuple[str, ...]) -> None:
    host = {f"{directory}/10-a.conf": f"{PROBE} = {number}\n" for number, directory in enumerate(present, 10)}

    assert ("10", "10") == values(host)


def test_lib_counts_last_where_it_is_a_directory_of_its_own() -> None:
    host = {"/lib/sysctl.d/10-a.conf": f"{PROBE} = 20\n", "/usr/lib/sysctl.d/10-a.conf": f"{PROBE} = 10\n"}

    assert ("10", "10") == values(host)
    assert ("20", "20") == values({"/lib/sysctl.d/10-a.conf": f"{PROBE} = 20\n"})


def test_a_linked_lib_is_read_once() -> None:
    host = {"/lib": "-> usr/lib", "/usr/lib/sysctl.d/10-a.conf": f"{PROBE} = 10\n"}

    assert ["/usr/lib/sysctl.d/10-a.conf"] == list(boot_files(Files(MemoryTree(host))))


def test_masking_is_for_the_whole_file_other_keys_in_it_included() -> None:
    host = {"/etc/sysctl.d/10-a.conf": "net.ipv4.tcp_timestamps = 0\n", "/usr/lib/sysctl.d/10-a.conf": f"{PROBE} = 20\n"}

    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values(host)
    masked = assignment(host, "/usr/lib/sysctl.d/10-a.conf")
    assert "ignored" == masked.outcome
    assert "/etc/sysctl.d/10-a.conf has the same name and replaces the file /usr/lib/sysctl.d/10-a.conf" == masked.reason
    assert [("20", masked.reason)] == [(overridden.value, overridden.reason) for overridden in sysctl(host).overridden]


@pytest.mark.parametrize(
    ("loser", "winner"),
    [
        ("/etc/sysctl.d/10-a.conf", "/usr/lib/sysctl.d/90-a.conf"),
        ("/etc/sysctl.d/10-a.conf", "/usr/lib/sysctl.d/9-a.conf"),
        ("/etc/sysctl.d/Za.conf", "/etc/sysctl.d/aa.conf"),
        ("/etc/sysctl.d/50-a.conf", "/etc/sysctl.d/50.conf"),
        ("/etc/sysctl.d/z.conf", "/etc/sysctl.d/é.conf"),
    ],
)
def test_files_of_different_names_are_ordered_by_the_bytes_of_the_name_whatever_the_directory(loser: str, winner: str) -> None:
    assert ("2", "2") == values({loser: f"{PROBE} = 1\n", winner: f"{PROBE} = 2\n"})


@pytest.mark.parametrize(
    ("mask", "why"), [("-> /dev/null", "is a link to /dev/null and masks"), ("-> ../nowhere", "is a dangling link to")]
)
def test_a_link_to_dev_null_and_a_dangling_link_mask_the_vendors_file(mask: str, why: str) -> None:
    host = {"/etc/sysctl.d/10-a.conf": mask, "/usr/lib/sysctl.d/10-a.conf": f"{PROBE} = 20\n"}

    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values(host)
    assert why in assignment(host, "/usr/lib/sysctl.d/10-a.conf").reason


def test_an_empty_file_masks_the_vendors_file() -> None:
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({"/run/sysctl.d/a.conf": "", "/usr/lib/sysctl.d/a.conf": f"{PROBE} = 20\n"})


def test_a_directory_named_like_a_file_masks_it_too_and_is_told() -> None:
    files = Files(MemoryTree({"/etc/sysctl.d/a.conf/x": "", "/usr/lib/sysctl.d/a.conf": f"{PROBE} = 20\n"}))

    assert PROBE_DEFAULT == next(one.boot for one in settle(files).sysctls if one.key == PROBE)
    assert ["/etc/sysctl.d/a.conf"] == [unreadable.at.path for unreadable in files.unreadable]


def test_sysctl_conf_is_read_at_boot_through_debians_link_only() -> None:
    linked = {"/etc/sysctl.conf": f"{PROBE} = 20\n", "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf"}
    alone = {"/etc/sysctl.conf": f"{PROBE} = 20\n"}

    assert ("20", "20") == values(linked)
    assert (PROBE_DEFAULT, "20") == values(alone)
    assert "systemd-sysctl reads /etc/sysctl.conf only where a link in sysctl.d leads to it" == assignment(alone, "/etc/sysctl.conf").reason


def test_spans_into_a_linked_file_name_the_file_a_person_would_edit() -> None:
    host = {"/etc/sysctl.conf": f"# x\n{PROBE} = 20\n", "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf"}

    assert Span("/etc/sysctl.conf", 2, 1, 2, 30) == sysctl(host).at


def test_a_later_name_than_99_sysctl_conf_wins_at_boot_and_loses_to_sysctl_conf_on_reload() -> None:
    host = {
        "/etc/sysctl.conf": f"{PROBE} = 20\n",
        "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
        "/etc/sysctl.d/99-zz.conf": f"{PROBE} = 30\n",
    }
    found = sysctl(host)

    assert ("30", "20") == (found.boot, found.reload)
    assert ("/etc/sysctl.d/99-zz.conf", "/etc/sysctl.conf") == (found.at.path, found.reload_at.path)
    assert ["/etc/sysctl.d/99-zz.conf:1:1 replaces it; sysctl --system leaves it in force"] == [
        overridden.reason for overridden in found.overridden
    ]


@pytest.mark.parametrize("name", ["98-local.conf", "99-a.conf"])
def test_an_earlier_name_loses_to_sysctl_conf_in_both(name: str) -> None:
    host = {
        "/etc/sysctl.conf": f"{PROBE} = 20\n",
        "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
        f"/etc/sysctl.d/{name}": f"{PROBE} = 30\n",
    }

    assert ("20", "20") == values(host)


@pytest.mark.parametrize("name", ["10-a.conf.bak", "10-a.txt", "10-a", "10-a.CONF", "sub.d/10-a.conf"])
def test_a_name_without_conf_and_a_subdirectory_are_not_read_by_either(name: str) -> None:
    assert (PROBE_DEFAULT, PROBE_DEFAULT) == values({f"/etc/sysctl.d/{name}": f"{PROBE} = 20\n"})


def test_a_setting_in_a_file_without_conf_says_why_it_is_not_in_force() -> None:
    host = {"/etc/sysctl.d/10-a.conf.bak": f"{PROBE} = 20\nsome words = 3\n"}

    assert [("20", "/etc/sysctl.d/10-a.conf.bak is not read, its name does not end in .conf")] == [
        (overridden.value, overridden.reason) for overridden in sysctl(host).overridden
    ]
    assert "ignored" == assignment(host, "/etc/sysctl.d/10-a.conf.bak").outcome


def test_a_hidden_file_is_skipped_at_boot_and_read_on_reload() -> None:
    host = {"/etc/sysctl.d/.hidden.conf": f"{PROBE} = 20\n"}

    assert (PROBE_DEFAULT, "20") == values(host)
    assert "systemd-sysctl skips /etc/sysctl.d/.hidden.conf, a hidden file" == assignment(host, "/etc/sysctl.d/.hidden.conf").reason


def test_where_no_file_sets_a_key_nothing_is_invented_for_a_credential_or_the_kernel_command_line() -> None:
    found = sysctl({"/proc/cmdline": f"sysctl.{PROBE}=20", "/run/credentials/systemd-sysctl.service/sysctl.extra": f"{PROBE}=20"})

    assert (PROBE_DEFAULT, True, "kernel.conf") == (found.boot, found.is_default, found.at.path)


# ── the order of files as systemd itself lists it ────────────────────────────────────────────────────────────────────

_NAMES = st.one_of(
    st.sampled_from(
        ["10-a.conf", "9-a.conf", "50.conf", "50-a.conf", "Za.conf", "aa.conf", ".hidden.conf", "x.txt", "a.conf.bak", ".conf"]
    ),
    st.text("aZ0-_.é", min_size=1, max_size=4).filter(lambda name: name not in (".", "..")).map(lambda name: f"{name}.conf"),
)
_FILES = st.dictionaries(
    st.builds("{}/{}".format, st.sampled_from((*FOUR, "/lib/sysctl.d")), _NAMES),
    st.sampled_from(["k = 1\n", "", "-> /dev/null", "-> /etc/other"]),
    max_size=12,
)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(_FILES)
def test_files_are_read_in_the_order_in_which_systemd_analyze_cat_config_lists_them(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    root = tmp_path_factory.mktemp("root")
    tree = {"/etc/other": "k = 1\n", "/usr/lib/other": "", **files}
    for path, content in tree.items():
        where = Path(f"{root}{path}")
        where.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            target = content[3:] if content == "-> /dev/null" else f"{root}{content[3:]}"
            where.symlink_to(target)
        else:
            where.write_text(content)
    command = ["systemd-analyze", f"--root={root}", "cat-config", "sysctl.d"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False, env={"SYSTEMD_COLORS": "0", "SYSTEMD_URLIFY": "0"}).stdout

    assert re.findall(f"(?m)^# {re.escape(str(root))}(/.*)$", listed) == list(boot_files(Files(MemoryTree(tree))))
