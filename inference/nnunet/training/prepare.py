"""Fingerprint, plan and preprocess a raw data set with nnU-Net."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

CONFIGURATION = "3d_fullres"
PLANS = "nnUNetResEncUNetLPlans"
PATCH = (64, 64, 48)
FEATURES = (8, 16, 24, 32)
BLOCKS = (1, 2, 2, 2)


def prepare_dataset(*, dataset: int, preprocessed: Path, processes: int) -> None:
    """Write plans and preprocessed cases of a raw data set below `preprocessed`."""
    from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import (
        DatasetFingerprintExtractor,
    )
    from nnunetv2.experiment_planning.experiment_planners.residual_unets import (
        residual_encoder_unet_planners as planners,
    )
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprint_dataset,
        plan_experiment_dataset,
        preprocess_dataset,
    )

    extract_fingerprint_dataset(
        dataset,
        DatasetFingerprintExtractor,
        num_processes=processes,
        verbose=False,
        show_progress_bar=False,
    )
    plan_experiment_dataset(
        dataset,
        planners.nnUNetPlannerResEncL,
        overwrite_target_spacing=(1.0, 1.0, 1.0),
    )
    (folder,) = preprocessed.glob(f"Dataset{dataset:03d}_*")
    path = folder / f"{PLANS}.json"
    path.write_text(json.dumps(shrink_plans(json.loads(path.read_text())), indent=1))
    preprocess_dataset(
        dataset, PLANS, (CONFIGURATION,), (processes,), show_progress_bar=False
    )


def shrink_plans(plans: dict[str, Any]) -> dict[str, Any]:
    """Return nnU-Net's plans with a network small enough to train on a processor."""
    configuration = plans["configurations"][CONFIGURATION]
    stages = len(FEATURES)
    configuration["patch_size"] = list(PATCH)
    configuration["batch_size"] = 2
    configuration["architecture"]["arch_kwargs"].update(
        n_stages=stages,
        features_per_stage=list(FEATURES),
        kernel_sizes=[[3, 3, 3]] * stages,
        strides=[[1, 1, 1]] + [[2, 2, 2]] * (stages - 1),
        n_blocks_per_stage=list(BLOCKS),
        n_conv_per_stage_decoder=[1] * (stages - 1),
    )
    plans["configurations"] = {CONFIGURATION: configuration}
    return plans


def main() -> None:
    """Run as a program, because nnU-Net's process pools need a module to import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=int, required=True)
    parser.add_argument("--preprocessed", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    prepare_dataset(
        dataset=arguments.dataset,
        preprocessed=arguments.preprocessed,
        processes=arguments.processes,
    )


if __name__ == "__main__":
    main()
