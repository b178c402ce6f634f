"""The peer of the prediction benches: stock nnU-Net on the same image and model."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray


@contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def turn(image: Path, *, orientation: str) -> Path:
    """The image in the model's axes, which nnU-Net ignores; not part of its time."""
    stored: Any = nib.load(image)
    wanted = nib.orientations.axcodes2ornt(orientation)
    there = nib.orientations.ornt_transform(nib.io_orientation(stored.affine), wanted)
    turned = image.parent / "turned_0000.nii.gz"
    nib.save(stored.as_reoriented(there), turned)
    return turned


def load_predictor(
    model: Path, *, folds: tuple[int, ...], device: str, mirroring: bool = False
) -> Any:
    """nnU-Net's predictor with some folds in memory."""
    with quiet():
        import torch
        from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

        predictor = nnUNetPredictor(
            use_mirroring=mirroring,
            perform_everything_on_device=device != "cpu",
            device=torch.device(device),
            allow_tqdm=False,
        )
        predictor.initialize_from_trained_model_folder(str(model), use_folds=folds)
    return predictor


def time_published(model: Path, image: Path, *, fold: int, device: str) -> float:
    """One of the published way's calls, one a fold: load, predict, export.

    The command line's own start, some seconds a call, is left out.
    """

    def call() -> None:
        predictor = load_predictor(model, folds=(fold,), device=device)
        with quiet():
            predictor.predict_from_files(
                [[str(image)]],
                [str(image.with_name(f"stock_{fold}"))],
                num_processes_preprocessing=1,
                num_processes_segmentation_export=1,
            )

    return timed(call)


def time_sequential(predictor: Any, image: Path) -> float:
    """One call with every fold of the predictor, in this process: file to file."""
    with quiet():
        return timed(
            lambda: predictor.predict_from_files_sequential(
                [[str(image)]], [str(image.with_name("stock"))]
            )
        )


def time_export(
    predictor: Any, image: Path, *, margins: list[NDArray[np.float32]]
) -> float:
    """The way back from logits to a file a fold, for networks' answers like ours."""
    from nnunetv2.inference.export_prediction import export_prediction_from_logits

    plans, configuration = predictor.plans_manager, predictor.configuration_manager
    with quiet():
        preprocessor = configuration.preprocessor_class(verbose=False)
        _, _, properties = preprocessor.run_case(
            [str(image)], None, plans, configuration, predictor.dataset_json
        )
        logits = [np.stack([np.zeros_like(margin), margin]) for margin in margins]

        def export() -> None:
            for fold, values in enumerate(logits):
                export_prediction_from_logits(
                    values, properties, configuration, plans, predictor.dataset_json,
                    str(image.with_name(f"export_{fold}")),
                )  # fmt: skip

        return timed(export)
