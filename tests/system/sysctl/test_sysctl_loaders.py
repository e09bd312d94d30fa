"""Random hosts, settled here and by the real systemd-sysctl and `sysctl --system` in a namespace of their own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.system.sysctl.hosts import settled
from tests.system.sysctl.real import RANGE, RESERVED, START, loads

_TEXTS: dict[str, list[str]] = {
    RANGE: [
        "20000 50000",
        "50000 20000",
        "40000",
        "0100 0200",
        "0x8000 0xea60",
        "1 65535",
        "500 60000",
        "2000\t3000",
        "'1 2'",
        "1 2 # x",
        "",
    ],
    RESERVED: ["8080", "8080,9090", "30000-30010", "8080, 9090", "8080,", "", "0x50", "9-8", "0-65535"],
    START: ["0", "80", "1023", "32768", "32769", "-1", "80 90", ""],
    "net.ipv4.tcp_fin_timeout": ["15", "15 # x", "abc", "-1", "0x10"],
    "net.ipv4.tcp_tw_reuse": ["0", "1", "2", "3", "-1"],
    "net.ipv6.conf.all.disable_ipv6": ["0", "1", "x"],
    "net.ipv6.conf.default.disable_ipv6": ["0", "1"],
}
_GLOBS = {
    RANGE: "net.ipv4.ip_local_port_*",
    RESERVED: "net/ipv4/ip_local_res[ei]rved*",
    START: "net.ipv4.ip_unpriv*",
    "net.ipv4.tcp_fin_timeout": "net.*.tcp_fin_timeout",
    "net.ipv4.tcp_tw_reuse": "net.ipv4.tcp_tw_r?use",
    "net.ipv6.conf.all.disable_ipv6": "net.ipv6.conf.*.disable_ipv6",
    "net.ipv6.conf.default.disable_ipv6": "net.ipv6.conf.d*.disable_ipv6",
}


@st.composite
def _lines(draw: st.DrawFn) -> str:
    key = draw(st.sampled_from([RANGE, START, RESERVED, *_TEXTS]))
    shape = draw(st.sampled_from(["{}", "{}", "{}", "{}", "slashes", "/slashes", "mixed", "case", "glob", "exclude", "odd"]))
    if shape == "exclude":
        return f"-{key}"
    if shape == "odd":
        return draw(st.sampled_from(["[sysctl]", "words", f"# {key} = 1", f"; {key} = 1", f"\ufeff{key} = 1", "", f"{key}: 1", "= 1"]))
    text = draw(st.sampled_from(_TEXTS[key]))
    slashes = key.replace(".", "/")
    spellings = {
        "slashes": slashes,
        "/slashes": f"/{slashes}",
        "mixed": key.replace(".", "/", 1),
        "case": key.title(),
        "glob": _GLOBS[key],
    }
    before, sign, after = draw(st.sampled_from(["", "", "", " ", "-", "- "])), draw(_SIGNS), draw(st.sampled_from(["", "", " ", "\r"]))
    return f"{before}{spellings.get(shape, key)}{sign}{text}{after}"


_SIGNS = st.sampled_from([" = ", "=", "\t=\t"])
_NAMES = ["10-a.conf", "9-a.conf", "50.conf", "50-a.conf", "99-zz.conf", "99-a.conf", "Za.conf", ".hidden.conf", "x.txt", "99-sysctl.conf"]
_PATHS = st.builds("{}/{}".format, st.sampled_from(["/etc/sysctl.d", "/run/sysctl.d", "/usr/lib/sysctl.d"]), st.sampled_from(_NAMES))
_CONTENTS = st.one_of(
    st.lists(_lines(), min_size=1, max_size=6).map("\n".join), st.sampled_from(["-> /dev/null", "-> nowhere", "-> ../sysctl.conf", ""])
)
_HOSTS = st.dictionaries(st.one_of(_PATHS, st.just("/etc/sysctl.conf")), _CONTENTS, min_size=1, max_size=6).filter(
    lambda host: not host.get("/etc/sysctl.conf", "").startswith("-> ")
)
_KEYS = (*_TEXTS, "net.ipv6.conf.lo.disable_ipv6")


@settings(max_examples=3, deadline=None, derandomize=True)
@given(st.lists(_HOSTS, min_size=40, max_size=40))
def test_both_loaders_leave_what_is_said_here(hosts: list[dict[str, str]]) -> None:
    seen = loads(_KEYS, hosts)
    said = []
    for host in hosts:
        found = {one.key: one for one in settled(host).sysctls}
        said.append({"boot": {key: found[key].boot for key in _KEYS}, "reload": {key: found[key].reload for key in _KEYS}})

    assert seen == said
