"""Files of nothing but secrets are never opened, whoever names them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.source import Span, Unreadable
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from portwright.trees.tree import _SECRET_FILES, _SECRET_WORDS


class Unopened(MemoryTree):
    """A tree that fails the test when a file is opened."""

    def read(self, path: str) -> bytes | None:
        raise AssertionError(f"{path} was opened")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/shadow-",
        "/etc/gshadow",
        "/etc/security/opasswd",
        "/etc/krb5.keytab",
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/ssl/private/web.pem",
        "/etc/nginx/tls/web.key",
        "/root/.ssh/id_rsa",
        "/home/a/.ssh/authorized_keys",
        "/opt/app/store.jks",
    ],
)
def test_a_file_of_secrets_is_not_opened_and_that_is_said(path: str) -> None:
    files = Files(Unopened({path: "secret\n", "/etc/link.conf": f"-> {path}"}))

    assert (None, None, b"") == (files.read(path), files.read("/etc/link.conf"), files.head(path))
    reason = "it contains secrets, so it is not read"
    assert (Unreadable(Span.whole("/etc/link.conf"), reason), Unreadable(Span.whole(path), reason)) == tuple(
        sorted(files.unreadable, key=lambda trouble: trouble.at.path != "/etc/link.conf")
    )


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc/ssh/sshd_config", "/etc/ssh/ssh_host_ed25519_key.pub", "/root/.ssh/config", "/etc/nginx/conf.d/key.conf"]
)
def test_a_file_beside_them_is_read(path: str) -> None:
    assert Files(MemoryTree({path: "text\n"})).read(path) is not None


def test_a_missing_file_of_secrets_is_no_trouble() -> None:
    files = Files(MemoryTree({}))

    assert (None, ()) == (files.read("/etc/shadow"), files.unreadable)


@given(st.from_regex(re.compile(_SECRET_FILES.pattern, re.DOTALL), fullmatch=True))
def test_every_path_of_a_file_of_secrets_has_a_word_of_them(path: str) -> None:
    assert _SECRET_WORDS.search(path) is not None
