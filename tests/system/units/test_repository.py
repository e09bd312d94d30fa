"""Units in a repository: wherever they lie they count as deployed, and nothing says what is enabled."""

from portwright.facts import Unit
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

SERVICE = "[Service]\nExecStart=/bin/a\n"
USER = "[Service]\nUser=b\n"


def units(files: dict[str, str], paths: list[str] | None = None) -> list[Unit]:
    return list(load(Files(MemoryTree(files)), repository=True, paths=paths).each)


def test_a_unit_in_any_folder_is_deployed_but_nothing_says_that_it_starts() -> None:
    (found,) = units({"/deploy/a.service": SERVICE})

    assert ("a.service", "loaded", None) == (found.name, found.state, found.starts)
    assert "it is in a repository, where no file states what is enabled" == found.why


def test_a_drop_in_beside_the_unit_applies() -> None:
    (found,) = units({"/deploy/a.service": SERVICE, "/deploy/a.service.d/x.conf": USER})

    assert ("/deploy/a.service", "/deploy/a.service.d/x.conf") == found.files


def test_a_folder_laid_out_like_a_host_is_read_like_one() -> None:
    root = "/roles/web/files"
    (found,) = units(
        {
            f"{root}/usr/lib/systemd/system/a.service": "[Service]\nExecStart=/bin/old\n",
            f"{root}/etc/systemd/system/a.service": SERVICE,
            f"{root}/usr/lib/systemd/system/a.service.d/x.conf": USER,
        }
    )

    assert (f"{root}/etc/systemd/system/a.service", f"{root}/usr/lib/systemd/system/a.service.d/x.conf") == found.files


def test_a_drop_in_elsewhere_applies_to_the_nearest_unit_of_its_name() -> None:
    found = units({"/web/a.service": SERVICE, "/web/overrides/a.service.d/x.conf": USER, "/db/a.service": SERVICE})

    assert [("/db/a.service",), ("/web/a.service", "/web/overrides/a.service.d/x.conf")] == [unit.files for unit in found]


def test_a_drop_in_for_a_packaged_unit_makes_a_missing_one() -> None:
    (found,) = units({"/files/nginx.service.d/x.conf": USER})

    assert ("nginx.service", "missing", ("/files/nginx.service.d/x.conf",)) == (found.name, found.state, found.files)
    assert "the repository contains only drop-ins for it" == found.why


def test_units_of_one_name_in_two_folders_are_two() -> None:
    assert ["/db/a.service", "/web/a.service"] == [unit.at.path for unit in units({"/web/a.service": SERVICE, "/db/a.service": SERVICE})]


def test_a_mask_stays_a_mask() -> None:
    (found,) = units({"/etc/systemd/system/a.service": "-> /dev/null"})

    assert ("masked", None, "it is masked") == (found.state, found.starts, found.why)


def test_files_of_other_kinds_with_the_suffix_are_no_units() -> None:
    files = {
        "/org.a.service": "[D-BUS Service]\nName=org.a\n",
        "/avahi/http.service": "<?xml version='1.0'?>\n<service-group/>\n",
        "/docs/notes.path": "somewhere over the rainbow\n",
        "/home/systemd/user/a.service": SERVICE,
    }

    assert [] == units(files)


def test_only_the_paths_that_are_deployed_count() -> None:
    files = {"/a.service": SERVICE, "/a.service.d/x.conf": USER, "/a.service.d/y.conf": USER, "/examples/b.service": SERVICE}
    found = units(files, ["/a.service", "/a.service.d/y.conf"])

    assert [("/a.service", "/a.service.d/y.conf")] == [unit.files for unit in found]


def test_an_instance_with_drop_ins_of_its_own_comes_from_the_template() -> None:
    found = units({"/x@.service": SERVICE, "/x@1.service.d/x.conf": USER})

    assert [("x@.service", ("/x@.service",)), ("x@1.service", ("/x@.service", "/x@1.service.d/x.conf"))] == [
        (unit.name, unit.files) for unit in found
    ]


def test_the_order_of_units_in_a_repository_counts_whether_they_start_or_not() -> None:
    files = {"/a.service": f"[Unit]\nAfter=network.target\n{SERVICE}", "/b.service": f"[Unit]\nBefore=network.target\n{SERVICE}"}
    found = load(Files(MemoryTree(files)), repository=True)

    assert "b.service" in found.before("a.service")
    assert "a.service" not in found.before("b.service")


def test_a_socket_comes_before_every_service_though_basic_target_lies_elsewhere() -> None:
    files = {
        "/deploy/a.socket": "[Socket]\nListenStream=1\n",
        "/deploy/b.service": SERVICE,
        "/deploy/early.service": f"[Unit]\nDefaultDependencies=no\n{SERVICE}",
    }
    found = load(Files(MemoryTree(files)), repository=True)

    assert [True, False, False] == ["a.socket" in found.before(name) for name in ("b.service", "early.service", "a.socket")]
