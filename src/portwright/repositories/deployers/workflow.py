"""Workflows of GitHub Actions: the ports that the services of a job publish on its runner, which is a machine of its own.

Nothing else of a workflow deploys anything to a host, and what a repository sets up is not set up on the runner, whosever it is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from portwright._start.records import replace
from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.numbers import decimal
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.container_lines import Asked, lines, path_of, port
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages
from portwright.source import Source

_FIRST_LENT = 32768
"""Where the range begins that a kernel lends by itself: of ports below it nothing can be said but that two services have the same."""
_MOST_JOBS = 200


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the services of each job publish."""
    nodes, _ = parse(Source(label, text[:LONGEST])) if "services:" in text else ((), ())
    jobs = [job for node in nodes if node.key.text == "jobs" for job in node.children]
    files = [file for job in jobs[:_MOST_JOBS] for file in _of_job(label, job).files]
    cut = (len(text) > LONGEST or len(jobs) > _MOST_JOBS) and "services:" in text
    return Deployed(tuple(files), frozenset(range(1, text.count("\n") + 2)), cut)


def _of_job(label: str, job: Node) -> Deployed:
    runner = f"runner of {job.key.text} in {label}"
    pages = Pages(label, runner)
    services = [(service, list(_ports(label, service))) for each in _below(job, "services") for service in each.children]
    if _matters([each.text for _, asked in services for each in asked]):
        for service, asked in services:
            at = Line("", label, service.key.at.line, service.key.at.column - 1)
            pages.write(path_of("docker", f"{label}-{at.number}"), lines(service.key.text, at, on_host=False, ports=asked, settings=()))
    done = pages.deployed()
    return replace(done, files=tuple(replace(file, alone=True) for file in done.files))


def _matters(ports: Sequence[str]) -> bool:
    hosts = [text.rpartition("/")[0].rpartition(":")[0] or text.rpartition(":")[0] for text in ports]
    numbers = Counter(number for text in hosts if (number := decimal(text.rpartition(":")[2], 65535)))
    return any(number >= _FIRST_LENT or times > 1 for number, times in numbers.items())


def _ports(label: str, service: Node) -> Iterator[Asked]:
    for each in _below(service, "ports"):
        for word in each.values:
            if ":" in word.text and "$" not in word.text:
                yield Asked(port(word.text), label, word.at.line, word.at.column - 1)


def _below(node: Node, key: str) -> Iterator[Node]:
    return (child for child in node.children if child.key.text == key)
