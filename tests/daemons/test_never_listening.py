"""The list of programs that never listen: what a run scans is what YAML says, and nothing in it is a daemon that is read."""

from pathlib import Path

import yaml

from portwright.daemons import daemons
from portwright.daemons._engine.never_listening import PATH, never_listens, programs
from tests.daemons.by_hand import host_of


def test_what_is_scanned_is_what_yaml_says() -> None:
    groups = yaml.safe_load(Path(PATH).read_text())
    every = [name for group in groups for name in group["programs"]]

    assert sorted(every) == sorted(programs())
    for group in groups:
        known = programs()[group["programs"][0]]
        assert group["why"] == known.why
        assert (tuple(group.get("unless-files", ())), group.get("unless-text", "")) == (known.unless_files, known.unless_text)


def test_no_daemon_that_is_read_is_among_them() -> None:
    assert set() == {program for daemon in daemons() for program in daemon.programs} & programs().keys()


def test_only_where_packages_install_does_a_name_count() -> None:
    files = host_of({})

    assert never_listens("/usr/lib/polkit-1/polkitd", files)
    assert never_listens("/etc/init.d/nova-compute", files)
    assert not never_listens("/usr/local/bin/polkitd", files)
    assert not never_listens("/usr/bin/somebodys-own", files)
