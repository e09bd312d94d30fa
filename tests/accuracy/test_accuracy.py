"""What portwright says of booted hosts is nowhere less right than it was: `figures.txt`, which `ACCEPT=1` writes anew."""

from pathlib import Path

from tests.accuracy.measure import measured
from tests.golden import expected

KEPT = Path(__file__).with_name("figures.txt")


def test_no_figure_is_lower_than_the_kept_one() -> None:
    tally = measured()
    figures = [line for line in tally.lines() if line][: len(tally.of)]
    kept = {name: float(share.rstrip("%")) for name, share, *_ in map(str.split, expected(KEPT, "\n".join(figures) + "\n").splitlines())}
    now = {name: float(share.rstrip("%")) for name, share, *_ in map(str.split, figures)}

    assert set(now) == set(kept)
    assert {name: (kept[name], share) for name, share in now.items() if share < kept[name]} == {}, "\n".join(tally.misses)
