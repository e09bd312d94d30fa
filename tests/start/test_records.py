"""Our frozen values behave as the standard dataclasses do, wherever the project uses them."""

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import traceback
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from portwright._start import compiled
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


@pytest.mark.parametrize("name", ["Place", "Text", "Counter", "Far", "Nothing", "Checked"])
def test_a_class_has_the_signature_of_a_dataclass(name: str) -> None:
    theirs = inspect.signature(THEIRS[name])
    for ours in (OURS[name], _classes(values)[name], PLAIN[name]):
        parameters = inspect.signature(ours).parameters
        assert list(theirs.parameters) == list(parameters)
        for each in theirs.parameters.values():
            # What a factory makes is not shown by them either.
            default = parameters[each.name].default
            assert default == each.default or (default is ... and repr(each.default) == "<factory>")


def test_a_traceback_shows_the_line_of_an_init_that_was_made_here() -> None:
    class Sour:
        def __set__(self, instance: object, value: object) -> None:
            raise ValueError("no")

    place = _as_users_run_them()["Place"]
    place.line = Sour()
    with pytest.raises(ValueError, match="no") as raised:
        place("a", 2)

    shown = "".join(traceback.format_exception(raised.value))
    assert "Place.__init__" in shown
    assert "self.line = line" in shown


def test_every_record_has_an_init_in_a_wheel_and_it_is_the_one_that_a_checkout_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled.records()  # what is imported without the guard would never have it
    monkeypatch.setattr(values, "ENFORCE_FROZEN", False)
    written: dict[str, Any] = {}
    exec(compile(compiled.records_source(), "compiled_records", "exec"), written)  # noqa: S102  our own

    records = {f"{each.__module__}.{each.__qualname__}": each for each in compiled.records()}

    assert len(records) > 200
    assert sorted(records) == sorted(written["INITS"])
    for name, cls in records.items():
        made, built = values._init(cls, False), values._finished(written["INITS"][name], cls)  # type: ignore[attr-defined]
        assert _facts_of(made) == _facts_of(built), name


def _facts_of(init: Any) -> tuple[object, ...]:
    code = init.__code__
    constants = [each for each in code.co_consts if not isinstance(each, str)]
    return code.co_code, code.co_names, code.co_varnames, constants, init.__defaults__, init.__qualname__


def test_a_wheel_takes_its_inits_from_what_was_built_and_a_changed_class_makes_its_own(tmp_path: Path) -> None:
    older = compiled.records_source().replace("def __init__(self, path, line,", "def __init__(self, p, line,")
    (tmp_path / "compiled_records.py").write_text(older)
    code = f"""
import inspect, sys, types
shipped = types.ModuleType("portwright._shipped")
shipped.__path__ = [{str(tmp_path)!r}]
sys.modules["portwright._shipped"] = shipped
from portwright.source import Span, Word
from portwright.facts import Invocation
span = Span("/etc/x", 1, 2, 3, 4)
print(Word("a", span), inspect.getsourcefile(Word.__init__) == {str(tmp_path / "compiled_records.py")!r}, inspect.signature(Word))
print(inspect.signature(Span), "compiled_records" in Span.__init__.__code__.co_filename)
one, other = (Invocation("a.service", (), span) for _ in range(2))
print(one.environment is not other.environment, one == other, one.directory)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)

    assert "" == run.stderr
    first, second, third = run.stdout.splitlines()
    word = "Word(text='a', at=Span(path='/etc/x', line=1, column=2, end_line=3, end_column=4))"
    assert f"{word} True (text, at)" == first
    assert "(path, line, column, end_line, end_column) False" == second
    assert "True True /" == third


def test_a_wheel_is_built_where_only_what_the_build_requires_is_installed() -> None:
    absent = ("pygls", "lsprotocol", "jsonschema", "ansible", "zstandard")
    program = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); from portwright._start.compiled import records_source as s; s()"

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
