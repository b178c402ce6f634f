"""The bench of a full-size network runs its whole way, here with a small one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import gpu
from tests.inference.scans import write_small


@pytest.mark.slow
def test_the_table_of_the_large_network_is_filled_beside_stock(tmp_path: Path) -> None:
    size = gpu.Size(patch=(32, 32, 32), features=(4, 8, 8), blocks=(1, 1, 1))
    model = gpu.write_model(tmp_path / "model", size=size, folds=gpu.FOLDS)
    image = write_small(tmp_path / "scan.nii.gz", shape=(14, 26, 30))
    rows = gpu.measure("small", image, model=model, mirroring=False, device="cpu")
    assert [row.unit for row in rows] == ["s", "/h", "GiB"]
    time, rate, _ = rows
    assert time.value > 0
    assert time.peer_value is not None
    assert time.peer_value > 0
    assert rate.value == pytest.approx(3600 / time.value)
    assert "5 folds, mirroring off" in time.how


def test_without_a_gpu_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.run() == []
    assert "nothing was measured" in capsys.readouterr().err
