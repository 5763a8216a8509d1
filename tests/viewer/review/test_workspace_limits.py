"""One visitor may not fill the server with work lists."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deep_pneumonia.errors import LimitError
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.viewer.guard import owners
from deep_pneumonia.viewer.guard.visitors import VISITOR, Visitor
from deep_pneumonia.viewer.review import workspaces as module
from deep_pneumonia.viewer.review.workspaces import Workspaces

TOKENS = [f"{number:032x}" for number in range(4)]


def predict(*_: object) -> Prediction:
    raise AssertionError("there is nothing to predict")


@pytest.fixture
def registry() -> Iterator[Workspaces]:
    with Workspaces(predict, "0" * 64, []) as registry:
        yield registry


@pytest.fixture(autouse=True)
def asked_from() -> Iterator[None]:
    """The address of a visitor, for as long as a test runs."""
    kept = VISITOR.set(Visitor("10.0.0.1"))
    yield
    VISITOR.reset(kept)


def test_a_visitor_has_so_many_lists_and_another_one_too(registry: Workspaces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VISITOR_LISTS", 2)
    first = [registry.open(token) for token in TOKENS[:2]]
    with pytest.raises(LimitError, match=r"deleted an hour after their last use, so try again later\.$"):
        registry.open(TOKENS[2])
    assert registry.open(TOKENS[0]).name == first[0].name, "a list that exists opens"
    VISITOR.set(Visitor("10.0.0.2"))
    registry.open(TOKENS[2])
    VISITOR.set(Visitor("10.0.0.1"))
    registry.delete_unused(before=2.0**33)
    registry.open(TOKENS[3])


def test_all_visitors_together_have_so_many_lists(registry: Workspaces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LISTS", 1)
    registry.open(TOKENS[0])
    VISITOR.set(Visitor("10.0.0.2"))
    with pytest.raises(LimitError, match="as many work lists as it can"):
        registry.open(TOKENS[1])


def test_the_lists_of_a_visitor_hold_so_many_bytes(registry: Workspaces, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = [registry.open(token) for token in TOKENS[:2]]
    held = sum(path.stat().st_size for own in lists for path in own.workspace.folder.rglob("*") if path.is_file())
    monkeypatch.setattr(module, "MAX_LISTS_BYTES", held + 1000)
    registry.check_room(lists[0], 1000)
    with pytest.raises(LimitError, match="export your work, and try again later"):
        registry.check_room(lists[0], 1001)


def test_a_shared_list_grows_until_its_disk_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Workspaces(predict, "0" * 64, [], tmp_path / "shared")
    monkeypatch.setattr(module, "MAX_LISTS_BYTES", 0)
    registry.check_room(registry.open(None), 1000)
    monkeypatch.setattr(owners, "MIN_FREE_BYTES", 2**60)
    with pytest.raises(LimitError, match="disk is nearly full"):
        registry.check_room(registry.open(None), 0)
