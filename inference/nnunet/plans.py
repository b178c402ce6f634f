"""Read a model's plans.json and dataset.json, and build its network from a table."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

# Nothing named in a file is ever imported; a name outside these tables is refused.
NETWORKS = {
    "ResidualEncoderUNet": "n_blocks_per_stage",
    "PlainConvUNet": "n_conv_per_stage",
}
NETWORK_MODULE = "dynamic_network_architectures.architectures.unet."
OPERATORS = {
    "conv_op": {"torch.nn.modules.conv.Conv3d": "Conv3d"},
    "norm_op": {"torch.nn.modules.instancenorm.InstanceNorm3d": "InstanceNorm3d"},
    "dropout_op": {},
    "nonlin": {"torch.nn.LeakyReLU": "LeakyReLU", "torch.nn.ReLU": "ReLU"},
}
OPERATOR_ARGUMENTS = {
    "norm_op_kwargs": {"eps", "affine"},
    "nonlin_kwargs": {"inplace", "negative_slope"},
}
NORMALIZATIONS = (
    "ZScoreNormalization",
    "NoNormalization",
    "RescaleTo01Normalization",
    "CTNormalization",
)
LARGEST_JSON = 16 * 2**20
RESAMPLING = "resample_data_or_seg_to_shape"
# The toolbox names the side an axis starts from, nibabel the side it runs to.
OPPOSITE = str.maketrans("RLAPIS", "LRPASI")
TOOLBOX_DEFAULT = "LPI"
AXIS_OF = {"R": "x", "L": "x", "A": "y", "P": "y", "I": "z", "S": "z"}


@dataclass(frozen=True)
class Plans:
    """What a configuration prescribes; axes are nnU-Net's, after its transposition."""

    configuration: str
    spacing: tuple[float, float, float]
    patch: tuple[int, int, int]
    transpose: tuple[int, int, int]
    normalization: str
    use_mask: bool
    intensities: dict[str, float]
    image_order: int
    image_order_z: int
    margin_order: int
    separate_z: bool | None
    network: str
    architecture: dict[str, Any]
    orientation: str
    digest: str


def read_plans(*, folder: Path, configuration: str) -> Plans:
    """Read and check the plans of a model folder.

    Raises ModelError naming the file and the field that is missing or not allowed.
    """
    plans, description = (
        load_json(folder / "plans.json"),
        load_json(folder / "dataset.json"),
    )
    check_dataset(description)
    chosen = resolve_configuration(plans, configuration)
    network = chosen.get("architecture")
    if not isinstance(network, dict):
        raise ModelError(
            "plans.json has no 'architecture' entry; plan the data set again with "
            "nnU-Net 2.4 or newer."
        )
    name = str(network.get("network_class_name"))
    try:
        patch = read_sizes(chosen["patch_size"])
        architecture = read_architecture(name, network["arch_kwargs"])
        check_fit(patch, architecture)
        return Plans(
            configuration=configuration,
            spacing=read_triple(chosen["spacing"], low=0.05, high=20.0),
            patch=patch,
            transpose=read_transpose(plans["transpose_forward"]),
            normalization=read_normalization(chosen["normalization_schemes"]),
            use_mask=bool(chosen["use_mask_for_norm"][0]),
            intensities=read_intensities(plans),
            **read_resampling(chosen),
            network=read_network_name(name),
            architecture=architecture,
            orientation=read_orientation(description),
            digest=digest_plans(plans, description),
        )
    except ModelError:
        raise
    except (
        LookupError, TypeError, ValueError, ArithmeticError, AttributeError
    ) as problem:  # fmt: skip
        raise ModelError(
            f"plans.json lacks or garbles {problem} in configuration "
            f"{configuration!r}; export the model again from nnU-Net."
        ) from problem


def load_json(path: Path) -> dict[str, Any]:
    """Read one JSON object or say which file is wrong."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ModelError(f"{path.name} is larger than {LARGEST_JSON >> 20} MiB.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise ModelError(
            f"{path.name} is missing in {path.parent}; copy it from the trained model."
        ) from problem
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise ModelError(f"{path.name} is not valid JSON: {problem}.") from problem
    except RecursionError as problem:
        raise ModelError(f"{path.name} is nested too deeply.") from problem
    if not isinstance(content, dict):
        raise ModelError(f"{path.name} must hold one JSON object.")
    return content


def digest_plans(*contents: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of plans and data set description."""
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_dataset(description: dict[str, Any]) -> None:
    """Accept one channel, background and one foreground label."""
    channels = description.get("channel_names") or description.get("modality") or {}
    if not isinstance(channels, dict):
        raise ModelError("dataset.json: channel_names must be an object.")
    if len(channels) != 1:
        raise ModelError(
            f"dataset.json names {len(channels)} image channels; only models of one "
            "channel can be run here."
        )
    labels = description.get("labels")
    if not isinstance(labels, dict) or sorted(map(str, labels.values())) != ["0", "1"]:
        raise ModelError(
            "dataset.json must have the labels 0 (background) and 1 (lesion) only."
        )


def resolve_configuration(plans: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a configuration with what it inherits."""
    chain: list[dict[str, Any]] = []
    wanted: str | None = name
    known = plans.get("configurations")
    known = known if isinstance(known, dict) else {}
    while wanted is not None:
        found = known.get(str(wanted))
        if not isinstance(found, dict) or len(chain) > 5:
            raise ModelError(f"plans.json has no configuration named {wanted!r}.")
        chain.append(found)
        wanted = found.get("inherits_from")
    merged: dict[str, Any] = {}
    for part in reversed(chain):
        merged.update(part)
    return merged


def read_triple(values: Any, *, low: float, high: float) -> tuple[float, float, float]:
    """Return three numbers within bounds."""
    numbers = [float(value) for value in values]
    if len(numbers) != 3 or not all(low <= number <= high for number in numbers):
        raise ModelError(
            f"plans.json: {values} must be three numbers from {low} to {high}; "
            "only 3D configurations can be run."
        )
    return numbers[0], numbers[1], numbers[2]


def read_sizes(values: Any) -> tuple[int, int, int]:
    """Return a patch size, bounded so that it cannot exhaust memory."""
    a, b, c = (int(value) for value in read_triple(values, low=8, high=512))
    if a * b * c > 2**24:
        raise ModelError(f"plans.json: a patch of {a}x{b}x{c} voxels is too large.")
    return a, b, c


def read_transpose(values: Any) -> tuple[int, int, int]:
    """Return a permutation of the three axes."""
    a, b, c = (int(value) for value in values)
    if sorted((a, b, c)) != [0, 1, 2]:
        raise ModelError(f"plans.json: transpose_forward {values} is no permutation.")
    return a, b, c


def read_normalization(values: Any) -> str:
    """Return the name of a known intensity normalisation."""
    (name,) = values
    if name not in NORMALIZATIONS:
        raise ModelError(
            f"plans.json asks for the normalisation {name!r}; known are "
            f"{', '.join(NORMALIZATIONS)}."
        )
    return str(name)


def read_intensities(plans: dict[str, Any]) -> dict[str, float]:
    """Return the training set's intensity statistics of the one channel."""
    table = plans.get("foreground_intensity_properties_per_channel", {})
    found = {key: float(value) for key, value in table.get("0", {}).items()}
    if not all(math.isfinite(value) for value in found.values()):
        raise ModelError("plans.json gives intensities that are not numbers.")
    return found


def read_resampling(chosen: dict[str, Any]) -> dict[str, Any]:
    """Return interpolation orders, accepting nnU-Net's default resampling only."""
    for role in ("data", "probabilities"):
        name = chosen[f"resampling_fn_{role}"]
        if name != RESAMPLING:
            raise ModelError(
                f"plans.json asks for the resampling {name!r}; only {RESAMPLING!r} "
                "is supported."
            )
    image = chosen["resampling_fn_data_kwargs"]
    margin = chosen["resampling_fn_probabilities_kwargs"]
    if margin["order"] != 1 or margin.get("order_z", 0) != 0:
        raise ModelError("plans.json must resample probabilities with order 1, 0.")
    separate = margin.get("force_separate_z")
    if separate != image.get("force_separate_z"):
        raise ModelError("plans.json treats image and probabilities differently in z.")
    return {
        "image_order": read_order(image["order"]),
        "image_order_z": read_order(image.get("order_z", 0)),
        "margin_order": 1,
        "separate_z": None if separate is None else bool(separate),
    }


def read_order(value: Any) -> int:
    """Return the order of a spline."""
    if value not in range(6):
        raise ModelError(f"plans.json: the order {value!r} is not from 0 to 5.")
    return int(value)


def read_network_name(name: str) -> str:
    """Return the allowed class behind a dotted name, or refuse it."""
    short = name.rsplit(".", 1)[-1]
    if not name.startswith("dynamic_network_architectures.") or short not in NETWORKS:
        raise ModelError(
            f"plans.json names the network {name!r}; allowed are "
            f"{', '.join(sorted(NETWORKS))}."
        )
    return short


def read_architecture(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the network's arguments, each one known and bounded."""
    short = read_network_name(name)
    stages = int(given["n_stages"])
    if not 2 <= stages <= 9:
        raise ModelError(f"plans.json: {stages} network stages are not from 2 to 9.")
    depth = NETWORKS[short]
    known = {
        "n_stages": stages,
        "features_per_stage": read_counts(given["features_per_stage"], stages, 1024),
        "kernel_sizes": read_sizes_per_stage(given["kernel_sizes"], stages, 7),
        "strides": read_sizes_per_stage(given["strides"], stages, 4),
        depth: read_counts(given[depth], stages, 16),
        "n_conv_per_stage_decoder": read_counts(
            given["n_conv_per_stage_decoder"], stages - 1, 16
        ),
        "conv_bias": bool(given["conv_bias"]),
    }
    extra = (
        set(given) - set(known) - set(OPERATORS) - {f"{k}_kwargs" for k in OPERATORS}
    )
    if extra:
        raise ModelError(
            "plans.json gives the network unknown arguments: "
            f"{', '.join(sorted(extra))}."
        )
    return {**known, **read_operators(given)}


def read_counts(values: Any, count: int, most: int) -> list[int]:
    """Return `count` whole numbers from 1 to `most`."""
    numbers = [int(value) for value in values]
    if len(numbers) != count or not all(1 <= number <= most for number in numbers):
        raise ModelError(
            f"plans.json: {values} must be {count} whole numbers from 1 to {most}."
        )
    return numbers


def read_sizes_per_stage(values: Any, stages: int, most: int) -> list[list[int]]:
    """Return a kernel or stride of three small whole numbers for each stage."""
    if len(values) < stages:
        raise ModelError(f"plans.json: {values} has no entry for some of the stages.")
    return [read_counts(value, 3, most) for value in values[:stages]]


def check_fit(patch: tuple[int, int, int], architecture: dict[str, Any]) -> None:
    """Refuse what a network can't halve and join again without a remainder."""
    if any(size % 2 == 0 for kernel in architecture["kernel_sizes"] for size in kernel):
        raise ModelError("plans.json: the sizes of kernels must be odd.")
    for axis, size in enumerate(patch):
        factor = math.prod(stride[axis] for stride in architecture["strides"])
        if size % factor:
            raise ModelError(
                f"plans.json: the patch of {size} voxels can't be divided by the "
                f"strides, {factor} together."
            )


def read_operators(given: dict[str, Any]) -> dict[str, Any]:
    """Return the layers as names from the table, with their checked arguments."""
    found: dict[str, Any] = {}
    for role, table in OPERATORS.items():
        name = given.get(role)
        if name not in table if name is not None else role == "conv_op":
            raise ModelError(
                f"plans.json names the layer {name!r}, which is not allowed."
            )
        found[role] = None if name is None else table[name]
        if role == "conv_op":
            continue
        found[f"{role}_kwargs"] = read_arguments(role, given.get(f"{role}_kwargs"))
    return found


def read_arguments(role: str, given: Any) -> dict[str, float] | None:
    """Return a layer's arguments: known names, and numbers or truths from 0 to 1."""
    if given is None:
        return None
    allowed = OPERATOR_ARGUMENTS.get(f"{role}_kwargs", set())
    if not set(given) <= allowed or not all(
        isinstance(value, bool | int | float) and 0 <= value <= 1
        for value in given.values()
    ):
        raise ModelError(f"plans.json gives {role} arguments that are not allowed.")
    return dict(given)


def read_orientation(description: dict[str, Any]) -> str:
    """Return the axis order the model was trained in, as nibabel's three letters."""
    code = str(description.get("image_orientation", TOOLBOX_DEFAULT)).upper()
    if sorted(AXIS_OF.get(letter, code) for letter in code) != ["x", "y", "z"]:
        raise ModelError(
            f"dataset.json: image_orientation {code!r} is no orientation such as 'LPI'."
        )
    return code.translate(OPPOSITE)


def build_network(plans: Plans) -> nn.Module:
    """Build the network of two output classes, without deep supervision."""
    from dynamic_network_architectures.architectures import unet
    from torch import nn as layers

    arguments = dict(plans.architecture)
    for role in OPERATORS:
        name = arguments[role]
        arguments[role] = None if name is None else getattr(layers, name)
    network: nn.Module = getattr(unet, plans.network)(
        input_channels=1, num_classes=2, deep_supervision=False, **arguments
    )
    return network
