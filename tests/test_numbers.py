"""Text becomes a number in one module, in ASCII digits alone and of bounded length; nothing else in the source turns text into one."""

import ast
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright import numbers

SOURCE = Path(__file__).parents[1] / "src" / "portwright"
ONE = SOURCE / "numbers.py"
# What Python takes for a number, and nobody who reads a config does.
ODD = ["", " ", "+5", " 5", "5 ", "5\n", "1_000", "²", "5²", "٣", "５", "𝟓", "0²", "--5", "5.", "0x", "\udcb2", "5\udcb2"]
# What is no text: one bit of a comparison, or a share of columns.
NO_TEXT = {
    "reports/scale.py": {"int(share * columns)"},
    "cli/outputs.py": {"int(each)"},  # of the enum of signals
    "daemons/interpreters/python/values.py": {"int(node.value)"},  # isinstance(node.value, bool)
}


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_number_in_ascii_digits_is_none(text: str) -> None:
    assert not numbers.is_digits(text)
    assert numbers.decimal(text) is None
    assert numbers.signed(text) is None
    assert numbers.signed(f"-{text}") is None
    assert numbers.based(text, 16) is None
    assert numbers.c_number(text) is None
    assert numbers.decimals(["5", text]) is None


@pytest.mark.parametrize("digits", [65, 5_000, 100_000])
def test_a_number_of_thousands_of_digits_is_none_whatever_it_is_read_as(digits: int) -> None:
    text = "9" * digits

    assert numbers.is_digits(text)
    assert numbers.decimal(text) is None
    assert numbers.signed(f"-{text}") is None
    assert numbers.based(text, 16) is None
    assert numbers.c_number(f"0x{text}") is None
    assert numbers.fraction(text) is None
    assert numbers.fraction(f"1.{text}") == pytest.approx(2)


def test_zeros_in_front_mean_nothing_but_where_c_reads_them() -> None:
    zeros = "0" * 5_000

    assert numbers.decimal(f"{zeros}80") == 80
    assert numbers.decimal(zeros) == 0
    assert numbers.signed(f"-{zeros}80") == -80
    assert numbers.c_number("080") is None
    assert numbers.c_number("010") == 8
    assert numbers.c_number("0X1f") == 31
    assert numbers.fraction("0.5") == 0.5
    assert numbers.fraction(".5") == 0.5
    assert numbers.fraction("5.") == 5
    assert numbers.fraction(".") is None


def test_a_number_over_what_is_asked_for_is_none() -> None:
    assert numbers.decimal("65535", 65535) == 65535
    assert numbers.decimal("65536", 65535) is None
    assert numbers.signed("-65536", 65535) is None
    assert numbers.decimals(["1", "65536"], 65535) is None
    assert numbers.based("10000", 16, 65535) is None


@given(st.integers(0, numbers.MOST))
def test_every_number_up_to_the_most_is_read_as_it_is_written(value: int) -> None:
    assert numbers.decimal(str(value)) == value
    assert numbers.signed(str(-value)) == -value
    assert numbers.based(f"{value:b}", 2) == value
    assert numbers.c_number(f"{value:#x}") == value
    assert numbers.c_number(f"0{value:o}") == value


@given(st.text(max_size=80))
def test_no_text_raises(text: str) -> None:
    for read in (numbers.decimal, numbers.signed, numbers.c_number, numbers.fraction):
        value = read(text)
        assert value is None or (text.isascii() and math.isfinite(value))


def test_nothing_else_turns_text_into_a_number() -> None:
    found = {
        f"{path.relative_to(SOURCE)}:{line}: {what}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path != ONE
        for line, what in conversions(ast.parse(path.read_text("utf-8")))
        if what not in NO_TEXT.get(str(path.relative_to(SOURCE)), ())
    }

    assert found == set()


def conversions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    r"""Calls of int() and float() on what may be text, the questions of str after digits, and patterns with the \d that ٣ fits."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("int", "float") and node.args:
            if not (node.func.id == "int" and is_truth(node.args[0])) and not isinstance(node.args[0], ast.Constant):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Attribute) and node.attr in ("isdigit", "isdecimal", "isnumeric"):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "\\d" in node.value:
            yield node.lineno, repr(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) != "isinstance" and {"int", "float"} & set(map(ast.unparse, node.args)):
            yield node.lineno, ast.unparse(node)  # map(int, ...)


def is_truth(node: ast.expr) -> bool:
    """Whether an expression is True or False whatever its parts are."""
    if isinstance(node, ast.BoolOp):
        return all(map(is_truth, node.values))
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Dict):
        return all(map(is_truth, node.value.values))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    return isinstance(node, ast.Compare) or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "bool")


@pytest.mark.parametrize(
    "code",
    [
        "int(text)",
        "int(text, 16)",
        "float(found[1])",
        "int(text or '0')",
        "a.isdigit()",
        "map(int, parts)",
        "takewhile(str.isdigit, t)",
        r"r'\d+'",
    ],
)
def test_a_conversion_is_found_however_it_is_written(code: str) -> None:
    assert list(conversions(ast.parse(code)))


@pytest.mark.parametrize("code", ["int(a == b)", "int(bool(a) or not b)", "float('inf')", "isinstance(a, int)", "numbers.decimal(text)"])
def test_what_is_no_conversion_is_not_found(code: str) -> None:
    assert not list(conversions(ast.parse(code)))


# ── text becomes bytes ──

# What is ASCII or was decoded strictly.
ASCII = ("json.dumps(", "f'portwright {__version__}", "known.")


def test_what_was_read_is_encoded_as_it_was_decoded() -> None:
    r"""A byte that is no UTF-8 is a lone surrogate in text, and a strict encode() raises: whoever encodes says what becomes of it."""
    found = {
        f"{path.relative_to(SOURCE)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encode"
        if len(node.args) < 2 and not ast.unparse(node).startswith(ASCII)
    }

    assert found == set()
