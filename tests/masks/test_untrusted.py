"""Checks of JSON from strangers: what is accepted to the last value, and what is refused."""

import math

import pytest

from deep_pneumonia.errors import AnnotationError, TooLargeAnnotationError
from deep_pneumonia.masks import untrusted
from deep_pneumonia.masks.untrusted import frame, items, numbers, parse_json


def test_json_with_a_mark_of_byte_order_and_numbers_of_other_tools_is_read() -> None:
    assert parse_json('\ufeff{"a": [1, 2.5, "ö", null]}'.encode(), "a.json") == {"a": [1, 2.5, "ö", None]}
    assert math.isnan(parse_json(b"[NaN]", "a.json")[0])


@pytest.mark.parametrize("data", [b"", b"{", b"{'a': 1}", b"\xff\xfe[]", b"[1] 2", b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(AnnotationError, match=r"^a\.json is not JSON, or is damaged, cut short or nested too deep"):
        parse_json(data, "a.json")


@pytest.mark.parametrize(
    ("data", "estimate"),
    [
        (b"[1, 2, 3]", 100 + 2 * 40),
        (b"[[[[", 4 * 100),
        (b'{"a": {"b": 1}}', 2 * 250 + 4 * 35),
        (b'["a", "b"]', 100 + 40 + 4 * 35),
    ],
)
def test_memory_of_json_is_estimated_before_it_is_parsed(
    data: bytes, estimate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untrusted, "from_json", lambda _: "parsed")
    monkeypatch.setattr(untrusted, "MAX_JSON_MEMORY", estimate)
    assert parse_json(data, "a.json") == "parsed"
    monkeypatch.setattr(untrusted, "MAX_JSON_MEMORY", estimate - 1)
    with pytest.raises(TooLargeAnnotationError, match=f"more than {estimate - 1} bytes of memory; export"):
        parse_json(data, "a.json")


def test_a_list_of_objects() -> None:
    assert items([{"a": 1}, {}], "images", "a.json") == [{"a": 1}, {}]
    assert items([], "images", "a.json") == []
    for value in (None, {}, "", ({},), [{}, 1], [[]], [None]):
        with pytest.raises(AnnotationError, match=r"^a\.json has no list of images where one is expected"):
            items(value, "images", "a.json")


def test_numbers_are_finite_and_at_most_a_million() -> None:
    found = numbers([1, 2.5, -1_000_000, 1_000_000.0], "a box", "a.json", count=4)
    assert found == [1.0, 2.5, -1e6, 1e6]
    assert all(type(value) is float for value in found)
    assert numbers((1, 2), "a box", "a.json") == [1.0, 2.0]
    assert numbers([], "a box", "a.json") == []


@pytest.mark.parametrize(
    "values",
    [[1, True], [1, "2"], [1, None], [1, [2]], [1, math.nan], [1, math.inf], [1, 1_000_000.1], [1, -1_000_001],
     [1, 10**5000], "12", {1: 2, 3: 4}, None, 12],
)  # fmt: skip
def test_other_values_are_refused(values: object) -> None:
    message = rf"^a\.json has a box that is not a list of {'{}'}numbers of at most 1000000 pixels"
    with pytest.raises(AnnotationError, match=message.format("")):
        numbers(values, "a box", "a.json")
    with pytest.raises(AnnotationError, match=message.format("2 ")):
        numbers(values, "a box", "a.json", count=2)


def test_another_count_of_numbers_is_refused() -> None:
    for values in ([1], [1, 2, 3], []):
        with pytest.raises(AnnotationError, match="a list of 2 numbers"):
            numbers(values, "a box", "a.json", count=2)


def test_the_size_of_an_image_is_whole_numbers_from_1_or_not_stated() -> None:
    assert frame(None, None, (3, 4), "a.json") == (3, 4)
    assert frame(1, 20.0, (3, 4), "a.json") == (1, 20)
    assert all(type(side) is int for side in frame(1, 20.0, (3, 4), "a.json"))
    for height, width in ((0, 5), (5, 0), (-1, 5), (5, 2.5), (2.5, 5)):
        with pytest.raises(AnnotationError, match=rf"^a\.json has an image of {height} x {width} pixels"):
            frame(height, width, (3, 4), "a.json")
    for height, width in ((None, 5), (5, None), ("5", 5), (True, 5)):
        with pytest.raises(AnnotationError, match=r"^a\.json has an image size that is not a list of 2 numbers"):
            frame(height, width, (3, 4), "a.json")
