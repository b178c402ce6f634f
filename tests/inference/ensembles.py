"""A genuine nnU-Net model folder with seeded random weights, made in a second.

It has learned nothing, but every step of a prediction is the real one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATASET = {
    "channel_names": {"0": "MRI"},
    "labels": {"background": 0, "lesion": 1},
    "file_ending": ".nii.gz",
    "image_orientation": "LPI",
}


def make_plans() -> dict[str, Any]:
    stages = 2
    resampling = {"is_seg": False, "order_z": 0, "force_separate_z": None}
    name = "resample_data_or_seg_to_shape"
    return {
        "dataset_name": "Dataset001_Random",
        "plans_name": "nnUNetResEncUNetLPlans",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {
            "3d_fullres": {
                "patch_size": [16, 16, 16],
                "spacing": [1.0, 1.0, 1.0],
                "normalization_schemes": ["ZScoreNormalization"],
                "use_mask_for_norm": [False],
                "resampling_fn_data": name,
                "resampling_fn_probabilities": name,
                "resampling_fn_data_kwargs": {**resampling, "order": 3},
                "resampling_fn_probabilities_kwargs": {**resampling, "order": 1},
                "architecture": {
                    "network_class_name": "dynamic_network_architectures."
                    "architectures.unet.ResidualEncoderUNet",
                    "arch_kwargs": {
                        "n_stages": stages,
                        "features_per_stage": [4, 8],
                        "conv_op": "torch.nn.modules.conv.Conv3d",
                        "kernel_sizes": [[3, 3, 3]] * stages,
                        "strides": [[1, 1, 1], [2, 2, 2]],
                        "n_blocks_per_stage": [1, 1],
                        "n_conv_per_stage_decoder": [1],
                        "conv_bias": True,
                        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
                        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
                        "dropout_op": None,
                        "dropout_op_kwargs": None,
                        "nonlin": "torch.nn.LeakyReLU",
                        "nonlin_kwargs": {"inplace": True},
                    },
                },
            }
        },
    }


def make_ensemble(folder: Path, *, folds: int = 3, seed: int = 0) -> Path:
    """Write a model folder whose folds differ and mark about half of the voxels."""
    import torch

    from inference.nnunet.plans import build_network, read_plans

    folder.mkdir(parents=True)
    (folder / "dataset.json").write_text(json.dumps(DATASET))
    (folder / "plans.json").write_text(json.dumps(make_plans()))
    plans = read_plans(folder=folder, configuration="3d_fullres")
    for fold in range(folds):
        torch.manual_seed(seed + fold)
        network = build_network(plans)
        for name, values in network.named_parameters():
            if "seg_layers" in name:
                # Neither class is favoured, so that masks are neither empty nor full.
                weights = values.data
                even = weights.mean(1, keepdim=True) if weights.ndim > 1 else weights
                values.data = weights - even
        content = {
            "network_weights": network.state_dict(),
            "init_args": {"configuration": "3d_fullres", "fold": fold},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": (0, 1, 2),
        }
        place = folder / f"fold_{fold}"
        place.mkdir()
        torch.save(content, place / "checkpoint_final.pth")
    return folder
