"""systemd.unit(5), search path, drop-ins, aliases, templates: which files make up a unit, and in which order."""

import pytest

from portwright.facts import Unit
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ETC, RUN, LOCAL, LIB = (f"{top}/systemd/system" for top in ("/etc", "/run", "/usr/local/lib", "/usr/lib"))
SERVICE = "[Service]\nExecStart=/bin/a\n"


def unit(name: str, files: dict[str, str]) -> Unit:
    found = load(Files(MemoryTree(files))).get(name)
    assert found is not None
    return found


def order(name: str, *paths: str) -> list[str]:
    """The files read for a unit, where the tree holds these and each of them says something."""
    return list(unit(name, dict.fromkeys(paths, SERVICE)).files)


# ── the fragment ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        ("/etc/systemd/system.control", "/run/systemd/system.control"),
        ("/run/systemd/system.control", "/run/systemd/transient"),
        ("/run/systemd/transient", "/run/systemd/generator.early"),
        ("/run/systemd/generator.early", ETC),
        (ETC, "/etc/systemd/system.attached"),
        ("/etc/systemd/system.attached", RUN),
        (RUN, "/run/systemd/system.attached"),
        ("/run/systemd/system.attached", "/run/systemd/generator"),
        ("/run/systemd/generator", LOCAL),
        (LOCAL, LIB),
        (LOCAL, "/lib/systemd/system"),
        (LIB, "/run/systemd/generator.late"),
    ],
)
def test_a_unit_file_replaces_the_one_in_a_later_directory_whole(winner: str, loser: str) -> None:
    assert [f"{winner}/a.service"] == order("a.service", f"{loser}/a.service", f"{winner}/a.service")


def test_a_directory_that_is_a_link_to_another_counts_once_by_its_real_path() -> None:
    found = unit("a.service", {"/lib": "-> usr/lib", f"{LIB}/a.service": SERVICE})

    assert (f"{LIB}/a.service",) == found.files


@pytest.mark.parametrize("mask", ["-> /dev/null", "-> ../../../dev/null", ""])
def test_a_link_to_dev_null_or_an_empty_file_masks_and_drop_ins_are_irrelevant(mask: str) -> None:
    found = unit("a.service", {f"{LIB}/a.service": SERVICE, f"{ETC}/a.service": mask, f"{ETC}/a.service.d/x.conf": SERVICE})

    assert ("masked", "never", (f"{ETC}/a.service",), ()) == (found.state, found.starts, found.files, found.settings)


def test_a_file_that_holds_only_a_comment_is_no_mask() -> None:
    assert "loaded" == unit("a.service", {f"{ETC}/a.service": "# nothing\n"}).state


def test_a_link_out_of_the_search_path_is_a_unit_of_its_own_name() -> None:
    found = unit("a.service", {f"{ETC}/a.service": "-> /opt/app/b.service", "/opt/app/b.service": SERVICE})

    assert ("a.service", ("a.service",), (f"{ETC}/a.service",)) == (found.name, found.names, found.files)


def test_a_link_to_the_same_name_in_the_search_path_is_that_file() -> None:
    found = unit("a.service", {f"{ETC}/a.service": f"-> {LIB}/a.service", f"{LIB}/a.service": SERVICE})

    assert (f"{LIB}/a.service",) == found.files


def test_settings_come_from_the_fragment_and_then_the_drop_ins() -> None:
    found = unit(
        "a.service",
        {f"{LIB}/a.service": "[Service]\nUser=a\nExecStart=/bin/a\n", f"{ETC}/a.service.d/x.conf": "[Service]\nUser=b\n"},
    )

    value = found.value("Service", "User")
    assert value is not None
    assert ("b", f"{ETC}/a.service.d/x.conf", ["a"]) == (value.value, value.at.path, [overridden.value for overridden in value.overridden])


def test_an_empty_user_after_a_user_is_root_again() -> None:
    found = unit("a.service", {f"{LIB}/a.service": "[Service]\nUser=a\nUser=\nExecStart=/bin/a\n"})

    assert found.value("Service", "User") is None


@pytest.mark.parametrize("text", ["[Unit]\nUser=a\n[Service]\nExecStart=/bin/a\n", "[Service]\nuser=a\nExecStart=/bin/a\n"])
def test_a_setting_misspelt_or_in_the_wrong_section_is_not_in_force(text: str) -> None:
    assert unit("a.service", {f"{LIB}/a.service": text}).value("Service", "User") is None


# ── drop-ins ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_drop_ins_of_all_directories_are_sorted_by_file_name() -> None:
    # Measured: /usr/lib/.../x.service.d/50-a.conf beats /etc/.../x.service.d/10-a.conf
    paths = [f"{LIB}/a.service", f"{ETC}/a.service.d/10-a.conf", f"{RUN}/a.service.d/30-a.conf", f"{LIB}/a.service.d/50-a.conf"]

    assert paths == order("a.service", *paths)


def test_drop_ins_for_all_services_are_sorted_among_the_others() -> None:
    paths = [f"{LIB}/a.service", f"{ETC}/a.service.d/10-a.conf", f"{LIB}/service.d/90-z.conf"]

    assert paths == order("a.service", *paths)


def test_names_are_compared_byte_by_byte() -> None:
    paths = [f"{LIB}/a.service", *(f"{ETC}/a.service.d/{name}.conf" for name in ("10-a", "9-a", "Za", "a", "aa", "é"))]

    assert paths == order("a.service", *reversed(paths))


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (f"{ETC}/a.service.d", f"{RUN}/a.service.d"),
        (f"{RUN}/a.service.d", f"{LIB}/a.service.d"),
        (f"{LIB}/a.service.d", f"{ETC}/service.d"),
    ],
)
def test_of_drop_ins_with_one_name_the_directory_decides(winner: str, loser: str) -> None:
    assert [f"{LIB}/a.service", f"{winner}/x.conf"] == order("a.service", f"{LIB}/a.service", f"{loser}/x.conf", f"{winner}/x.conf")


@pytest.mark.parametrize("masked", [f"{LIB}/a.service.d", f"{LIB}/service.d"])
def test_a_link_to_dev_null_masks_the_drop_in_of_its_name(masked: str) -> None:
    found = unit(
        "a.service", {f"{LIB}/a.service": SERVICE, f"{ETC}/a.service.d/x.conf": "-> /dev/null", f"{masked}/x.conf": "[Service]\nUser=b\n"}
    )

    assert (f"{LIB}/a.service",) == found.files


@pytest.mark.parametrize("name", ["x", "x.conf.bak", ".x.conf", "x.conf~"])
def test_names_without_the_suffix_and_hidden_ones_are_ignored(name: str) -> None:
    assert [f"{LIB}/a.service"] == order("a.service", f"{LIB}/a.service", f"{ETC}/a.service.d/{name}")


def test_a_prefix_that_ends_in_a_dash_has_drop_ins_for_every_unit_that_begins_with_it() -> None:
    paths = [f"{LIB}/foo-bar-baz.service", f"{ETC}/foo-.service.d/1.conf", f"{ETC}/foo-bar-.service.d/2.conf"]

    assert paths == order("foo-bar-baz.service", *paths, f"{ETC}/fo-.service.d/3.conf", f"{ETC}/foo.service.d/4.conf")


@pytest.mark.parametrize(
    ("systemd", "read"),
    [("237-3ubuntu10", ["own"]), ("241-7~deb10u8", ["own", "prefix"]), ("252.22-1~deb12u1", ["own", "prefix", "type"])],
)
def test_drop_ins_of_a_prefix_and_of_a_type_are_read_since_the_releases_that_know_them(systemd: str, read: list[str]) -> None:
    users = {"foo-bar.service.d/1.conf": "own", "foo-.service.d/2.conf": "prefix", "service.d/3.conf": "type"}
    drop_ins = {f"{ETC}/{path}": f"[Service]\nSupplementaryGroups={user}\n" for path, user in users.items()}
    found = unit("foo-bar.service", {f"{LIB}/foo-bar.service": SERVICE, **drop_ins, "/.portwright/packages": f"systemd {systemd}\n"})

    assert read == [setting.value for setting in found.each("Service", "SupplementaryGroups")]
    assert 3 - len(read) == len(found.unread)


def test_a_name_that_ends_in_a_dash_has_drop_ins_of_its_own_on_any_release() -> None:
    files = {f"{LIB}/foo-.service": SERVICE, f"{ETC}/foo-.service.d/1.conf": "[Service]\nUser=a\n"}

    assert () == unit("foo-.service", {**files, "/.portwright/packages": "systemd 237-3ubuntu10\n"}).unread


def test_a_template_and_its_instance_both_have_drop_ins() -> None:
    paths = [f"{LIB}/x@.service", f"{ETC}/x@.service.d/1.conf", f"{ETC}/x@i1.service.d/2.conf"]

    assert paths == order("x@i1.service", *paths, f"{ETC}/x@i2.service.d/3.conf")


def test_a_drop_in_without_its_unit_makes_a_missing_one() -> None:
    assert "missing" == unit("a.service", {f"{ETC}/a.service.d/x.conf": SERVICE}).state


# ── aliases, templates, instances ───────────────────────────────────────────────────────────────────────────────────


def test_drop_ins_of_an_alias_apply_once_its_link_exists() -> None:
    files = {f"{LIB}/a.service": f"{SERVICE}[Install]\nAlias=b.service\n", f"{ETC}/b.service.d/x.conf": "[Service]\nUser=b\n"}

    assert (f"{LIB}/a.service",) == unit("a.service", files).files
    assert (f"{LIB}/a.service", f"{ETC}/b.service.d/x.conf") == unit(
        "a.service", {**files, f"{ETC}/b.service": f"-> {LIB}/a.service"}
    ).files


def test_a_unit_is_found_by_every_name() -> None:
    units = load(Files(MemoryTree({f"{LIB}/a.service": SERVICE, f"{ETC}/b.service": f"-> {LIB}/a.service"})))

    assert units.get("a.service") is units.get("b.service")
    assert ("a.service", "b.service") == units.each[0].names
    assert ["a.service"] == [each.name for each in units.each]


def test_an_alias_may_lead_over_another() -> None:
    found = unit("c.service", {f"{LIB}/a.service": SERVICE, f"{ETC}/b.service": "-> a.service", f"{ETC}/c.service": "-> b.service"})

    assert ("a.service", ("a.service", "b.service", "c.service")) == (found.name, found.names)


def test_aliases_that_lead_in_a_circle_are_no_unit() -> None:
    units = load(Files(MemoryTree({f"{ETC}/a.service": "-> b.service", f"{ETC}/b.service": "-> a.service"})))

    assert () == units.each


@pytest.mark.parametrize(
    ("link", "target", "reason"),
    [
        ("a.service", "b.socket", "it is another type of unit"),
        ("a.service", "b@.service", "a template and a unit that is none cannot be aliases"),
        ("a@.service", "b.service", "a template and a unit that is none cannot be aliases"),
        ("a@x.service", "b@y.service", "it is another instance"),
        ("a@x.service", "b.service", "an instance cannot be an alias of a plain unit"),
        ("a.slice", "b.slice", "a .slice may have no alias"),
        ("a.service", "b.txt", "it is no unit"),
    ],
)
def test_a_link_systemd_refuses_is_said(link: str, target: str, reason: str) -> None:
    files = Files(MemoryTree({f"{ETC}/{link}": f"-> {target}", f"{ETC}/{target}": SERVICE}))
    units = load(files)

    assert units.get(link) is None
    assert [f"systemd ignores this link to {target}: {reason}"] == [trouble.reason for trouble in files.unreadable]


def test_an_instance_comes_from_the_template_and_its_own_file_wins() -> None:
    files = {f"{LIB}/x@.service": SERVICE, f"{LIB}/x@i.service": SERVICE, f"{ETC}/m.target.wants/x@j.service": f"-> {LIB}/x@.service"}

    assert (f"{LIB}/x@i.service",) == unit("x@i.service", files).files
    assert (f"{LIB}/x@.service",) == unit("x@j.service", files).files


def test_the_instance_of_an_alias_of_a_template_is_the_instance_of_the_template() -> None:
    files = {f"{LIB}/a@.service": SERVICE, f"{ETC}/b@.service": f"-> {LIB}/a@.service", f"{ETC}/m.target.wants/b@1.service": "-> x"}
    found = unit("b@1.service", files)

    assert ("a@1.service", ("a@1.service", "b@1.service")) == (found.name, found.names)


def test_a_link_in_the_search_path_makes_an_instance() -> None:
    found = unit("x@i.service", {f"{LIB}/x@.service": SERVICE, f"{ETC}/x@i.service": f"-> {LIB}/x@.service"})

    assert ("x@i.service", (f"{LIB}/x@.service",)) == (found.name, found.files)


@pytest.mark.parametrize(
    "name", ["a", "a.conf", ".service", "@.service", "@a.service", "a b.service", "a.service.bak", f"{'a' * 250}.service"]
)
def test_a_name_that_is_no_units_is_left_alone(name: str) -> None:
    assert () == load(Files(MemoryTree({f"{ETC}/{name}": SERVICE}))).each


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_systemd_ignores_in_a_unit_file_is_said_once() -> None:
    template = "[Service]\nExecStart=/bin/a\nUser\n"
    files = Files(MemoryTree({f"{LIB}/x@.service": template, f"{ETC}/m.target.wants/x@1.service": f"-> {LIB}/x@.service"}))
    load(files)

    assert [(3, "systemd ignores this line: no `=` in it")] == [(trouble.at.line, trouble.reason) for trouble in files.unreadable]


@pytest.mark.parametrize(
    "line",
    [
        "WorkingDirectory=srv/x", "RootDirectory=srv/x", "RootImage=srv/x", "DynamicUser=maybe", "User=65535", "ExecStartPre=bin/x y",
        "ExecStartPre=/bin/sh -c 'x", "ExecReload=bin/x y", "ExecCondition=bin/x y",
    ],
)  # fmt: skip
def test_of_a_drop_in_systemd_reads_up_to_an_error_that_keeps_a_unit_from_being_loaded(line: str) -> None:
    dropin = f"[Service]\nNice=5\n{line}\nUser=nosuch\n[Unit]\nConditionPathExists=/gone\n"
    later = {f"{ETC}/a.service.d/x.conf": dropin, f"{ETC}/a.service.d/y.conf": "[Service]\nGroup=web\n"}
    found = unit("a.service", {f"{LIB}/a.service": SERVICE, **later})

    assert "loaded" == found.state
    assert [("Nice", "5"), ("Group", "web")] == [(each.key, each.value) for each in found.settings if each.at.path.startswith(ETC)]
    assert [True] == [reason.endswith("so systemd reads no further in this drop-in") for _, reason in found.unread]


def test_a_drop_in_that_ends_behind_an_empty_command_leaves_none() -> None:
    dropin = "[Service]\nExecStart=\nWorkingDirectory=srv/x\nExecStart=/bin/other\n"

    assert () == unit("a.service", {f"{LIB}/a.service": SERVICE, f"{ETC}/a.service.d/x.conf": dropin}).each("Service", "ExecStart")


def test_a_fragment_that_systemd_cannot_read_to_its_end_never_starts() -> None:
    found = unit("a.service", {f"{ETC}/a.service": f"{SERVICE}[Install\n"})

    assert "never" == found.starts
    assert "systemd does not load a.service: not a section header" in found.why


def test_a_link_that_leads_in_a_circle_is_said_and_the_rest_is_read() -> None:
    files = Files(MemoryTree({f"{ETC}/a.service": "-> /opt/a", "/opt/a": "-> /opt/b", "/opt/b": "-> /opt/a", f"{ETC}/b.service": SERVICE}))
    units = load(files)

    assert ["b.service"] == [each.name for each in units.each]
    assert files.unreadable


@pytest.mark.parametrize("name", ["x.service.d", "service.d", "multi-user.target.wants"])
def test_a_directory_beside_a_unit_that_is_a_link_to_nothing_is_said(name: str) -> None:
    place = f"/etc/systemd/system/{name}"
    tree = {"/etc/systemd/system/x.service": "[Service]\nExecStart=/bin/true\n", "/usr/lib/systemd/system/multi-user.target": "[Unit]\n"}
    files, some = (Files(MemoryTree({**tree, place: "-> /opt/there"}), partial=partial) for partial in (False, True))
    for each in (files, some):
        load(each)

    assert [f"{place}: a link to /opt/there, which is not there: what lies in it is unknown"] == [
        f"{trouble.at.path}: {trouble.reason}" for trouble in files.unreadable
    ]
    assert () == some.unreadable
