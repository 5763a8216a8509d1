"""The mutations of the fuzzing study keep what a decoder checks first: lengths, offsets, checksums and digests."""

import io
import json
import struct
import zipfile
import zlib
from hashlib import sha256
from random import Random

import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from safetensors.torch import load as load_tensors

from deep_pneumonia.exchange.state import read_state
from deep_pneumonia.masks import rle
from deep_pneumonia.radiographs.silence import SILENCE
from studies import fuzz_dicom, fuzz_elements, fuzz_folders, fuzz_json, fuzz_pictures, fuzz_png, fuzz_tables, fuzz_tiff


def test_every_changed_png_has_right_lengths_and_checksums() -> None:
    seen = set()
    for seed in range(200):
        random = Random(seed)
        data = fuzz_pictures.saved(fuzz_pictures.picture(random), "PNG")
        made = fuzz_png.png(fuzz_png._changed_chunks(random, fuzz_png.png_chunks(data)))
        at = 8
        while at < len(made):
            length, kind = struct.unpack_from(">I4s", made, at)
            content = made[at + 8 : at + 8 + length]
            assert struct.unpack_from(">I", made, at + 8 + length) == (zlib.crc32(kind + content),)
            at += 12 + length
        assert at == len(made)
        seen.add(made)
    assert len(seen) > 150


def test_changed_rows_of_a_png_are_packed_so_that_they_unpack_again() -> None:
    random = Random(1)
    data = fuzz_pictures.saved(fuzz_pictures.picture(random, (24, 32), "L"), "PNG")
    chunks = fuzz_png.png_chunks(data)
    rows = bytes([0, *[7] * 32]) * 24
    made = fuzz_png.png(fuzz_png.with_rows(random, chunks, rows))
    assert (np.asarray(Image.open(io.BytesIO(made))) == 7).all()


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG"])
def test_taking_a_picture_apart_and_putting_it_together_changes_nothing(form: str) -> None:
    data = fuzz_pictures.saved(fuzz_pictures.picture(Random(2), (24, 32), "L"), form)
    made = {
        "JPEG": lambda: fuzz_pictures.jpeg(*fuzz_pictures.jpeg_segments(data)),
        "WEBP": lambda: fuzz_pictures.riff(fuzz_pictures.riff_chunks(data)),
        "PNG": lambda: fuzz_png.png(fuzz_png.png_chunks(data)),
    }[form]()
    assert made == data


def test_tiff_directories_are_rewritten_with_right_offsets() -> None:
    for seed in range(60):
        data = fuzz_tiff.base(Random(seed))
        again = fuzz_tiff.written(fuzz_tiff.read(data))
        with tifffile.TiffFile(io.BytesIO(data)) as one, tifffile.TiffFile(io.BytesIO(again)) as two:
            assert {t.code for t in one.pages[0].tags} == {t.code for t in two.pages[0].tags}
            if one.pages[0].compression == 1:
                np.testing.assert_array_equal(one.asarray(), two.asarray())


def test_dicom_elements_are_rewritten_with_right_lengths() -> None:
    data = fuzz_dicom.segmentation(2)
    assert fuzz_elements.file(*fuzz_elements.elements(data)) == data
    start, found = fuzz_elements.elements(data)
    longer = [(tag, vr, value + b"  " if tag == b"\x10\0\x10\0" else value) for tag, vr, value in found]
    assert pydicom.dcmread(io.BytesIO(fuzz_elements.file(start, longer))).Rows == fuzz_dicom.SEG_SIZE[0]


def test_nested_sequences_are_as_deep_as_asked() -> None:
    start, found = fuzz_elements.elements(fuzz_dicom.segmentation(1))
    place = next(i for i, (tag, _, _) in enumerate(found) if tag > b"\x28")
    item = (b"\x28\0\0\x30", b"SQ", fuzz_elements.deep(5))
    header = pydicom.dcmread(io.BytesIO(fuzz_elements.file(start, [*found[:place], item, *found[place:]])))
    depth = 0
    while "ModalityLUTSequence" in header and header.ModalityLUTSequence:
        header, depth = header.ModalityLUTSequence[0], depth + 1
    assert depth == 5


def test_most_changed_dicom_objects_can_still_be_opened() -> None:
    with SILENCE:  # pydicom warns of the changes
        headers = [pydicom.dcmread(io.BytesIO(fuzz_dicom.any_image(Random(seed))), force=True) for seed in range(60)]
        assert sum("PixelData" in header for header in headers) > 30
        facts = [tuple(str(header.get(keyword)) for keyword in fuzz_dicom.NUMERIC) for header in headers]
        assert len(set(facts)) > 10


def test_the_grammar_of_run_lengths_is_cocos() -> None:
    for seed in range(50):
        runs = fuzz_json._runs(Random(seed))
        text = fuzz_json._compressed(runs)
        np.testing.assert_array_equal(rle.decode(text, fuzz_json.SIZE, "x"), rle.decode(runs, fuzz_json.SIZE, "x"))


def test_unchanged_documents_are_right_and_changed_ones_differ() -> None:
    for seed in range(40):
        document = fuzz_json.state(Random(seed))
        assert len(read_state(json.dumps(document).encode()).cases) == len(document["cases"])
    document = fuzz_json.coco(Random(7))
    before = json.dumps(document)
    changed = {json.dumps(fuzz_json.changed(Random(seed), document)) for seed in range(100)}
    assert len(changed) > 60
    assert json.dumps(document) == before, "the original stays"


def test_tables_name_their_reader() -> None:
    names = {fuzz_tables.any_table(Random(seed)).split(b"\n")[0].decode() for seed in range(200)}
    assert names == {name for name, _ in fuzz_tables.TABLES}


def test_changed_weights_have_the_digest_that_their_checkpoint_states() -> None:
    facts, data = json.loads(fuzz_folders.checkpoint()["model.json"]), fuzz_folders.checkpoint()["model.safetensors"]
    assert facts["weights"]["sha256"] == sha256(data).hexdigest()
    assert fuzz_folders.safetensors(*fuzz_folders.tensors(data))[8:].lstrip() != b""
    assert load_tensors(fuzz_folders.safetensors(*fuzz_folders.tensors(data))).keys() == load_tensors(data).keys()
    right = 0
    for seed in range(30):
        with zipfile.ZipFile(io.BytesIO(fuzz_folders.any_checkpoint(Random(seed)))) as file:
            assert file.testzip() is None
            weights = (
                sha256(file.read("model.safetensors")).hexdigest() if "model.safetensors" in file.namelist() else ""
            )
            right += "model.json" in file.namelist() and weights.encode() in file.read("model.json")
    assert right > 15


def test_exports_have_masks_under_their_digests() -> None:
    state, files = fuzz_folders.export(Random(0))
    assert read_state(json.dumps(state).encode()).cases[0].drawings[1].version == 2
    for name, content in files.items():
        digest = sha256(content).hexdigest()
        assert digest in name or any(case["key"] == digest for case in state["cases"])  # type: ignore[attr-defined]
