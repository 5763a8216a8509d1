"""Run lengths of COCO: hand-worked values, the way there and back, and damaged ones."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks import rle
from deep_pneumonia.masks.rle import decode, encode

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))
WORKED = np.array([[0, 1, 1], [0, 1, 0]], bool)  # column by column: two of background, three of lesion, one more


def compressed(runs: list[int]) -> str:
    """The string that rleToString of the COCO API makes."""
    text = ""
    for i, run in enumerate(runs):
        rest = run - runs[i - 2] if i > 2 else run
        while True:
            group, rest = rest & 31, rest >> 5
            more = rest != (-1 if group & 16 else 0)
            text += chr(48 + group + 32 * more)
            if not more:
                break
    return text


def test_runs_by_hand() -> None:
    assert encode(WORKED) == [2, 3, 1]
    assert encode(~WORKED) == [0, 2, 3, 1]
    assert encode(np.zeros((2, 3), bool)) == [6]
    assert encode(np.ones((2, 3), bool)) == [0, 6]
    for runs in ([2, 3, 1], "231", [2, 0, 0, 3, 1], [2, 3, 1, 0]):
        mask = decode(runs, (2, 3), "a.json")
        np.testing.assert_array_equal(mask, WORKED)
        assert mask.dtype == np.bool_
        assert mask.flags.c_contiguous


def test_a_compressed_string_by_hand() -> None:
    # 40 is 8 + 1 * 32: X (48 + 8 + 32) and 1. The fourth run is 38, -2 from the second: N (48 + 30).
    # The fifth is 60, 50 from the
    # third, 18 + 1 * 32: b and 1.
    mask = decode("X1X1:Nb1", (188, 1), "a.json")
    assert encode(mask) == [40, 40, 10, 38, 60]


@given(MASKS)
def test_every_mask_comes_there_and_back(mask: NDArray[np.bool_]) -> None:
    runs = encode(mask)
    assert sum(runs) == mask.size
    np.testing.assert_array_equal(decode(runs, mask.shape, "a.json"), mask)
    np.testing.assert_array_equal(decode(compressed(runs), mask.shape, "a.json"), mask)


@pytest.mark.parametrize("first", [0, 15, 16, 31, 32, 511, 512, 1023, 1024, 40_000, 999_996])
def test_long_runs_of_several_groups(first: int) -> None:
    runs = [first, 1_000_000 - first - 4, 1, 1, 1, 1]
    mask = decode(compressed(runs), (1000, 1000), "a.json")
    assert int(mask.sum()) == 1_000_000 - first - 4 + 2
    np.testing.assert_array_equal(mask, decode(runs, (1000, 1000), "a.json"))


@pytest.mark.parametrize(
    "counts",
    [
        [],
        [3],
        [5],
        [5, -1],
        [2, 2.0],
        [True, 3],
        [2, None],
        [2, "2"],
        [10**30],
        [2**63, 2**63, 4],
        None,
        4,
        {"counts": [4]},
        "",
        "3",
        "5",
        "ö",
        "4T",  # cut short: more groups should follow
        "T",
        " 0",  # before the first character of the code; as one of it, it would mean 16
        "/4",
        "p4",  # behind the last one; as one of it, it would mean 0
        "PPPPPPP04",  # eight groups
        "O5",  # -1 and 5
        "O32",  # -1, 3 and 2
        b"4",
    ],
)
def test_damaged_runs_are_refused(counts: object) -> None:
    for side in (2, 4):
        message = f"a.json has run lengths (RLE) that are damaged or do not add up to {side} x {side} pixels"
        with pytest.raises(AnnotationError, match=re.escape(message)):
            decode(counts, (side, side), "a.json")


def test_seven_groups_are_read() -> None:
    assert decode("PPPPPP04", (2, 2), "a.json").all()


def test_a_string_of_the_largest_length_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rle, "MAX_RUN_LENGTH_TEXT", 4)
    assert compressed([1, 1, 1, 1]) == "1110"
    assert decode("1110", (2, 2), "a.json").sum() == 2
    with pytest.raises(AnnotationError):
        decode("1110O", (2, 2), "a.json")
