"""How an ensemble is run and its folds combined: what a result depends on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

RULES = ("paper", "sct", "nnunet")
CHECKPOINTS = ("best", "final")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Margins:
    """How far beyond a region the network may see, in mm towards each side."""

    right: float = 0.0
    left: float = 0.0
    anterior: float = 0.0
    posterior: float = 0.0
    superior: float = 0.0
    inferior: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no distance."""
        for side, distance in asdict(self).items():
            if not 0 <= distance <= 1000:
                raise ValueError(
                    f"The margin of {distance} mm ({side}) must be from 0 to 1000 mm."
                )


# What the Spinal Cord Toolbox leaves around a cord before it trains and predicts.
AROUND_CORD = Margins(20.0, 20.0, 20.0, 20.0, superior=40.0, inferior=100.0)


@dataclass(frozen=True)
class Crop:
    """The part of an image that is predicted; what lies outside is background.

    `box` holds the first voxel and the one after the last along each axis as stored.
    Without a box the region is that of a mask given with the image, the cord's say.
    """

    box: Box | None = None
    margins: Margins = field(default_factory=Margins)

    def __post_init__(self) -> None:
        """Refuse boxes without content."""
        if self.box is None:
            return
        if any(not 0 <= a < b for a, b in self.box):
            raise ValueError(
                f"The box {self.box} must give a first voxel and the one after the "
                "last for each of three axes."
            )


@dataclass(frozen=True)
class Settings:
    """How the folds are run and combined.

    `rule` "paper" and "sct" mark a voxel when the part of the folds that vote for it
    exceeds `threshold`; "nnunet" marks it where the mean of the folds' logits favours
    the lesion. None for `mirroring` and `checkpoint` means the rule's own default:
    mirrored and best for "paper", not mirrored and final for "sct", mirrored and final
    for "nnunet"; where the preferred checkpoint is absent the other one serves.
    `step` is the distance of tiles as a part of their size. `device` is auto, cpu,
    cuda or cuda:1; `precision` "auto" is half on CUDA, bfloat16 where the processor
    has it and is faster for it, else float32.
    """

    rule: str = "paper"
    threshold: float = 0.5
    mirroring: bool | None = None
    checkpoint: str | None = None
    step: float = 0.5
    precision: str = "auto"
    crop: Crop | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        check_choice("rule", self.rule, RULES)
        check_choice("precision", self.precision, PRECISIONS)
        if self.checkpoint is not None:
            check_choice("checkpoint", self.checkpoint, CHECKPOINTS)
        if not 0 <= self.threshold < 1:
            raise ValueError(
                f"The threshold {self.threshold} must be at least 0 and below 1."
            )
        if self.rule == "nnunet" and self.threshold != 0.5:
            raise ValueError(
                "The rule nnunet takes the larger of two logits and has no threshold; "
                "leave the threshold at 0.5, or choose the rule paper or sct."
            )
        if not 0 < self.step <= 1:
            raise ValueError(f"The step {self.step} must be above 0 and at most 1.")

    @property
    def mirrors(self) -> bool:
        """Whether mirrored copies are predicted too."""
        return self.rule != "sct" if self.mirroring is None else self.mirroring

    @property
    def prefers(self) -> str:
        """Which checkpoint of a fold is taken where there are two."""
        if self.checkpoint is not None:
            return self.checkpoint
        return "best" if self.rule == "paper" else "final"

    def resolve(self) -> Settings:
        """The same settings with the rule's defaults written out."""
        return replace(self, mirroring=self.mirrors, checkpoint=self.prefers)

    def to_json(self) -> dict[str, Any]:
        """Strict JSON, from which `read_settings` makes equal settings."""
        given = asdict(self)
        if self.crop is not None and self.crop.box is not None:
            given["crop"]["box"] = [list(part) for part in self.crop.box]
        return given

    def to_run_json(self) -> dict[str, Any]:
        """What the networks' work depends on, defaults written out: a part of a key.

        Left out are the device, which is to make no difference, and the threshold,
        which is applied to the finished votes.
        """
        return {
            name: value
            for name, value in self.resolve().to_json().items()
            if name not in ("device", "threshold")
        }


def read_settings(given: dict[str, Any]) -> Settings:
    """Settings from their JSON; raises ValueError naming what is unknown."""
    known = set(Settings.__dataclass_fields__)
    if unknown := sorted(set(given) - known):
        raise ValueError(f"There is no setting {', '.join(unknown)}.")
    crop = given.get("crop")
    return Settings(**{**given, "crop": None if crop is None else read_crop(crop)})


def read_crop(given: dict[str, Any]) -> Crop:
    """A crop from its JSON."""
    try:
        box = given.get("box")
        if box is not None:
            (a, b), (c, d), (e, f) = box
            box = ((int(a), int(b)), (int(c), int(d)), (int(e), int(f)))
        margins = {side: float(mm) for side, mm in given.get("margins", {}).items()}
        if unknown := sorted(set(margins) - set(Margins.__dataclass_fields__)):
            raise KeyError(", ".join(unknown))
    except (TypeError, ValueError, KeyError) as problem:
        raise ValueError(f"The crop {given} is not understood: {problem}.") from problem
    return Crop(box=box, margins=Margins(**margins))


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(
            f"The {name} {value!r} is unknown; choose {', '.join(choices[:-1])} or "
            f"{choices[-1]}."
        )
