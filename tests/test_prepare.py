"""The verb prepare on small data sets in each publisher's layout."""

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from deep_pneumonia.annotation import read_mask
from deep_pneumonia.covid import label_of
from deep_pneumonia.errors import PreparationError
from deep_pneumonia.manifest import read_manifests, split_of
from deep_pneumonia.prepare import main
from deep_pneumonia.sources import peek_size

METADATA = "patientid,sex,age,finding,view,modality,filename\n"
STRUCTURE = "Class,Filename,Image,Mask,Resolution,Top,Left\n"
RSNA_LABELS = "patientId,x,y,width,height,Target\n"


def picture(path: Path, size: tuple[int, int] = (8, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, 90, np.uint8)).save(path)
    return path


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def dicom(path: Path, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = pydicom.Dataset()
    data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    with pydicom.config.disable_value_validation():  # an age as RSNA's files have it
        data.PatientAge = "51"
    data.PatientSex, data.ViewPosition = "F", "AP"
    data.Rows, data.Columns = size
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)


def run(*argv: object) -> dict[str, object]:
    """Prepare, and give the cases by the image's stem; the last argument is the folder to write to."""
    assert main([*map(str, argv[:-1]), "--out", str(argv[-1])]) == 0
    return {case.image.stem: case for case in read_manifests([Path(str(argv[-1])) / "manifest.csv"])}


def refused(capsys, *argv: object) -> str:
    """The one line that prepare writes when it cannot do what was asked."""
    assert main([*map(str, argv[:-1]), "--out", str(argv[-1])]) == 2
    line = capsys.readouterr().err
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert not (Path(str(argv[-1])) / "manifest.csv").exists()
    return line


@pytest.fixture
def nih(tmp_path):
    """Ten images, 8 x 8 pixels, so that 128 of the publishers' units are one pixel."""
    raw = tmp_path / "nih"
    for n in range(10):
        picture(raw / "images" / f"0000000{n}_000.jpg")
    picture(raw / "images" / "00000001_001.jpg")
    text(
        raw / "BBox_List_2017.csv",
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00000000_000.png,Pneumonia,0,0,256,128\n00000000_000.png,Infiltrate,0,256,128,128\n"
        "00000001_000.png,Mass,128,128,128,128\n00000005_000.png,Mass,128,128,128,128\n",
    )
    text(
        raw / "rsna" / "stage_2_train_labels.csv",
        RSNA_LABELS
        + "a,512,512,256,128,1\na,0,0,128,128,1\nb,,,,,0\nc,,,,,0\nd,,,,,0\ne,512,512,256,128,1\nf,,,,,0\n",
    )
    text(
        raw / "rsna" / "stage_2_detailed_class_info.csv",
        "patientId,class\na,Lung Opacity\na,Lung Opacity\nb,Normal\nc,No Lung Opacity / Not Normal\n"
        "d,Normal\ne,Lung Opacity\nf,Normal\n",
    )
    text(
        raw / "rsna" / "nih_names.csv",
        "patientId,nih_image\na,00000000_000.png\nb,00000002_000.png\nc,00000003_000.png\n"
        "d,00000005_000.png\ne,00000006_000.png\nf,00000008_000.png\n",
    )
    square = [[256, 256], [512, 256], [512, 512], [256, 512]]
    entries = [
        (
            "00000000_000.png",
            ["Effusion", "Consolidation"],
            [[[0, 0], [128, 0], [128, 128], [0, 128]], square],
        ),
        ("00000001_000.png", ["Nodule"], [square]),
        ("00000002_000.png", [], []),
        ("00000003_000.png", [], []),
        ("00000004_000.png", [], []),
        ("00000006_000.png", [], []),
        ("00000007_000.png", ["Nodule"], [square]),
    ]
    keys = ("file_name", "syms", "polygons")
    text(raw / "ChestX_Det.json", json.dumps([dict(zip(keys, e, strict=True)) for e in entries]))
    text(
        raw / "google2019_labels.csv",
        "Image Index,Fracture,Pneumothorax,Airspace opacity,Nodule or mass\n00000008_000.png,NO,NO,NO,YES\n",
    )
    text(
        raw / "Data_Entry_2017.csv",
        "Image Index,Patient Age,Patient Gender,View Position\n00000000_000.png,58,M,PA\n",
    )
    return raw


def readings(case) -> list[tuple[str, str]]:
    return [(m.reader, m.kind) for m in case.masks]


def test_nih_keeps_one_mask_for_each_group_of_readers(nih, tmp_path):
    case = run("nih", nih, tmp_path / "out")["00000000_000"]
    assert (case.label, case.patient, case.source) == ("Lung opacity", "00000000", "nih")
    assert (case.sex, case.age, case.view) == ("M", "58", "PA")
    assert readings(case) == [("RSNA", "box"), ("ChestX-Det", "polygon"), ("NIH", "box")]
    rsna, chestx_det, own = (a.mask for a in case.annotations((8, 8)))
    assert sorted(map(tuple, np.argwhere(rsna))) == [(0, 0), (4, 4), (4, 5)]
    assert sorted(map(tuple, np.argwhere(chestx_det))) == [(2, 2), (2, 3), (3, 2), (3, 3)]
    assert sorted(map(tuple, np.argwhere(own))) == [(0, 0), (0, 1), (2, 0)]
    np.testing.assert_array_equal(np.argwhere(read_mask(case.other_mask).mask), [[0, 0]])


def test_nih_keeps_other_findings_apart(nih, tmp_path):
    cases = run("nih", nih, tmp_path / "out")
    case = cases["00000001_000"]
    assert (case.label, case.masks) == ("", ())
    other = read_mask(case.other_mask).mask
    assert sorted(map(tuple, np.argwhere(other))) == [(1, 1), (2, 2), (2, 3), (3, 2), (3, 3)]
    assert cases["00000007_000"].label == ""
    assert cases["00000001_001"].other_mask is None


def test_nih_normal_needs_a_reader_and_nobody_against(nih, tmp_path):
    cases = run("nih", nih, tmp_path / "out")
    found = {stem: (c.label, readings(c)) for stem, c in cases.items()}
    assert found["00000002_000"] == ("Normal", [("RSNA", "normal"), ("ChestX-Det", "normal")])
    assert found["00000004_000"] == ("Normal", [("ChestX-Det", "normal")])
    assert found["00000003_000"] == ("", [])  # RSNA: not normal
    assert found["00000005_000"] == ("", [])  # RSNA: normal, but NIH drew a mass
    assert found["00000008_000"] == ("", [])  # RSNA: normal, but the panel saw a nodule
    assert found["00000009_000"] == ("", [])  # nobody read it
    assert found["00000006_000"] == ("Lung opacity", [("RSNA", "box")])  # ChestX-Det drew nothing


def test_nih_images_may_lie_in_the_publishers_many_folders(nih, tmp_path):
    picture(nih / "images_002" / "images" / "00000010_000.png")
    assert len(run("nih", nih, tmp_path / "out")) == 12


def test_nih_works_with_any_one_of_the_readings(nih, tmp_path):
    for name in ("BBox_List_2017.csv", "Data_Entry_2017.csv", "google2019_labels.csv"):
        (nih / name).unlink()
    for file in (nih / "rsna").iterdir():
        file.unlink()
    cases = run("nih", nih, tmp_path / "out")
    assert {r for c in cases.values() for r in readings(c)} == {
        ("ChestX-Det", "polygon"),
        ("ChestX-Det", "normal"),
    }


def test_nih_names_the_missing_part(nih, tmp_path, capsys):
    out = tmp_path / "out"
    names = nih / "rsna" / "nih_names.csv"
    names.unlink()
    assert "nih_names.csv" in refused(capsys, "nih", nih, out)
    text(names, "patientId,nih_image\n")
    (nih / "rsna" / "stage_2_train_labels.csv").unlink()
    assert "stage_2_train_labels.csv" in refused(capsys, "nih", nih, out)
    (nih / "rsna" / "stage_2_detailed_class_info.csv").unlink()
    (nih / "ChestX_Det.json").unlink()
    (nih / "BBox_List_2017.csv").unlink()
    assert "BBox_List_2017.csv, ChestX_Det.json, or" in refused(capsys, "nih", nih, out)
    assert "holds neither NIH images" in refused(capsys, "nih", nih / "rsna", out)


def test_nih_refuses_an_image_that_stands_twice(nih, tmp_path, capsys):
    picture(nih / "more" / "00000001_000.png")
    assert "00000001_000 stands twice" in refused(capsys, "nih", nih, tmp_path / "out")


def test_a_drawn_image_that_is_damaged_is_named(nih, tmp_path, capsys):
    (nih / "images" / "00000000_000.jpg").write_bytes(b"")
    assert "00000000_000.jpg cannot be read" in refused(capsys, "nih", nih, tmp_path / "out")


@pytest.fixture
def rsna(tmp_path):
    """RSNA's own download: a 16 x 8 DICOM with a box and one read as normal."""
    raw = tmp_path / "rsna"
    for name in ("a", "b"):
        dicom(raw / "stage_2_train_images" / f"{name}.dcm", (16, 8))
    text(raw / "stage_2_train_labels.csv", RSNA_LABELS + "a,512,512,256,128,1\nb,,,,,0\n")
    text(raw / "stage_2_detailed_class_info.csv", "patientId,class\na,Lung Opacity\nb,Normal\n")
    return raw


def test_rsna_download_stands_alone(rsna, tmp_path):
    cases = run("nih", rsna, tmp_path / "out")
    a, b = cases["a"], cases["b"]
    assert (a.patient, a.source, a.label, a.sex, a.age, a.view) == (
        "a",
        "nih",
        "Lung opacity",
        "F",
        "51",
        "AP",
    )
    np.testing.assert_array_equal(
        np.argwhere(a.annotations((16, 8))[0].mask), [[8, 4], [8, 5], [9, 4], [9, 5]]
    )
    assert (b.label, readings(b)) == ("Normal", [("RSNA", "normal")])


def test_rsna_download_takes_patients_and_readings_by_nih_name(rsna, tmp_path):
    text(
        rsna / "pneumonia-challenge-dataset-mappings_2018.json",
        json.dumps([{"subset_img_id": s, "img_id": f"00000007_00{n}.png"} for n, s in enumerate("ab")]),
    )
    text(
        rsna / "BBox_List_2017.csv",
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000007_001.png,Mass,1,2,3,4\n",
    )
    cases = run("nih", rsna, tmp_path / "out")
    assert {c.patient for c in cases.values()} == {"00000007"}
    assert cases["b"].label == ""  # NIH drew on what RSNA read as normal


def test_rsna_download_with_a_broken_header_is_named(rsna, tmp_path, capsys):
    (rsna / "stage_2_train_images" / "a.dcm").write_bytes(b"no DICOM")
    assert "a.dcm cannot be read as DICOM" in refused(capsys, "nih", rsna, tmp_path / "out")


@pytest.fixture
def kermany(tmp_path):
    raw = tmp_path / "chest_xray"
    for n in range(40):
        picture(raw / "train" / "NORMAL" / f"IM-{n:04}-0001.jpeg")
        picture(raw / "train" / "PNEUMONIA" / f"person{n}_bacteria_1.jpeg")
        picture(raw / "train" / "PNEUMONIA" / f"person{n}_virus_2.jpeg")
    picture(raw / "val" / "NORMAL" / "NORMAL2-IM-0001-0001.jpeg")
    picture(raw / "test" / "NORMAL" / "IM-0900-0001.jpeg")
    picture(raw / "test" / "PNEUMONIA" / "person3_virus_9.jpeg").rename(
        raw / "test" / "PNEUMONIA" / "person300_virus_9.jpeg"
    )
    text(raw / "train" / "NORMAL" / "._IM-0000-0001.jpeg", "")
    text(raw / "train" / "PNEUMONIA" / ".DS_Store", "")
    return raw


def test_kermany_labels_patients_and_published_test(kermany, tmp_path):
    cases = run("kermany", kermany, tmp_path / "out")
    assert len(cases) == 123
    assert {s for s, c in cases.items() if c.split == "test"} == {"IM-0900-0001", "person300_virus_9"}
    bacteria, virus, normal = (
        cases[s] for s in ("person3_bacteria_1", "person3_virus_2", "NORMAL2-IM-0001-0001")
    )
    assert (bacteria.label, bacteria.patient, bacteria.masks) == (
        "Bacterial pneumonia",
        "person3-bacteria",
        (),
    )
    assert (virus.label, virus.patient) == ("Viral pneumonia", "person3-virus")
    assert (normal.label, normal.patient) == ("Normal", "NORMAL2-IM-0001")
    assert readings(normal) == [("Guangzhou", "normal")]


def test_kermany_train_and_val_share_no_person_number(kermany, tmp_path):
    cases = run("kermany", kermany, "--val", "0.5", tmp_path / "out")
    for n in range(40):
        splits = {cases[f"person{n}_{cause}"].split for cause in ("bacteria_1", "virus_2")}
        assert splits == {split_of(f"person{n}", val=0.5, test=0)}
    assert {c.split for c in cases.values()} == {"train", "val", "test"}


def test_kermany_may_be_given_by_the_folder_above_it(kermany, tmp_path):
    assert len(run("kermany", kermany.parent, tmp_path / "out")) == 123


def test_kermany_names_what_it_does_not_understand(kermany, tmp_path, capsys):
    out = tmp_path / "out"
    stranger = picture(kermany / "train" / "PNEUMONIA" / "person1_fungus_1.jpeg")
    assert "does not tell the cause" in refused(capsys, "kermany", kermany, out)
    stranger.rename(stranger.with_name("chest.jpeg"))
    assert "does not name its patient" in refused(capsys, "kermany", kermany, out)
    for file in (kermany / "test" / "NORMAL").iterdir():
        file.unlink()
    stranger.with_name("chest.jpeg").unlink()
    assert str(Path("test") / "NORMAL") in refused(capsys, "kermany", kermany, out)


@pytest.fixture
def covid(tmp_path):
    raw, masks = tmp_path / "covid", tmp_path / "covid_masks"
    rows = [
        ("1", "M", "65", '"COVID-19, ARDS"', "PA", "X-ray", "one.jpg"),
        ("1", "M", "65", "COVID-19", "L", "X-ray", "side.jpg"),
        ("1", "M", "65", "COVID-19", "Axial", "CT", "slice.jpg"),
        ("2", "", "", "No Finding", "AP Erect", "X-ray", "two.png"),
        ("3", "F", "70", "Legionella", "AP Supine", "X-ray", "same.jpg"),
        ("4", "F", "70", "Legionella", "AP Supine", "X-ray", "same.jpg"),
        ("4", "F", "71", "Pneumonia/Fungal/Pneumocystis", "AP", "X-ray", "later.jpg"),
        ("5", "F", "71", "SARS", "AP", "X-ray", "absent.jpg"),
    ]
    text(raw / "metadata.csv", METADATA + "".join(",".join(row) + "\n" for row in rows))
    for name in ("one.jpg", "side.jpg", "slice.jpg", "two.png", "same.jpg", "later.jpg"):
        picture(raw / "images" / name, (4, 6))
    for name in ("one.jpg", "two.png", "side.jpg", "new.png"):
        picture(masks / "images" / name, (8, 12))
    for n in range(1, 6):
        picture(masks / "masks" / f"m{n}.png", (2, 2))
        Image.fromarray(np.full((2, 2), 255, np.uint8)).save(masks / "masks" / f"m{n}.png")
    text(
        masks / "structure.csv",
        STRUCTURE
        + "COVID-19 Ground Glass Opacities,one.jpg,images/a.jpg,masks/m1.png,12x8,2,4\n"
        + "COVID-19 Consolidation,one.jpg,images/a.jpg,masks/m2.png,12x8,6,10\n"
        + "COVID-19 Right Lung,one.jpg,images/a.jpg,masks/m3.png,12x8,0,0\n"
        + "COVID-19 Right Lung,two.png,images/b.jpg,masks/m3.png,12x8,0,0\n"
        + "COVID-19 Consolidation,side.jpg,images/c.jpg,masks/m4.png,12x8,0,0\n"
        + "COVID-19 Consolidation,new.png,images/d.jpg,masks/m5.png,12x8,0,0\n"
        + "COVID-19 Consolidation,lost.png,images/e.jpg,masks/m5.png,12x8,0,0\n",
    )
    return raw, masks


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
    assert readings(cases["one"]) == [("GeneralBlockchain", "pixel")]
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


@pytest.fixture
def own(tmp_path):
    raw = tmp_path / "own"
    for name in ("clear/p1-a.png", "clear/p1-b.png", "sick/p2-a.jpg", "sick/p3-a.png", "sick/p4;5.png"):
        picture(raw / name)
    lesion = np.eye(8, dtype=np.uint8) * 255
    for name, pixels in (("sick/p2-a", lesion), ("p4;5", lesion), ("p3-a", lesion * 0)):
        path = raw / "masks" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    text(raw / ".cache" / "x.png", "")
    return raw


def test_folder_takes_classes_and_masks(own, tmp_path):
    cases = run("folder", own, tmp_path / "out")
    assert {s: c.label for s, c in cases.items()} == {
        "p1-a": "clear", "p1-b": "clear", "p2-a": "sick", "p3-a": "sick", "p4;5": "sick",
    }  # fmt: skip
    assert {c.source for c in cases.values()} == {"folder"}
    assert cases["p1-a"].patient == "p1-a"
    for stem in ("p2-a", "p4;5"):
        assert readings(cases[stem]) == [("reader", "pixel")]
        np.testing.assert_array_equal(cases[stem].annotations((8, 8))[0].mask, np.eye(8, dtype=bool))
    assert cases["p3-a"].masks == ()  # an empty mask of a class that is not normal says nothing


def test_folder_options(own, tmp_path):
    cases = run("folder", own, "--normal", "clear", "--patient-pattern", r"^(p\d+)", tmp_path / "out")
    assert readings(cases["p1-a"]) == [("reader", "normal")]
    assert {s: c.patient for s, c in cases.items()} == {
        "p1-a": "p1", "p1-b": "p1", "p2-a": "p2", "p3-a": "p3", "p4;5": "p4",
    }  # fmt: skip


def test_folder_names_what_does_not_fit(own, tmp_path, capsys):
    out = tmp_path / "out"
    for options, word in (
        (("--normal", "healthy"), "healthy"),
        (("--patient-pattern", "("), "no regular expression"),
        (("--patient-pattern", "p1"), "no group"),
        (("--patient-pattern", "(x9)"), "finds no patient in p1-a.png"),
        (("--normal", "sick"), "marks a lesion"),
    ):
        assert word in refused(capsys, "folder", own, *options, out)
    assert "holds no images" in refused(capsys, "folder", own / "masks" / "sick", out)
    picture(own / "clear" / "p4;5.png")
    assert "fits several images" in refused(capsys, "folder", own, out)


def test_folder_refuses_a_mask_of_another_size(own, tmp_path, capsys):
    picture(own / "sick" / "p2-a.jpg", (8, 9))
    assert "8 rows x 8 columns" in refused(capsys, "folder", own, tmp_path / "out")


def test_a_patient_is_in_one_split_and_stays_there(own, tmp_path):
    pattern = ("--patient-pattern", r"^(p\d+)")
    cases = run("folder", own, *pattern, tmp_path / "one")
    picture(own / "clear" / "a.png").rename(own / "clear" / "p0-a.png")
    more = run("folder", own, *pattern, tmp_path / "two")
    assert {s: c.split for s, c in cases.items()} == {s: more[s].split for s in cases}
    assert all(c.split == split_of(c.patient, val=0.15, test=0.2) for c in more.values())


def test_shares_decide_the_splits(own, tmp_path, capsys):
    assert {c.split for c in run("folder", own, "--val", 0, "--test", 0, tmp_path / "a").values()} == {
        "train"
    }
    assert {c.split for c in run("folder", own, "--val", 0, "--test", 0.999, tmp_path / "b").values()} == {
        "test"
    }
    for shares in (("--val", 0.6, "--test", 0.5), ("--val", -0.1), ("--test", "nan")):
        assert "shares" in refused(capsys, "folder", own, *shares, tmp_path / "c")


@pytest.mark.parametrize("name", ["nih", "rsna", "kermany", "covid", "own"])
def test_a_second_run_writes_the_same_bytes(request, tmp_path, name):
    raw = request.getfixturevalue(name)
    argv = (
        ["covid", raw[0], "--masks", raw[1]]
        if name == "covid"
        else [{"rsna": "nih", "own": "folder"}.get(name, name), raw]
    )
    for out in ("one", "one", "two"):
        run(*argv, tmp_path / out)
    one, two = (
        {p.relative_to(tmp_path / out): p.read_bytes() for p in (tmp_path / out).rglob("*") if p.is_file()}
        for out in ("one", "two")
    )
    assert one == two
    assert all(p.name == "manifest.csv" or p.suffix == ".png" for p in one)


def test_the_table_counts_images_patients_and_masks(nih, tmp_path, capsys):
    run("nih", nih, "--val", 0, "--test", 0, tmp_path / "out")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["train", "Lung", "opacity", "2", "2"] in lines
    assert ["train", "Normal", "2", "2"] in lines
    assert ["all", "11", "10"] in lines
    assert ["RSNA", "box", "2"] in lines
    assert ["ChestX-Det", "normal", "2"] in lines
    assert ["(nobody)", "unknown", "7"] in lines


def test_raw_must_be_a_folder_and_not_the_target(own, tmp_path, capsys):
    assert "is no folder" in refused(capsys, "folder", own / "absent", tmp_path / "out")
    assert "is the raw folder itself" in refused(capsys, "folder", own, own)
    text(tmp_path / "file", "")
    assert "file" in refused(capsys, "folder", own, tmp_path / "file")


@pytest.mark.parametrize("source", ["nih", "kermany", "covid", "folder"])
def test_help_shows_defaults_and_units(source, capsys):
    with pytest.raises(SystemExit) as ended:
        main([source, "--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "share of patients for validation, 0 to 1 (default: 0.15)" in shown
    assert ("0 to 1 (default: 0.2)" in shown) == (source != "kermany")


def test_peek_size_sees_rotation_and_damage(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "turned.jpg", exif=turned)
    assert peek_size(tmp_path / "turned.jpg") == (6, 4)
    assert peek_size(picture(tmp_path / "straight.png", (4, 6))) == (4, 6)
    dicom(tmp_path / "x.dcm", (4, 6))
    assert peek_size(tmp_path / "x.dcm") == (4, 6)
    text(tmp_path / "damaged.png", "no picture")
    with pytest.raises(PreparationError, match=r"damaged\.png"):
        peek_size(tmp_path / "damaged.png")
