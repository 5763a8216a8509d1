"""JSON of unknown origin, checked against pydantic models without converting types.

Each caller raises its own error from the first problem: "cases[0].split is 'x', expected one of train, val, test".
"""

from collections.abc import Sequence

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

MAX_SHOWN_LENGTH = 60  # characters of a wrong value in a message

# What is expected, by pydantic's type of error.
EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "float_type": "a number",
    "greater_than_equal": "a number of at least {ge}",
    "int_type": "a whole number",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "an object",
    "string_too_long": "text of at most {max_length} characters",
    "string_too_short": "text of at least {min_length} characters",
    "string_type": "text",
    "string_unicode": "text without halves of characters",
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} entries",
    "tuple_type": "a list",
}


class StrictModel(BaseModel):
    """A frozen model that converts no types: "1" is no number, and 1 is not true. Unknown keys are ignored."""

    model_config = ConfigDict(strict=True, frozen=True)


class MismatchError(ValueError):
    """A part of a value, at `place` within it such as "[2].version", is `got` and not as `expected`."""

    def __init__(self, place: str, got: object, expected: str) -> None:
        super().__init__(expected)
        self.place, self.got = place, got


def one_of(choices: Sequence[str]) -> AfterValidator:
    """Accept only a text among `choices`."""

    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return AfterValidator(check)


def first_problem(error: ValidationError) -> str:
    """Where the first problem lies, what was got there and what was expected, in one line."""
    found = error.errors(include_url=False)[0]
    where, context = _place(found["loc"]), found.get("ctx", {})
    cause = context.get("error")
    if found["type"] == "missing":
        return f"{where} is missing"
    known = EXPECTED.get(found["type"])  # pydantic's own words may quote the input, so they are no template
    expected = known.format(**context) if known else found["msg"].lower()
    got = found["input"]
    if isinstance(cause, ValueError):
        expected = str(cause)
    if isinstance(cause, MismatchError):
        where, got = where + cause.place, cause.got
    return f"{where or 'it'} is {ascii(got)[:MAX_SHOWN_LENGTH]}, expected {expected}"


def _place(steps: tuple[int | str, ...]) -> str:
    """Steps into a document as in JavaScript: cases[0].split."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
