"""Files of a repository that are not read although they may set up a host: of what kind each is, and what its text speaks of."""

from collections.abc import Iterable

from portwright._start.lazy_regex import lazy_regex
from portwright.coverage import NotRead

LONGEST = 1 << 18
"""Characters of a file that are looked through."""

MOST_FILES = 2_000
"""How many files of a repository are looked into."""

_ENDINGS = {
    "bash": "shell script",
    "bu": "butane",
    "container": "quadlet",
    "dockerfile": "dockerfile",
    "ign": "ignition",
    "init": "script",
    "ks": "kickstart",
    "kube": "quadlet",
    "nix": "nix",
    "nomad": "nomad",
    "pod": "quadlet",
    "postinst": "shell script",
    "pp": "puppet",
    "run": "script",
    "sh": "shell script",
    "sls": "salt",
    "spec": "rpm spec",
    "tf": "terraform",
    "tofu": "terraform",
}
_NAMES = {
    "containerfile": "dockerfile",
    "dockerfile": "dockerfile",
    "gnumakefile": "makefile",
    "ks.cfg": "kickstart",
    "makefile": "makefile",
    "meta-data": "cloud-config",
    "pkgbuild": "shell script",
    "preseed.cfg": "preseed",
    "procfile": "procfile",
    "rc.local": "script",
    "tuned.conf": "tuned",
    "user-data": "cloud-config",
    "vagrantfile": "vagrant",
}
_IN_PLURAL = {
    "ansible": "Ansible's files",
    "butane": "Butane configs",
    "chef": "Chef recipes",
    "cloud-config": "cloud-configs",
    "cloudformation": "CloudFormation templates",
    "debian install": "lists of the files of Debian's packages",
    "compose": "compose files",
    "dockerfile": "Dockerfiles",
    "hiera": "files of Hiera's data",
    "ignition": "Ignition configs",
    "init script": "init scripts",
    "kickstart": "Kickstart files",
    "kubernetes": "Kubernetes manifests",
    "makefile": "Makefiles",
    "nix": "Nix expressions",
    "nomad": "Nomad jobs",
    "packer": "Packer templates",
    "packer template": "Packer templates",
    "preseed": "preseed files",
    "procfile": "Procfiles",
    "program": "programs",
    "puppet": "Puppet manifests",
    "quadlet": "quadlets",
    "rpm spec": "RPM specs",
    "salt": "Salt states",
    "shell script": "shell scripts",
    "terraform": "Terraform's files",
    "tuned": "tuned's profiles",
    "vagrant": "Vagrantfiles",
    "workflow": "workflows",
}
_PARTLY_READ = {
    "ansible": "the tasks that can be followed without a host",
    "butane": "files and units",
    "chef": "kernel settings, literal files and commands",
    "cloud-config": "the files and kernel settings that they write",
    "cloudformation": "user data and the files of cfn-init",
    "compose": "the parts that nothing fills in",
    "hiera": "kernel settings",
    "ignition": "literal files and units",
    "kickstart": "the scripts for the new machine",
    "preseed": "the late command",
    "kubernetes": "what pods, Tuned and MachineConfig objects take of their nodes, where it is not filled in,",
    "makefile": "the files, kernel settings and published ports that recipes make",
    "nix": "kernel settings, units and the ports of services",
    "nomad": "the ports that are given as numbers",
    "packer": "literal commands and files",
    "packer template": "literal commands and files",
    "puppet": "kernel settings, literal files and commands",
    "quadlet": "the parts that nothing fills in",
    "rpm spec": "the files of the package and the scripts that install it",
    "salt": "kernel settings, literal files and commands",
    "shell script": "the files, kernel settings and published ports that they make",
    "terraform": "user data, provisioners and what Ignition gets",
    "tuned": "kernel settings",
    "vagrant": "the shell scripts in them",
    "workflow": "the ports of services",
}
_TEMPLATES = (".j2", ".jinja2", ".jinja", ".erb", ".epp", ".tmpl", ".tpl", ".template", ".tftpl", ".pkrtpl.hcl", ".pkrtpl")
# Templates of whatever a machine takes at its first boot bear any name.
_OF_MACHINES = (".tpl", ".tmpl", ".tftpl", ".template", ".pkrtpl.hcl", ".pkrtpl")
_YAML = ("yml", "yaml", "eyaml")
_OF_ANSIBLE = frozenset(("tasks", "handlers", "playbooks", "group_vars", "host_vars", "roles"))
_LANGUAGES = frozenset(("py", "pl", "rb"))
_WORD = lazy_regex(r"[a-z]+")
_OF_SETUP = frozenset(
    (
        *("bin", "bootstrap", "configure", "deploy", "deployment", "fabfile", "host", "install", "installer", "node", "os", "prepare"),
        *("provision", "provisioning", "scripts", "server", "setup", "sysctl", "system", "tools", "tune", "tuning"),
    )
)
"""Words of the names of programs that may set up a host, and of their folders: others are not looked into."""
_OF_CHEF = frozenset(("recipes", "attributes", "cookbooks"))
# What is no deployment of this repository: others' code, and what builds and tests it.
_ASIDE = frozenset((".git", ".github", ".gitlab", ".circleci", "node_modules", "vendor", "third_party", "site-packages", ".venv", "venv"))

# What lies in many repositories without a suffix, and is no script.
_PLAIN_TEXTS = frozenset(
    (
        "authors", "bugs", "changelog", "changes", "codeowners", "contributors", "copying", "copyright", "credits", "gemfile", "history",
        "license", "licence", "maintainers", "manifest", "news", "notice", "owners", "procfile", "rakefile",
        "readme", "thanks", "todo", "version",
    )
)  # fmt: skip
_SETS = lazy_regex(r"/etc/sysctl\.|\bsysctl[\"', ]{1,4}-[wp]\b|/proc/sys/net\b")
_SETTING_OF_PORTS = lazy_regex(r"\bip_local_(?:port_range|reserved_ports)\b|\bip_unprivileged_port_start\b")
_CLOUD_CONFIG = lazy_regex(r"#cloud-config\b")
# Of k3OS and Harvester, which need no such line.
_NODE_CONFIG = lazy_regex(r"(?m)^(?:k3os:[ \t]*\r?$|scheme_version:[ \t]*[0-9])")
_ARCHIVE = lazy_regex(r"(?i)(?:Content-Type:\s*multipart/|MIME-Version:)|## template:\s*jinja")
_HIERA = lazy_regex(r"(?:^|/)(?:hieradata|hiera|data)/")
_OF_HIERA = lazy_regex(r"(?m)^[\"']?(?:\w{1,60}::){0,8}\w{0,60}sysctl\w{0,60}(?:::\w{1,60}){0,8}[\"']?:[ \t]*(?:#.*)?\r?$")
_BUTANE = lazy_regex(r"(?m)^variant:\s*(?:fcos|flatcar|openshift|r4e|fiot)\b")
_CLOUDFORMATION = lazy_regex(r"(?m)^AWSTemplateFormatVersion:|^[ \t]+Type:[ \t]*[\"']?AWS::EC2::")
_SHELL = lazy_regex(r"#!\s*/\S*?(?:env\s+)?(?:/|\b)(?:ba|da|a|k|z)?sh\b")
_INIT = lazy_regex(r"#!\s*/sbin/(?:openrc-run|runscript)\b|### BEGIN INIT INFO")
_COMPOSE = lazy_regex(r"(?m)^services:\s*(?:#.*)?$")
_FIRST_COMPOSE = lazy_regex(
    r"(?m)^[A-Za-z0-9][\w.-]{0,100}:[ \t]*\r?\n(?:[ \t]*(?:#.*)?\r?\n){0,20}[ \t]{1,8}(?:image|build|extends|container_name|ports):"
)
"""A service at the top level, where files of version 1 have them."""
_COMPOSE_SERVICE = lazy_regex(r"(?m)^[ \t]+(?:image|build|container_name|network_mode):|^[ \t]+ports:[ \t]{0,80}\r?\n[ \t]*- [\"']?[0-9$]")
_KUBERNETES = lazy_regex(r"(?m)^apiVersion:")
_OBJECT = lazy_regex(r"(?m)^kind:")
# A machine config of Talos, or a patch of one, is no object.
_TALOS = lazy_regex(r"(?m)^machine:[ \t]*\r?\n(?:[ \t]+\S.*\n|[ \t]*\r?\n){0,2000}?[ \t]+(?:sysctls|kubelet|install|files):")
_PAGES = ("meta/argument_specs.yml", "meta/argument_specs.yaml")
"""What a role's variables mean, for people and for Ansible's check of them."""
_PLAYBOOK = lazy_regex(r"(?m)^-?[ \t]{0,40}(?:- )?(?:hosts|tasks|roles|import_playbook):")
_MODULE = lazy_regex(r"\bansible\.(?:builtin|posix)\.")
# A playbook is a list; a chart's values, which have hosts and roles, too, are none.
_LIST = lazy_regex(r"(?:[ \t]*(?:(?:#|---|%)[^\n]*)?\r?\n)*[ \t]*- ")

# One pass over the text; the name of the group that matched is what it speaks of.
_SPEAKS = lazy_regex(
    r"(?P<kernel>\bip_local_(?:port_range|reserved_ports)\b|\bnet[./](?:ipv4|ipv6|core|netfilter)[./]\w|\bsysctls?\b)"
    r"|(?P<units>\bsystemctl\b|\bExecStart\s*=|\bsystemd_(?:service|unit)\b|\brc-update\b|\brc-service\b|\bsystemd::)"
    r"|(?P<capabilities>\bsetcap\b|(?i:\bcap_net_bind_service\b))"
    r"|(?P<ports>(?i:\bEXPOSE\s+[0-9$])|\bhostPort\b|\bnodePort\b|\bcontainerPort\b|\bPublishPort\s*=|\bforwarded_port\b"
    r"|(?:(?<![A-Za-z])p|P)orts?[\"']?\s*(?::|=>?)|\blisten(?:_\w+)?\b|\s-p\s+[\"']?[0-9$][\w.$:{}-]*:[0-9$])"
)
# What asks, tells or starts again, names a handler or a proxy's target: nothing is set up by it.
_ASKS = lazy_regex(
    r"\bsystemctl(?:[ \t]{1,8}--?[\w=-]{1,80}){0,8}[ \t]{1,8}"
    r"(?:is-\w+|list-\w+|status|show|cat|daemon-re\w+|re(?:start|load|boot)|try-restart|stop|poweroff)\b"
    r"|\bsysctl[ \t]{1,8}(?:-p|--system|-a|--all|-n)(?=[ \t]{0,8}(?:[;&|>)]|$))|\btraefik\.[\w.-]{1,200}\.port\b"
    r"|\blisten:[ \t]{0,8}[\"']?[A-Za-z][\w-]{0,80} [A-Za-z|]"
)
# Lines that set nothing in a language of their own: a name that is given a value counts where it is used, what is printed is read by
# people, and what a task is called or waits for is none of its work.
_SETS_NOTHING = {
    "shell script": lazy_regex(
        r"\A(?:\s*(?:(?:local|export|readonly|declare|typeset)[ \t]{1,8}(?:-\w{1,8}[ \t]{1,8}){0,4})?\w{1,80}=(?!.*[ \t]-p[ \t])"
        r"|\s*(?:echo|printf|log|info|warn|error|die)\b(?!.*[>|])|\s*(?:el)?if\b.*\bcommand[ \t]{1,8}-v\b"
        r"|\{%-?[ \t]{0,8}(?:set|for|if)\b)"
    ),
    "ansible": lazy_regex(
        r"\A\s*(?:-[ \t]{1,8})?(?:name|tags|notify|listen|register|when|msg|fail_msg|success_msg|that|sysctl_file|import_tasks"
        r"|include_tasks|(?:ansible|login|to|from|remote|source|destination|target|smtp|ssh)_ports?):"
    ),
    "chef": lazy_regex(r"\A\s*(?:depends|include_recipe|recipe|supports|notifies|subscribes|description|only_if|not_if)\b"),
}
_REMARK = ("#", ";", "//")
# A line that it matches has one of these, which are found a hundred times sooner.
_OF_SPEAKING = (
    *("ip_local_", "net.ipv", "net/ipv", "net.core", "net/core", "net.netfilter", "net/netfilter", "sysctl", "systemctl", "ExecStart"),
    *("systemd_", "systemd::", "rc-update", "rc-service", "setcap", "cap_net", "CAP_NET", "Cap_Net", "EXPOSE", "expose", "Expose"),
    *("ort:", "orts:", "ort =", "orts =", "ort=", "orts=", "ort ", "orts ", 'ort"', 'orts"', "ort'", "orts'", "Port", "listen", "-p "),
    *("forwarded_port", "ort\t", "orts\t"),
)
_WORDS = {"ports": "ports", "kernel": "kernel settings", "units": "units", "capabilities": "capabilities"}


def kind_by_name(label: str) -> str | None:
    """What kind a file is by its path, "yaml" and "script" where its text is to tell; None for a file that nobody need look into."""
    *folders, last = label.lower().split("/")
    if folders[-2:] == [".github", "workflows"] and last.endswith((".yml", ".yaml")):
        return "workflow"
    if not _ASIDE.isdisjoint(folders):
        return None
    for ending in _TEMPLATES:
        last = last.removesuffix(ending)
    if last in _NAMES:
        return _NAMES[last]
    stem, dot, ending = last.rpartition(".")
    if last.endswith((".ign.json", "ignition.json")):
        return "ignition"
    if ending == "json" and ("packer" in stem or "packer" in folders):
        return "packer template"
    if (not dot or not stem or ending in ("cfg", "txt")) and label.lower().endswith(_OF_MACHINES):
        return "script"
    if not dot or not stem:
        return "debian install" if last == "install" and folders[-1:] == ["debian"] else None if last in _PLAIN_TEXTS else "script"
    if ending == "install" and folders[-1:] == ["debian"]:
        return "debian install"
    if stem in ("dockerfile", "containerfile"):
        return "dockerfile"
    if ending in _YAML:
        return "compose" if "compose" in stem.replace("-", ".").split(".") or stem == "fig" else "yaml"
    if last.endswith(".pkr.hcl"):
        return "packer"
    if last.endswith(".nomad.hcl"):
        return "nomad"
    if ending == "rb" and not _OF_CHEF.isdisjoint(folders):
        return "chef"
    if ending in _LANGUAGES:
        return "program" if not _OF_SETUP.isdisjoint(folders) or not _OF_SETUP.isdisjoint(_WORD.findall(stem)) else None
    return _ENDINGS.get(ending)


def kind_of(label: str, kind: str, text: str) -> str | None:
    """What kind a file is that `kind_by_name` wants looked into, by its text, too; None where it is none of them."""
    if kind == "yaml" or (kind == "compose" and not _COMPOSE.search(text)):  # tasks/generate-compose.yml
        return _kind_of_yaml(label, text) or ("compose" if kind == "compose" and _FIRST_COMPOSE.search(text) else None)
    if kind == "program":
        return kind if _SETS.search(text) and _SETTING_OF_PORTS.search(text) else None
    if kind == "script":
        if _is_of_cloud_init(text):
            return "cloud-config"
        return "init script" if _INIT.search(text[:400]) else "shell script" if _is_shell(text) else None
    return "cloud-config" if kind == "shell script" and _is_of_cloud_init(text) else kind


def _is_of_cloud_init(text: str) -> bool:
    """Whether a text is a cloud-config, with or without Jinja, or an archive of several."""
    return bool(_CLOUD_CONFIG.match(text) or _ARCHIVE.match(text))


def is_script(label: str, text: str) -> bool:
    """Whether a file is a shell script whatever else its text looks like."""
    return _is_shell(text) or label.lower().endswith((".sh", ".bash"))


def _is_shell(text: str) -> bool:
    return text.startswith("#!") and _SHELL.match(text) is not None


def spoken_of(text: str, kind: str = "") -> tuple[tuple[int, str], ...]:
    """What a text of a kind speaks of that matters here, with the number of each line."""
    text = text[:LONGEST]
    nothing = _SETS_NOTHING.get(kind)
    starts = set()
    for word in _OF_SPEAKING:
        at = text.find(word)
        while at >= 0:
            starts.add(text.rfind("\n", 0, at) + 1)
            end = text.find("\n", at)
            at = text.find(word, end) if end >= 0 else -1
    found, line, done = [], 1, 0
    for start in sorted(starts):
        line += text.count("\n", done, start)
        done = start
        end = text.find("\n", start)
        said = text[start : end if end >= 0 else len(text)]
        if not said.lstrip().startswith(_REMARK) and (nothing is None or nothing.match(said) is None):
            names = (each.lastgroup or "" for each in _SPEAKS.finditer(_ASKS.sub("", said)))
            # What else a program speaks of is seldom about the host that it runs on.
            found += [(line, name) for name in names if kind != "program" or name == "kernel"]
    return tuple(found)


def not_read(label: str, kind: str, spoken: Iterable[tuple[int, str]]) -> NotRead | None:
    """The row of a file of which these lines are not read; None without any."""
    mentions = _mentions(spoken)
    if not mentions:
        return None
    ending = f"of {_IN_PLURAL[kind]} only {_PARTLY_READ[kind]} are read" if kind in _PARTLY_READ else f"{_IN_PLURAL[kind]} are not read"
    return NotRead(label, kind, f"{mentions}, and {ending}")


def not_filled_in(label: str, spoken: Iterable[tuple[int, str]]) -> NotRead | None:
    """The row of a template in which these lines hang on what nobody knows; None without any."""
    mentions = _mentions(spoken)
    return NotRead(label, "template", f"{mentions}, and what is filled in there is not known") if mentions else None


def _mentions(spoken: Iterable[tuple[int, str]]) -> str:
    lines: dict[str, int] = {}
    for line, name in spoken:
        lines[name] = min(line, lines.get(name, line))
    if not lines:
        return ""
    said = [word for name, word in _WORDS.items() if name in lines]
    listed = " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))
    return f"its text mentions {listed} (from line {min(lines.values())})"


def not_asked(label: str, lines: Iterable[int], whose: str) -> NotRead:
    """The row of a file with lines about ports that a program is given which nobody asks what it opens."""
    return NotRead(label, "kubernetes", f"its text mentions ports (from line {min(lines)}), and what {whose} opens by them is not read")


def is_manifest(text: str) -> bool:
    """Whether a YAML text is an object of Kubernetes: each says of what version and kind it is."""
    return _KUBERNETES.search(text) is not None and _OBJECT.search(text) is not None


def is_stack(text: str) -> bool:
    """Whether a YAML text is that of a Compose file, or of a stack."""
    return _COMPOSE.search(text) is not None and _COMPOSE_SERVICE.search(text) is not None


def _kind_of_yaml(label: str, text: str) -> str | None:
    if label.endswith(_PAGES):
        return None
    if _is_of_cloud_init(text) or _NODE_CONFIG.search(text):
        return "cloud-config"
    if _BUTANE.search(text):
        return "butane"
    if _CLOUDFORMATION.search(text):
        return "cloudformation"
    if _KUBERNETES.search(text) or _TALOS.search(text):
        return "kubernetes"
    if is_stack(text):
        return "compose"
    if _HIERA.search(label) and _OF_HIERA.search(text):
        return "hiera"
    if not _OF_ANSIBLE.isdisjoint(label.split("/")[:-1]) or _MODULE.search(text) or (_LIST.match(text) and _PLAYBOOK.search(text)):
        return "ansible"
    return None
