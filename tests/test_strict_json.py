"""What is wrong with JSON from strangers is said in one line: where, what was got, what was expected."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field, ValidationError

from deep_pneumonia.strict_json import MismatchError, StrictModel, first_problem, one_of


def short(values: list[int]) -> list[int]:
    if len(values) > 2:
        raise MismatchError("[2]", values[2], "two numbers")
    return values


class Part(StrictModel):
    name: Annotated[str, Field(min_length=1, max_length=5)]
    size: Annotated[int, Field(ge=0, lt=9)] = 0
    kind: Annotated[str, one_of(("box", "pixel"))] = "box"
    mode: Literal["on", "off"] = "on"
    share: float = 0.5
    seen: bool = False
    values: Annotated[list[int], AfterValidator(short)] = Field(default_factory=list)


class Whole(StrictModel):
    parts: Annotated[list[Part], Field(max_length=3)]


GOOD: dict[str, Any] = {"name": "a", "unknown": [1]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": 3}, "parts[1].name is 3, expected text"),
        ({"name": ""}, "parts[1].name is '', expected text of at least 1 characters"),
        ({"name": "x" * 99}, f"parts[1].name is '{'x' * 59}, expected text of at most 5 characters"),
        ({"name": "\ud800"}, "parts[1].name is '\\ud800', expected text without halves of characters"),
        ({"size": "1"}, "parts[1].size is '1', expected a whole number"),
        ({"size": True}, "parts[1].size is True, expected a whole number"),
        ({"size": -1}, "parts[1].size is -1, expected a number of at least 0"),
        ({"size": 9}, "parts[1].size is 9, expected a number below 9"),
        ({"kind": "line"}, "parts[1].kind is 'line', expected one of box, pixel"),
        ({"mode": "x"}, "parts[1].mode is 'x', expected 'on' or 'off'"),
        ({"share": "much"}, "parts[1].share is 'much', expected a number"),
        ({"seen": 1}, "parts[1].seen is 1, expected true or false"),
        ({"values": {}}, "parts[1].values is {}, expected a list"),
        ({"values": [1, 2, 7]}, "parts[1].values[2] is 7, expected two numbers"),
    ],
)
def test_the_first_problem_is_told(change: dict[str, Any], said: str) -> None:
    assert problem({"parts": [GOOD, GOOD | change]}) == said


def problem(document: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(document)
    return first_problem(caught.value)


def test_missing_parts_other_types_and_long_lists_are_told() -> None:
    assert problem({"parts": [{}]}) == "parts[0].name is missing"
    assert problem({"parts": [7]}) == "parts[0] is 7, expected an object"
    assert problem([]) == "it is [], expected an object"
    assert problem({"parts": [GOOD] * 4}).endswith("expected at most 3 entries")


def test_nothing_is_converted_and_unknown_parts_are_left_alone() -> None:
    (part,) = Whole.model_validate({"parts": [GOOD]}).parts
    assert (part.name, part.size, part.values) == ("a", 0, [])


def quoted(text: str) -> str:
    raise ValueError(f"another name than {text!a}")


class Quoting(StrictModel):
    name: Annotated[str, AfterValidator(quoted)]


@pytest.mark.parametrize("name", ["{}", "{0}", "{error}", "{", "}", "{error.__class__}"])
def test_braces_of_an_input_are_no_template(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Quoting.model_validate({"name": name})
    assert first_problem(caught.value) == f"name is {name!r}, expected another name than {name!r}"
