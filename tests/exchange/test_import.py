"""An import gives the same state, adds nothing twice and loses nothing of either side."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.errors import ExchangeError
from deep_pneumonia.exchange.export import export
from deep_pneumonia.exchange.merge import Imported, import_into
from deep_pneumonia.masks.annotation import read_as_normal, to_png
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.worklist.collect import cases_from
from deep_pneumonia.worklist.database import transaction
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.workspace import Workspace
from tests.dicom_objects import RAMP, data_set, written
from tests.work_lists import SIZE, annotation, full_state, small_workspace

NOTHING = Imported(0, 0, 0, 0, ())
STEP = st.tuples(
    st.sampled_from(["draw", "normal", "remove", "judge"]),
    st.integers(1, 2),
    st.sampled_from(["Ana", "B;n/", "Çem\n"]),
    st.integers(0, 3),
)


def happen(space: Workspace, steps: list[tuple[str, int, str, int]]) -> None:
    """A history: who does what to which case; a `remove` of nobody is left out."""
    for what, number, who, seed in steps:
        version = len(space.versions(number, who))
        if what == "draw":
            space.draw(number, annotation(seed, who), version=version, author=f"author {seed}")
        elif what == "normal":
            space.draw(number, read_as_normal(SIZE, reader=who), version=version, author=f"author {seed}")
        elif what == "remove" and version:
            space.remove(number, who, version=version, author=f"author {seed}")
        elif what == "judge":
            verdicts = space.verdicts(number).get(number, {})
            seen = verdicts[who].version if who in verdicts else 0
            space.judge(number, who, VERDICTS[seed], f"=comment {seed}\n", version=seen)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=14), st.booleans(), st.booleans())
def test_an_import_gives_the_same_state_and_a_second_one_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str, int]], packed: bool, copied: bool
) -> None:
    folder = tmp_path_factory.mktemp("case")
    space = small_workspace(folder)
    happen(space, steps)
    target = folder / ("out.zip" if packed else "out")
    made = export(space, target, radiographs=copied)
    other = Workspace(folder / "other")
    assert import_into(other, target) == Imported(2, made.masks, made.verdicts, 0, ())
    assert full_state(other) == full_state(space)
    assert other.items()[0].case.masks == tuple(
        m if m.path is None else type(m)(other.store.path(m.path.stem), m.kind, m.reader)
        for m in space.items()[0].case.masks
    )
    assert import_into(other, target) == import_into(space, target) == NOTHING
    assert full_state(other) == full_state(space)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=6), st.lists(STEP, max_size=6), st.lists(STEP, max_size=6))
def test_two_who_went_on_apart_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, common: list[Any], mine: list[Any], theirs: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("apart")
    space, other = small_workspace(folder), Workspace(folder / "other")
    happen(space, common)
    export(space, folder / "common", radiographs=True)
    import_into(other, folder / "common")
    happen(space, mine)
    happen(other, theirs)
    export(other, folder / "theirs.zip")
    before = [(set(c[3]), set(c[5])) for c in full_state(space)]
    import_into(space, folder / "theirs.zip")

    def said(state: list[Any]) -> list[tuple[set[Any], set[Any]]]:
        """What was drawn and judged, by whom and when, whatever its version's number."""
        return [
            ({(d[0], *d[2:]) for d in c[3]}, {(v.reviewer, v.verdict, v.comment, v.time) for v in c[5]}) for c in state
        ]

    after = full_state(space)
    for (drawings, verdicts), case in zip(before, after, strict=True):
        assert drawings <= set(case[3])
        assert verdicts <= set(case[5])
    for ours, others in zip(said(after), said(full_state(other)), strict=True):
        assert others[0] <= ours[0]
        assert others[1] <= ours[1]
    assert import_into(space, folder / "theirs.zip") == NOTHING
    assert full_state(space) == after


def test_a_conflict_keeps_both_and_the_imported_version_comes_after(tmp_path: Path) -> None:
    space, other = small_workspace(tmp_path), Workspace(tmp_path / "other")
    space.draw(1, annotation(1), version=0, author="Ana")
    export(space, tmp_path / "out")
    import_into(other, tmp_path / "out")
    space.draw(1, annotation(2), version=1, author="Ben")
    space.judge(1, "Ana", "agree", version=0)
    other.draw(1, annotation(3), version=1, author="Cem")
    other.judge(1, "Ana", "unsure", version=0)
    export(other, tmp_path / "theirs")
    assert import_into(space, tmp_path / "theirs") == Imported(0, 1, 1, 2, ())
    assert [(d.version, d.author) for d in space.versions(1, "Ana")] == [(1, "Ana"), (2, "Ben"), (3, "Cem")]
    np.testing.assert_array_equal(space.drawings(1)[0].annotation(SIZE).mask, annotation(3).mask)
    assert space.verdicts(1)[1]["Ana"].verdict == "unsure"


def test_what_came_with_the_same_case_elsewhere_is_not_doubled(drawn_set: Path, tmp_path: Path) -> None:
    one, two = Workspace(tmp_path / "one"), Workspace(tmp_path / "two")
    for space in (one, two):
        space.add(read_manifests([drawn_set]))
    with_time = "UPDATE drawings SET time = '2020-01-01T00:00:00Z'"
    with transaction(one.database) as db:
        db.execute(with_time)
    export(one, tmp_path / "out")
    assert import_into(two, tmp_path / "out") == NOTHING


def test_copies_without_identity_stand_for_the_originals(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    words = PngImagePlugin.PngInfo()
    words.add_text("Patient", "Doe")
    (tmp_path / "a.dcm").write_bytes(written(data_set(RAMP, WindowCenter=2048, WindowWidth=4096)))
    Image.fromarray((RAMP // 16).astype(np.uint8)).save(tmp_path / "b.png", pnginfo=words)
    mask = annotation(1, size=RAMP.shape)
    Image.fromarray(mask.mask.astype(np.uint8) * 255).save(tmp_path / "b-mask.png", pnginfo=words)
    (tmp_path / "set").mkdir()
    for name in ("a.dcm", "b.png", "b-mask.png"):
        (tmp_path / name).rename(tmp_path / "set" / name)
    assert space.add(cases_from(tmp_path / "set")) == 2
    space.draw(1, mask, version=0, author="Ana")
    export(space, tmp_path / "out.zip", radiographs=True)
    other = Workspace(tmp_path / "other")
    assert import_into(other, tmp_path / "out.zip") == Imported(2, 2, 0, 0, ())
    assert [i.key for i in other.items()] == [i.key for i in space.items()]
    assert [i.case.image.name for i in other.items()] == ["a.png", "b.png"]
    for a, b in zip(other.items(), space.items(), strict=True):
        assert np.abs(decode(a.case.image).pixels - decode(b.case.image).pixels).max() <= 1 / 65535
        assert a.case.image.is_relative_to(other.folder)
        for x, y in zip(a.case.annotations(RAMP.shape), b.case.annotations(RAMP.shape), strict=True):
            np.testing.assert_array_equal(x.mask, y.mask)
    assert import_into(other, tmp_path / "out.zip") == import_into(space, tmp_path / "out.zip") == NOTHING
    export(other, tmp_path / "again.zip", radiographs=True)
    assert import_into(space, tmp_path / "again.zip") == NOTHING
    plain = Workspace(tmp_path / "plain")  # knows the copies only
    export(space, tmp_path / "out", radiographs=True)
    plain.add(cases_from(tmp_path / "out"))
    assert import_into(plain, tmp_path / "out.zip").cases == 0


def test_a_radiograph_that_is_nowhere_leaves_its_case_out(tmp_path: Path) -> None:
    space = small_workspace(tmp_path, cases=3)
    space.draw(2, annotation(1), version=0, author="Ana")
    export(space, tmp_path / "out")
    with pytest.raises(ExchangeError, match="None of the 3 radiographs"):
        import_into(Workspace(tmp_path / "stranger"), tmp_path / "out", local=False)
    (tmp_path / "images" / "chest-1.png").unlink()
    (tmp_path / "images" / "chest-2.png").write_bytes(to_png(annotation(1).mask))
    other = Workspace(tmp_path / "other")
    assert import_into(other, tmp_path / "out") == Imported(1, 0, 0, 0, ("chest-1.png", "chest-2.png"))
    (tmp_path / "images" / "chest-0.png").unlink()
    with pytest.raises(ExchangeError, match=r"None of the 3 radiographs.*export with the radiographs"):
        import_into(Workspace(tmp_path / "third"), tmp_path / "out")
