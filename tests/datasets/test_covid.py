"""Adapter covid: labels, patients and pasted masks."""

import numpy as np
import pytest

from deep_pneumonia.datasets.covid import label_of
from tests.raw_sets import draw_covid, readers_of, refused, run


@pytest.fixture
def covid(tmp_path):
    return draw_covid(tmp_path)


def test_covid_frontal_radiographs_at_hand_with_labels(covid, tmp_path):
    cases = run("covid", covid[0], tmp_path / "out")
    told = {s: (c.patient, c.label, c.sex, c.age, c.view, c.masks) for s, c in cases.items()}
    assert told == {
        "one": ("1", "Viral pneumonia", "M", "65", "PA", ()),
        "two": ("2", "Normal", "", "", "AP", ()),
        "same": ("3", "Bacterial pneumonia", "F", "70", "AP Supine", ()),
        "later": ("3", "", "F", "71", "AP", ()),  # patient 4 is patient 3: they share a file
    }


def test_covid_masks_are_pasted_and_fitted_to_the_image_at_hand(covid, tmp_path):
    cases = run("covid", covid[0], "--masks", covid[1], tmp_path / "out")
    assert readers_of(cases["one"]) == [("GeneralBlockchain", "pixel")]
    mask = cases["one"].annotations((4, 6))[0].mask  # half of the frame's 8 x 12
    np.testing.assert_array_equal(np.argwhere(mask), [[1, 2], [3, 5]])
    assert cases["two"].masks == ()  # only a lung was drawn there


def test_covid_images_that_only_the_masks_have_are_added_without_label(covid, tmp_path):
    cases = run("covid", covid[0], "--masks", covid[1], tmp_path / "out")
    assert set(cases) == {"one", "two", "same", "later", "new"}
    assert (cases["new"].label, cases["new"].patient) == ("", "new")
    assert cases["new"].annotations((8, 12))[0].mask.sum() == 4


def test_covid_names_the_missing_part(covid, tmp_path, capsys):
    raw, masks = covid
    out = tmp_path / "out"
    (masks / "masks" / "m1.png").unlink()
    assert "m1.png" in refused(capsys, "covid", raw, "--masks", masks, out)
    (masks / "structure.csv").unlink()
    assert "structure.csv" in refused(capsys, "covid", raw, "--masks", masks, out)
    for file in (raw / "images").iterdir():
        file.unlink()
    assert "holds none of the frontal radiographs" in refused(capsys, "covid", raw, out)
    (raw / "metadata.csv").unlink()
    assert "metadata.csv" in refused(capsys, "covid", raw, out)


@pytest.mark.parametrize(
    ("finding", "label"),
    [
        ("COVID-19", "Viral pneumonia"),
        ("COVID-19, ARDS", "Viral pneumonia"),
        ("Pneumonia/Viral/COVID-19", "Viral pneumonia"),
        ("Pneumonia/Viral/Influenza/H1N1", "Viral pneumonia"),
        ("Pneumonia/Viral/Herpes ", "Viral pneumonia"),
        ("Streptococcus", "Bacterial pneumonia"),
        ("Mycoplasma Bacterial Pneumonia", "Bacterial pneumonia"),
        ("Pneumonia/Bacterial/Staphylococcus/MRSA", "Bacterial pneumonia"),
        ("Pneumonia/Bacterial", "Bacterial pneumonia"),
        ("No Finding", "Normal"),
        ("Pneumonia/Fungal/Pneumocystis", ""),
        ("Pneumonia", ""),
        ("Tuberculosis", ""),
        ("ARDS", ""),
        ("COVID-19, Streptococcus", ""),
        ("", ""),
    ],
)
def test_covid_findings(finding, label):
    assert label_of(finding) == label
