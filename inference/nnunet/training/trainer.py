"""nnU-Net's trainer with our loss, a short schedule and left-right mirroring only."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


@dataclass(frozen=True)
class Stage:
    """A part of the training: share of the batches, tile and tiles a batch."""

    share: float
    patch: tuple[int, int, int]
    batch: int
    lesions: float


# Small tiles first: lesions fill more of them, so a batch teaches more in less time.
# The last stage is the planned tile, the one that prediction uses.
STAGES = (
    Stage(share=0.60, patch=(32, 32, 24), batch=6, lesions=0.67),
    Stage(share=0.28, patch=(48, 48, 32), batch=2, lesions=0.5),
    Stage(share=0.12, patch=(64, 64, 48), batch=2, lesions=0.5),
)


def has_bfloat16() -> bool:
    """Whether this processor multiplies in bfloat16; others only imitate it, slowly."""
    return bool(torch.cpu._is_avx512_bf16_supported())


def list_stage_ends(iterations: int) -> list[int]:
    """Return the number of batches after which each stage ends."""
    shares = np.cumsum([stage.share for stage in STAGES])
    return [round(iterations * float(share)) for share in shares]


def make_trainer(
    *,
    plans: dict[str, Any],
    configuration: str,
    fold: int,
    dataset_json: dict[str, Any],
    iterations: int,
    seed: int,
) -> ShortTrainer:
    """Seed every generator and return a trainer for one fold."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    # The base class takes this key out of the plans and fails without it; it also
    # reads its own arguments by name, so ours are set afterwards.
    plans["continue_training"] = False
    trainer = ShortTrainer(
        plans, configuration, fold, dataset_json, torch.device("cpu")
    )
    trainer.iterations = iterations
    trainer.initial_lr = 3e-3
    trainer.weight_decay = 1e-2
    return trainer


class ShortTrainer(nnUNetTrainer):  # type: ignore[misc]
    """Dice (smoothing term 0) plus cross-entropy without label smoothing, AdamW."""

    iterations: int

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, Any]:
        """Use AdamW with a one-cycle schedule, one step an iteration."""
        self.network.to(memory_format=torch.channels_last_3d)
        optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.initial_lr,
            weight_decay=self.weight_decay,
        )
        warm = max(1, self.iterations // 20)

        def scale(step: int) -> float:
            rise = min(1.0, (step + 1) / warm)
            return rise * (0.5 + 0.5 * math.cos(math.pi * step / self.iterations))

        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, scale)

    def _build_loss(self) -> torch.nn.Module:
        loss = DC_and_CE_loss(
            {"batch_dice": True, "smooth": 0.0, "do_bg": False, "ddp": False},
            {},
            weight_ce=1,
            weight_dice=1,
            dice_class=MemoryEfficientSoftDiceLoss,
        )
        scales = self._get_deep_supervision_scales()
        weights = np.array([0.5**level for level in range(len(scales))])
        weights[-1] = 0
        wrapped: torch.nn.Module = DeepSupervisionWrapper(loss, weights / weights.sum())
        return wrapped

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(
        self,
    ) -> tuple[Any, bool, Any, tuple[int, ...]]:
        """Mirror left and right only: the other flips make no anatomy."""
        turn, dummy, size, _ = (
            super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        )
        self.inference_allowed_mirroring_axes = (2,)
        return turn, dummy, size, (2,)

    def run_training(self) -> None:
        """Train for `iterations` batches, stage by stage; the caller validates."""
        self.on_train_start()
        self.network.train()
        losses: list[float] = []
        for stage, last in zip(STAGES, list_stage_ends(self.iterations), strict=True):
            self.enter_stage(stage)
            while len(losses) < last:
                batch = next(self.dataloader_train)
                losses.append(float(self.train_step(batch)["loss"]))
                self.lr_scheduler.step()
                if len(losses) % 50 == 0 or len(losses) == self.iterations:
                    mean = float(np.mean(losses[-50:]))
                    self.print_to_log_file(f"batch {len(losses)} loss {mean:.4f}")
        self.network.eval()

    def train_step(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Take one step; the base class computes in half precision on a GPU alone.

        The loss stays in float32: sums over a tile don't fit eight bits.
        """
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
            outputs = self.network(batch["data"])
        loss = self.loss([output.float() for output in outputs], batch["target"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 12)
        self.optimizer.step()
        return {"loss": loss.detach().numpy()}

    def enter_stage(self, stage: Stage) -> None:
        """Cut and count tiles as the stage says from now on."""
        self.configuration_manager.configuration["patch_size"] = list(stage.patch)
        self.batch_size = stage.batch
        self.oversample_foreground_percent = stage.lesions
        self.dataloader_train, self.dataloader_val = self.get_dataloaders()

    def plot_network_architecture(self) -> None:
        """Draw nothing: the base class needs a package that no longer exists."""

    def _save_debug_information(self) -> None:
        """Write nothing: the base class records the name of the machine."""
