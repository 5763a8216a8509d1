"""The load study: what it counts as wrong, and a short run against the viewer in its own process."""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from studies import load
from studies.fuzz_folders import checkpoint
from studies.load_visitor import ACTIONS, Failed, Films, Visitor, alike


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    for name, content in checkpoint().items():
        (folder / name).write_bytes(content)
    return folder


class Answering(Visitor):
    """A visitor whose server answers with the next of some answers."""

    def __init__(self, films: Films, *answers: Any) -> None:
        self.number, self.films, self.random = 7, films, Random(0)
        self.answers: Iterator[Any] = iter(answers)

    def _upload(self, data: bytes, name: str) -> dict[str, Any]:  # noqa: ARG002
        return {"path": name}

    def _call(self, endpoint: str, *given: object) -> Any:  # noqa: ARG002
        answer = next(self.answers)
        return answer | {"file": given[0]["path"]} if isinstance(answer, dict) and "file" not in answer else answer


def test_an_answer_about_another_film_mask_or_visitor_is_wrong(small: Path, tmp_path: Path) -> None:
    films = Films(str(small), tmp_path)
    film, other = films.all[0], films.all[1]
    films.all = [film]
    right = {key: value for key, value in film.answer.items() if key != "file"}
    assert Answering(films, right).act("radiograph with mask") == "right"
    assert Answering(films, right | {"agreement": []}).act("radiograph") == "right"
    assert Answering(films, None).act("radiograph") == "busy"
    for wrong in (
        right,  # a mask that was not sent
        right | {"agreement": [], "file": "visitor-8.png"},
        right | {"agreement": [], "probabilities": dict.fromkeys(right["probabilities"], 0.3)},
        "The file is empty; choose another file.",
    ):
        with pytest.raises(Failed):
            Answering(films, wrong).act("radiograph")
    assert film.answer["agreement"] != other.answer["agreement"]
    with pytest.raises(Failed):
        Answering(films, right | {"agreement": other.answer["agreement"]}).act("radiograph with mask")


def test_a_damaged_file_gets_an_answer_or_one_sentence(small: Path, tmp_path: Path) -> None:
    films = Films(str(small), tmp_path)
    assert Answering(films, "It is empty; choose another file.").act("damaged radiograph") == "refused"
    assert Answering(films, {"probabilities": {"a": 0.25, "b": 0.75}}).act("damaged mask") == "right"
    for wrong in ("None", "KeyError", {"probabilities": {"a": 0.25}}):
        with pytest.raises(Failed):
            Answering(films, wrong).act("damaged radiograph")


def test_json_is_alike_but_for_the_last_digits_of_numbers() -> None:
    assert alike({"a": [1.00001, "x", None]}, {"a": [1.0, "x", None]})
    assert not alike({"a": 1.1}, {"a": 1.0})
    assert not alike({"a": 1.0}, {"a": 1.0, "b": 2})
    assert not alike([1.0], [1.0, 1.0])


@pytest.mark.slow
def test_a_few_visitors_get_their_own_answers(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--visitors", "3", "--minutes", "0.1", "--checkpoint", str(small)]
    assert load.main(options) == 0, capsys.readouterr().out
    printed = capsys.readouterr().out
    assert [line[:22].strip() for line in printed.splitlines()[1:-2]] == [*dict.fromkeys(ACTIONS), "all"]
    assert re.search(r"\+0\.0%\), \d+ MiB at most; 3 visitors", printed), "a run below a minute has one mean"
    assert "Tracebacks in the log of the server: 0" in printed
    assert load.main(["--visitors", "1"]) == 2
