"""The benchmark of calibrations: fits worked by hand, no image judged by a fit that saw its patient, plain tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.prediction.checkpoint import Checkpoint, save
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from studies import calibration
from studies.calibration import TODAY, Answers, Calibration, Line, better, cross_validated, fit, prior_of


def answers(logits: list[tuple[float, float]], labels: list[int], sources: str = "") -> Answers:
    n = len(labels)
    return Answers(
        torch.tensor(logits, dtype=torch.float64), torch.tensor(labels), np.array(list(sources or "a" * n)),
        np.array([f"p{i}" for i in range(n)]), np.arange(n) % 2,
    )  # fmt: skip


def network(training: dict[str, object]) -> Checkpoint:
    torch.manual_seed(0)
    made = AttentionNet(ModelConfig("shufflenet_v2_x0_5", classes=2, width=8)).eval()
    return Checkpoint(made, ("Clear", "Opacity"), "Clear", InputRecipe(64), training=training)


def test_a_slope_turns_a_margin_into_the_share_that_is_right() -> None:
    found = fit(answers([(1, 0)] * 4, [0, 0, 0, 1]))
    assert found.slope.tolist() == pytest.approx([np.log(3)], abs=1e-5)
    assert found.bias.tolist() == [0, 0]
    assert found.probabilities(torch.tensor([[1.0, 0.0]]).double())[0].tolist() == pytest.approx([0.75, 0.25], abs=1e-5)


def test_todays_temperature_is_the_same_fit() -> None:
    given = answers([(2, 0)] * 10, [0] * 8 + [1] * 2)
    assert float(calibration.one_temperature(given).slope) == pytest.approx(np.log(4) / 2, rel=0.01)
    assert float(fit(given).slope) == pytest.approx(np.log(4) / 2, abs=1e-5)


def test_sources_alike_have_one_voice_each() -> None:
    """Eight images of a source, six right, and two of another, one right: 7 of 10, or the mean of 3/4 and 1/2."""
    given = answers([(1, 0)] * 10, [0] * 6 + [1] * 2 + [0, 1], "aaaaaaaabb")
    assert float(fit(given).slope) == pytest.approx(np.log(7 / 3), abs=1e-5)
    assert float(fit(given, alike=True).slope) == pytest.approx(np.log(0.625 / 0.375), abs=1e-5)


def test_a_bias_is_the_log_odds_of_the_classes_where_logits_say_nothing() -> None:
    bias = fit(answers([(0, 0)] * 4, [0, 0, 0, 1]), biased=True).bias
    assert float(bias[0] - bias[1]) == pytest.approx(np.log(3), rel=0.02)  # the ridge pulls a little


def test_a_given_bias_is_kept_and_joins_the_slope() -> None:
    offset = torch.tensor([np.log(2), 0.0])
    found = fit(answers([(1, 0)] * 4, [0, 0, 0, 1]), offset=offset)
    assert found.bias.tolist() == offset.tolist()
    assert float(found.slope) == pytest.approx(np.log(3) - np.log(2), abs=1e-5)


def test_the_prior_takes_off_what_class_weights_put_on(tmp_path: Path) -> None:
    """One normal image and one lesion that stands three times: weights (1 - b) / (1 - b^n) at n = 1 and 3."""
    clear = Case(tmp_path / "a.png", "a", "s", "train", "Clear")
    drawn = Case(tmp_path / "b.png", "b", "s", "train", "Opacity", (MaskRef(tmp_path / "m.png", "pixel", "A"),))
    unseen = replace(drawn, split="val")
    options = {"class_balance": True, "beta": 0.5, "lesion_repeats": 3}
    found = prior_of(network({"options": options}), [clear, drawn, unseen])
    assert float(found[0] - found[1]) == pytest.approx(-np.log(1 / (0.5 / (1 - 0.5**3))))
    assert prior_of(network({"options": {**options, "class_balance": False}}), [clear, drawn]).tolist() == [0, 0]
    assert prior_of(network({}), [clear, drawn]).tolist() == [0, 0]


def test_no_image_is_judged_by_a_fit_that_saw_its_fold() -> None:
    given = answers([(float(i), 0.0) for i in range(6)], [0, 1] * 3)
    seen: list[list[float]] = []

    def spy(part: Answers) -> Calibration:
        seen.append(part.logits[:, 0].tolist())
        return Calibration(torch.zeros(1).double(), torch.tensor([0.0, float(len(seen))]).double())

    said = cross_validated(spy, given)
    assert seen == [[1, 3, 5], [0, 2, 4]]
    odd, even = (1 / (1 + np.exp(-n)) for n in (2, 1))
    assert said[:, 1].tolist() == pytest.approx([even, odd] * 3)


def test_figures_of_a_line_are_those_worked_by_hand() -> None:
    given = answers([(0, 0)] * 4, [0, 0, 0, 1])
    own, today = np.tile([0.5, 0.5], (4, 1)), np.tile([0.25, 0.75], (4, 1))
    found = calibration.line(own, today, given)
    assert found.loss.value == pytest.approx(np.log(2))
    assert found.gain.value == pytest.approx(np.log(2) - (3 * np.log(4) + np.log(4 / 3)) / 4)
    assert found.ece.value == pytest.approx(0.25)  # half sure, right in three of four
    assert found.accuracy == 0.75


@pytest.mark.parametrize(
    ("gains", "answer"),
    [
        ([(-0.2, -0.1), (-0.1, 0.1)], True),
        ([(-0.2, 0.1), (-0.1, 0.1)], False),  # no gain that is sure
        ([(-0.2, -0.1), (0.1, 0.2)], False),  # paid for by another source
        ([(None, None), (-0.2, -0.1)], True),
    ],
)
def test_better_is_what_gains_somewhere_and_loses_nowhere(
    gains: list[tuple[float | None, float | None]], answer: bool
) -> None:
    none = Estimate(0.0)
    lines = {str(i): Line(none, 0.0, none, Estimate(0.0, low, high), 0.0) for i, (low, high) in enumerate(gains)}
    assert better(lines) is answer


def test_the_table_has_every_candidate_and_reads_the_validation_split_alone(
    drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(network({}), tmp_path / "checkpoint")
    chart = tmp_path / "reliability.png"
    arguments = ["--checkpoint", str(tmp_path / "checkpoint"), "--cache", str(tmp_path / "cache"), "--folds", "3"]
    assert calibration.main([*arguments, "--manifest", str(drawn_set), "--chart", str(chart)]) == 0
    printed = capsys.readouterr().out
    assert "drawn: 6 labelled images of 6 patients" in printed
    rows = [line.strip() for line in printed.splitlines()]
    for name in calibration.candidates(torch.zeros(2)):
        assert sum(row.startswith(f"{name}  ") for row in rows) == 1, name
    today = next(row for row in rows if row.startswith(f"{TODAY}  "))
    assert "+0.000 (+0.000 to +0.000)" in today
    assert rows[-1].startswith("Better than one temperature")
    assert chart.stat().st_size > 5000


def test_without_validation_images_there_is_nothing_to_fit(
    drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(replace(network({}), classes=("Other", "None"), normal="None"), tmp_path / "checkpoint")
    assert calibration.main(["--checkpoint", str(tmp_path / "checkpoint"), "--manifest", str(drawn_set)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Other, None" in error
