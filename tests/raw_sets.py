"""Small raw data sets in each publisher's layout, and what the tests of the adapters share."""

import json
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.prepare import main

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


def run(*argv: object) -> dict[str, Case]:
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


def readers_of(case: Case) -> list[tuple[str, str]]:
    return [(m.reader, m.kind) for m in case.masks]


def draw_nih(root: Path) -> Path:
    """Ten images, 8 x 8 pixels, so that 128 of the publishers' units are one pixel."""
    raw = root / "nih"
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
        RSNA_LABELS + "a,512,512,256,128,1\na,0,0,128,128,1\nb,,,,,0\nc,,,,,0\nd,,,,,0\ne,512,512,256,128,1\nf,,,,,0\n",
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
        "Image Index,Finding Labels,Patient Age,Patient Gender,View Position\n00000000_000.png,Pneumonia,58,M,PA\n"
        "00000004_000.png,No Finding,40,F,PA\n00000008_000.png,No Finding,41,F,PA\n"
        "00000009_000.png,No Finding,42,F,PA\n00000003_000.png,No Finding,43,F,PA\n",
    )
    return raw


def draw_rsna(root: Path) -> Path:
    """RSNA's own download: a 16 x 8 DICOM with a box and one read as normal."""
    raw = root / "rsna"
    for name in ("a", "b"):
        dicom(raw / "stage_2_train_images" / f"{name}.dcm", (16, 8))
    text(raw / "stage_2_train_labels.csv", RSNA_LABELS + "a,512,512,256,128,1\nb,,,,,0\n")
    text(raw / "stage_2_detailed_class_info.csv", "patientId,class\na,Lung Opacity\nb,Normal\n")
    return raw


def draw_kermany(root: Path) -> Path:
    raw = root / "chest_xray"
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


def draw_covid(root: Path) -> tuple[Path, Path]:
    raw, masks = root / "covid", root / "covid_masks"
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


def draw_own(root: Path) -> Path:
    raw = root / "own"
    for name in ("clear/p1-a.png", "clear/p1-b.png", "sick/p2-a.jpg", "sick/p3-a.png", "sick/p4;5.png"):
        picture(raw / name)
    lesion = np.eye(8, dtype=np.uint8) * 255
    for name, pixels in (("sick/p2-a", lesion), ("p4;5", lesion), ("p3-a", lesion * 0)):
        path = raw / "masks" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    text(raw / ".cache" / "x.png", "")
    return raw
