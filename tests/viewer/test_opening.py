"""What opens a case: the first one, a thumbnail, files in the boxes, and the files of a tab that was reloaded."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.utils import get_upload_folder

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.errors import UnreadableFileError
from deep_pneumonia.viewer.opening import Opening
from tests.blocks import inside


def laid_out(cases: list[Any]) -> Opening:
    def work() -> Opening:
        with gr.Blocks():
            return Opening(cases)

    return inside(work)


@pytest.fixture(scope="module")
def opening() -> Opening:
    return laid_out(load_cases(shipped.CASES))


def test_a_visitor_finds_the_first_case_open_or_an_empty_screen(opening: Opening) -> None:
    first = load_cases(shipped.CASES)[0]
    assert opening.first() == ([str(first.image)], [str(m.path) for m in first.masks if m.path])
    assert laid_out([]).first() == (None, None)


def test_a_reload_opens_what_the_tab_had_open(
    opening: Opening, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    upload = Path(get_upload_folder()) / "abc" / "chest.png"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"x")
    third = load_cases(shipped.CASES)[2].image
    assert opening.first({"file": str(upload), "masks": []}) == ([str(upload)], None)
    assert opening.first({"file": str(third), "masks": [str(upload)]}) == ([str(third)], [str(upload)])


@pytest.mark.parametrize(
    "last",
    [
        None, 5, [], {}, {"file": None}, {"file": 3, "masks": []}, {"file": "/etc/passwd", "masks": []},
        {"file": "gone.png", "masks": []}, {"file": "a\0b", "masks": None},
    ],
)  # fmt: skip
def test_no_other_file_of_the_machine_is_ever_opened(opening: Opening, last: Any) -> None:
    assert opening.first(last) == opening.first()
    case = load_cases(shipped.CASES)[1].image
    assert opening.first({"file": str(case), "masks": [__file__]}) == opening.first()
    sly = f"{shipped.CASES}/../checkpoint/model.json"
    assert opening.first({"file": sly, "masks": []}) == opening.first()


def test_a_box_holds_one_file_or_several(opening: Opening) -> None:
    case = load_cases(shipped.CASES)[0]
    image, masks = str(case.image), [str(m.path) for m in case.masks]
    assert opening.files(image, None) == (image, [])
    assert opening.files([*masks, image], []) == (image, masks)
    assert opening.files(None, masks) == (None, masks)
    with pytest.raises(UnreadableFileError, match="one radiograph"):
        opening.files([image, str(load_cases(shipped.CASES)[1].image)], None)
