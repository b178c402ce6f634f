"""Small real programs that a test lets the operator register."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# Marks the brightest tenth; nibabel is what an operator's script would use as well.
MARK = """
import sys, nibabel, numpy
image = nibabel.load(sys.argv[1])
voxels = numpy.asarray(image.dataobj)
mask = (voxels > numpy.quantile(voxels, float(sys.argv[3]))).astype('uint8')
print('marked', int(mask.sum()))
print('a warning', file=sys.stderr)
nibabel.save(nibabel.Nifti1Image(mask, image.affine), sys.argv[2])
"""


def write_program(folder: Path, *, text: str = MARK, name: str = "mark.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def write_list(path: Path, **entries: dict[str, Any]) -> None:
    """The operator's file: TOML of texts, numbers and lists of texts."""
    lines = []
    for name, keys in entries.items():
        lines += [f"[{name}]", *(f"{key} = {say(v)}" for key, v in keys.items())]
    path.write_text("\n".join(lines))


def say(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(say, value)) + "]"
    return json.dumps(value)


def brightest(program: Path, *, above: float = 0.9, **keys: Any) -> dict[str, Any]:
    command = [sys.executable, str(program), "{image}", "{mask}", str(above)]
    return {"label": f"Brightest {above}", "command": command, **keys}
