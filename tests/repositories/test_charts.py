"""Charts of Helm whose values nobody can read."""

import pytest

from portwright.repositories.reading import read_repository
from portwright.trees.repository import RepositoryInMemory

POD = """\
apiVersion: v1
kind: Pod
spec:
  containers:
  - name: a
    image: nginx
    ports:
    - {containerPort: 80, hostPort: 40000}
    - {containerPort: 81, hostPort: {{ .Values.port }}}
"""


@pytest.mark.parametrize("values", [b"port: 40001\n\xe6\n", b"\xff\xfeport", b"port: [", b"port: &a [*a]\n", b"- " * 500])
@pytest.mark.parametrize("damaged", ["Chart.yaml", "values.yaml"])
def test_a_chart_whose_values_are_no_text_has_what_is_written_without_them(values: bytes, damaged: str) -> None:
    files: dict[str, str | bytes] = {
        "/web/Chart.yaml": "name: web\nversion: 1\n",
        "/web/values.yaml": "",
        "/web/templates/pod.yaml": POD,
        f"/web/{damaged}": values,
    }

    (host,) = read_repository(RepositoryInMemory(files), "r")

    assert [40000] == [each.port for each in host.listeners if each.at.path == "web/templates/pod.yaml"]
