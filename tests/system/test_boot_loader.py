"""What the kernel is told at boot, by the boot loader's files and by its command line."""

import pytest

from portwright.system.host_files.boot_loader import boot_words
from portwright.system.host_files.captures import captured, without_ipv6
from portwright.system.sysctl.settle import settle
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ENTRY = "title Fedora\nlinux /vmlinuz\noptions root=/dev/vda1 ro ipv6.disable=1 $extra\n"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"/etc/default/grub": 'GRUB_CMDLINE_LINUX="quiet ipv6.disable=1"\n'}, "/etc/default/grub:1:27"),
        ({"/etc/default/grub": "GRUB_CMDLINE_LINUX_DEFAULT=ipv6.disable=1\n"}, "/etc/default/grub:1:28"),
        (
            {
                "/etc/default/grub": 'GRUB_CMDLINE_LINUX="quiet"\n',
                "/etc/default/grub.d/50.cfg": 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ipv6.disable=1"\n',
            },
            "/etc/default/grub.d/50.cfg:1:41",
        ),
        ({"/boot/loader/entries/a.conf": ENTRY}, "/boot/loader/entries/a.conf:3:27"),
        ({"/etc/kernel/cmdline": "quiet ipv6.disable=1\n"}, "/etc/kernel/cmdline:1:7"),
    ],
)
def test_the_boot_loader_says_that_the_kernel_goes_without_ipv6(files: dict[str, str], place: str) -> None:
    assert place == str(without_ipv6(boot_words(Files(MemoryTree(files)))))


@pytest.mark.parametrize(
    "files",
    [
        {"/etc/default/grub": '#GRUB_CMDLINE_LINUX="ipv6.disable=1"\n'},
        {"/etc/default/grub": 'GRUB_CMDLINE_LINUX="ipv6.disable=1"\nGRUB_CMDLINE_LINUX="quiet"\n'},
        {"/boot/loader/entries/a.conf": ENTRY, "/boot/loader/entries/b.conf": "options ro\n"},
    ],
    ids=["a remark", "a later line", "one entry of two"],
)
def test_otherwise_it_has_ipv6(files: dict[str, str]) -> None:
    assert without_ipv6(boot_words(Files(MemoryTree(files)))) is None


def test_a_sysctl_of_the_command_line_holds_until_a_file_sets_it() -> None:
    line = {"/.portwright/cmdline": "quiet sysctl.net.ipv4.tcp_tw_reuse=1 sysctl.net/core/somaxconn=77\n"}
    read = Files(MemoryTree({**line, "/etc/sysctl.d/a.conf": "net.core.somaxconn = 99\n"}))
    found = {each.key: each for each in settle(read, kernel_words=captured(read).cmdline or ()).sysctls}

    assert ("1", "/.portwright/cmdline:1:7") == (found["net.ipv4.tcp_tw_reuse"].boot, str(found["net.ipv4.tcp_tw_reuse"].at))
    assert "99" == found["net.core.somaxconn"].boot
