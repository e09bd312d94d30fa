"""Our frozen values behave as the standard dataclasses do, wherever the project uses them."""

import copy
import dataclasses
import pickle
from functools import cached_property
from types import ModuleType
from typing import Any

import pytest

from portwright._start import records as values
from portwright.source import Span


def _classes(of: ModuleType) -> dict[str, Any]:
    """The same classes, made with one or the other decorator."""
    dataclass, field = of.dataclass, of.field

    @dataclass(frozen=True, slots=True, order=True)
    class Place:
        path: str
        line: int = 1

    @dataclass(frozen=True)
    class Text:
        place: Any
        words: tuple[str, ...] = ()
        notes: dict[str, str] = field(default_factory=dict)

        @cached_property
        def count(self) -> int:
            return len(self.words)

    @dataclass(slots=True)
    class Counter:
        number: int = 0
        seen: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Far(Place):
        host: str = ""

    @dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    @dataclass
    class Checked:
        number: int

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("negative")

    return {name: made for name, made in locals().items() if isinstance(made, type)}


def _as_users_run_them() -> dict[str, Any]:
    """Our classes without the guard, each with its __init__ made while there is none."""
    values.ENFORCE_FROZEN = False
    made = _classes(values)
    made["Place"]("a"), made["Text"]("a"), made["Counter"](), made["Far"]("a"), made["Nothing"](), made["Checked"](1)
    values.ENFORCE_FROZEN = True
    return made


OURS, PLAIN, THEIRS = _classes(values), _as_users_run_them(), _classes(dataclasses)


def test_the_guard_is_on_in_tests() -> None:
    with pytest.raises(AttributeError):
        Span("/etc/x", 1, 2, 3, 4).line = 2  # type: ignore[misc]


@pytest.mark.parametrize("classes", [OURS, THEIRS], ids=["ours", "theirs"])
def test_frozen_values_are_not_assigned_to(classes: dict[str, Any]) -> None:
    for value in (classes["Place"]("a"), classes["Text"]("a")):
        with pytest.raises(AttributeError):
            value.path = "b"
        with pytest.raises(AttributeError):
            del value.path


@pytest.mark.parametrize("classes", [OURS, PLAIN, THEIRS], ids=["ours", "as users run them", "theirs"])
class TestAll:
    def test_fields_are_given_by_place_or_name_and_have_defaults(self, classes: dict[str, Any]) -> None:
        assert ("a", 1) == (classes["Place"]("a").path, classes["Place"](path="a").line)

    @pytest.mark.parametrize(("given", "named"), [((), {}), (("a", 1, 2), {}), (("a",), {"path": "b"}), (("a",), {"nme": 1})])
    def test_a_wrong_call_is_a_type_error(self, classes: dict[str, Any], given: tuple[Any, ...], named: dict[str, Any]) -> None:
        with pytest.raises(TypeError):
            classes["Place"](*given, **named)

    def test_equal_values_are_equal_and_hash_alike(self, classes: dict[str, Any]) -> None:
        assert classes["Place"]("a", 2) == classes["Place"]("a", 2)
        assert classes["Place"]("a", 2) != classes["Place"]("a", 3)
        assert classes["Place"]("a", 2) != ("a", 2)
        assert 1 == len({classes["Place"]("a", 2), classes["Place"]("a", 2)})
        assert classes["Nothing"]() == classes["Nothing"]()

    def test_a_subclass_is_another_kind_of_value(self, classes: dict[str, Any]) -> None:
        assert classes["Far"]("a", 1) != classes["Place"]("a", 1)
        assert "h" == classes["Far"]("a", 1, "h").host

    def test_ordered_values_compare_field_by_field(self, classes: dict[str, Any]) -> None:
        assert classes["Place"]("a", 2) < classes["Place"]("b", 1)
        assert classes["Place"]("a", 2) >= classes["Place"]("a", 2)
        with pytest.raises(TypeError):
            classes["Place"]("a") < "a"  # noqa: B015

    def test_values_that_are_not_frozen_are_assigned_to(self, classes: dict[str, Any]) -> None:
        counter = classes["Counter"]()
        counter.number += 1

        assert 1 == counter.number
        with pytest.raises(TypeError):
            hash(counter)

    def test_slotted_values_take_no_other_attribute(self, classes: dict[str, Any]) -> None:
        with pytest.raises(AttributeError):
            classes["Counter"]().other = 1

    def test_a_default_factory_makes_one_for_each(self, classes: dict[str, Any]) -> None:
        one, other = classes["Counter"](), classes["Counter"]()
        one.seen.append(1)

        assert [] == other.seen

    def test_a_frozen_value_without_slots_may_cache(self, classes: dict[str, Any]) -> None:
        text = classes["Text"]("a", ("x", "y"))

        assert (2, 2) == (text.count, text.count)

    def test_values_are_copied_and_replaced(self, classes: dict[str, Any]) -> None:
        replace = dataclasses.replace if classes is THEIRS else values.replace
        place = classes["Place"]("a", 2)

        assert place == copy.copy(place) == copy.deepcopy(place)
        assert classes["Place"]("a", 3) == replace(place, line=3)
        with pytest.raises(TypeError):
            replace(place, nme=3)

    def test_values_are_matched_by_place(self, classes: dict[str, Any]) -> None:
        Place = classes["Place"]
        match Place("a", 7):
            case Place(_, line):
                assert 7 == line
            case _:
                pytest.fail("not matched")

    def test_a_value_says_what_it_holds(self, classes: dict[str, Any]) -> None:
        assert repr(classes["Place"]("a", 2)).endswith("Place(path='a', line=2)")

    def test_post_init_is_called(self, classes: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="negative"):
            classes["Checked"](-1)

    def test_fields_can_be_listed(self, classes: dict[str, Any]) -> None:
        fields = dataclasses.fields if classes is THEIRS else values.fields

        assert ["path", "line"] == [each.name for each in fields(classes["Place"])]


def test_values_travel_between_processes() -> None:
    span = Span("/etc/x", 1, 2, 3, 4)

    assert span == pickle.loads(pickle.dumps(span))  # noqa: S301  what we just pickled


def test_what_a_build_compiles_is_what_a_run_would_make(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: dict[str, Any] = {}
    exec(compile(values.source(), "compiled_values", "exec"), compiled)  # noqa: S102  our own
    monkeypatch.setattr(values, "ENFORCE_FROZEN", False)

    def made(templates: dict[int, Any]) -> tuple[str, str]:
        monkeypatch.setattr(values, "_TEMPLATES", templates)
        place = _classes(values)["Place"]
        return repr(place("/a")), repr(place(line=2, path="/b"))

    assert len(compiled["TEMPLATES"]) > 30
    assert made({}) == made(compiled["TEMPLATES"]) == (repr_of("/a", 1), repr_of("/b", 2))
    with pytest.raises(TypeError):
        _classes(values)["Place"]()


def repr_of(path: str, line: int) -> str:
    return f"_classes.<locals>.Place(path={path!r}, line={line})"
