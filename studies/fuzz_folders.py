"""Checkpoints and exported work lists for `studies.fuzz`, with digests and checksums made anew after each change.

Both travel as ZIP files. A checkpoint is unpacked before it is loaded; an export is imported as it is.
"""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np

from studies.fuzz_bytes import cut, havoc, resized
from studies.fuzz_json import changed, encoded, odd
from studies.fuzz_pictures import any_picture, picture, saved
from studies.fuzz_png import changed_png

Files = dict[str, bytes]
MODEL, WEIGHTS = "model.json", "model.safetensors"
CLASSES = ("Clear", "Opacity")
ODD_NAMES = ("../x.png", "/x.png", "C:/x.png", "a\\..\\x", "radiographs/../state.json", "state.json/", "", "x" * 300)


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


@cache
def checkpoint() -> Files:
    """The files of a checkpoint with a small untrained network."""
    import torch

    from deep_pneumonia.prediction.checkpoint import Checkpoint, save
    from deep_pneumonia.prediction.model_frame import InputRecipe
    from deep_pneumonia.prediction.network import AttentionNet, ModelConfig

    torch.manual_seed(0)
    network = AttentionNet(ModelConfig("shufflenet_v2_x0_5", classes=len(CLASSES), width=8)).eval()
    with tempfile.TemporaryDirectory() as folder:
        save(Checkpoint(network, CLASSES, CLASSES[0], InputRecipe(64)), Path(folder) / "c")
        return {path.name: path.read_bytes() for path in (Path(folder) / "c").iterdir()}


def tensors(data: bytes) -> tuple[dict[str, dict[str, object]], bytes]:
    """The header of a safetensors file and the bytes of its values."""
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def safetensors(header: object, values: bytes) -> bytes:
    """A safetensors file with a header of the right length."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def changed_weights(random: Random, data: bytes) -> bytes:
    """Weights with a changed header, values that are not finite, or changed bytes."""
    header, values = tensors(data)
    match random.randrange(4):
        case 0:
            name = random.choice(list(header))
            return safetensors({**header, name: changed(random, header[name], 2)}, values)
        case 1:
            name = random.choice([n for n in header if n != "__metadata__"])
            start, end = header[name]["data_offsets"]  # type: ignore[misc]
            wide = header[name].get("dtype") == "F32"
            number = random.choice((float("nan"), float("inf"), 6e4, -6e4, 0.0))
            new = np.full((end - start) // (4 if wide else 2), number, np.float32 if wide else np.float16).tobytes()
            return safetensors(header, values[:start] + new.ljust(end - start, b"\0")[: end - start] + values[end:])
        case 2:
            rest = dict(header)
            del rest[random.choice(list(header))]
            return safetensors(rest, values)
        case _:
            return random.choice((cut, havoc, resized))(random, data)


def any_checkpoint(random: Random) -> bytes:
    """A ZIP of a checkpoint whose model.json or weights were changed; the digest of the weights is right."""
    files = dict(checkpoint())
    facts = json.loads(files[MODEL])
    if random.random() < 0.4:
        files[WEIGHTS] = changed_weights(random, files[WEIGHTS])
        if random.random() < 0.9:
            facts["weights"]["sha256"] = sha256(files[WEIGHTS]).hexdigest()
    else:
        key = random.choice((*facts, "gate"))
        facts[key] = odd(random) if random.random() < 0.4 else changed(random, facts.get(key), 2)
    files[MODEL] = encoded(random, facts)
    if random.random() < 0.1:
        del files[random.choice(list(files))]
    return zipped(files)


def export(random: Random) -> tuple[dict[str, object], Files]:
    """state.json and the other files of an export with two cases, each with masks, drawn by the grammar of exports."""
    time, cases, files = "2026-01-31T09:30:00Z", [], {}
    for name in ("chest.png", "other.png"):
        image, mask = saved(picture(random, (24, 32), "L"), "PNG"), saved(picture(random, (24, 32), "1"), "PNG")
        key, digest = sha256(image).hexdigest(), sha256(mask).hexdigest()
        files |= {f"radiographs/{name}": image, f"state/masks/{digest}.png": mask}
        drawn = {"reader": "Ana", "kind": "pixel", "mask": digest, "removed": False, "author": "x", "time": time}
        facts = {"patient": "p", "source": "own", "split": "test", "label": "", "sex": "F", "age": "5", "view": "PA"}
        verdict = {"reviewer": "Eva", "version": 1, "verdict": "agree", "comment": "", "time": time}
        cases.append({
            "key": key, "image": f"radiographs/{name}", "name": name, **facts,
            "drawings": [{**drawn, "version": v} for v in (1, 2)], "verdicts": [verdict],
        })  # fmt: skip
    return {"format": 1, "cases": cases, "copies": {}}, files


def any_export(random: Random) -> bytes:
    """A ZIP of an export with a changed state, changed or renamed files, or a changed directory."""
    state, files = export(random)
    if random.random() < 0.5:
        state = changed(random, state, 2)
    elif random.random() < 0.6:
        name = random.choice(list(files))
        content = changed_png(random, files.pop(name)) if random.random() < 0.7 else any_picture(random)
        digest = sha256(content).hexdigest()
        old = Path(name).stem if "masks" in name else next(c["key"] for c in state["cases"] if c["image"] == name)
        files[f"state/masks/{digest}.png" if "masks" in name else name] = content
        state = json.loads(json.dumps(state).replace(str(old), digest))
    elif random.random() < 0.7:
        files[random.choice(ODD_NAMES)] = files[random.choice(list(files))]
    files["state.json"] = encoded(random, state)
    data = zipped(files, random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)))
    return random.choice((cut, havoc))(random, data) if random.random() < 0.2 else data
