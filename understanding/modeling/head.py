"""Classifiers: fused features (B, D) -> logits (B, C). The face of every head, and the plain one."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Head(nn.Module, ABC):
    """A classifier whose last layers can start at zero."""

    @abstractmethod
    def forward(self, fused: Tensor) -> Tensor: ...

    @abstractmethod
    def start_at_zero(self) -> None:
        """Make every logit exactly zero until training moves the last layers."""

    def penalty(self) -> Tensor:
        """What this head asks to be added to the loss, a scalar, times a weight of the caller's; mostly nothing."""
        return next(self.parameters()).new_zeros(())


class LinearHead(Head):
    """The logistic layer."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.logistic = nn.Linear(features, classes)

    def forward(self, fused: Tensor) -> Tensor:
        logits: Tensor = self.logistic(fused)
        return logits

    def start_at_zero(self) -> None:
        nn.init.zeros_(self.logistic.weight)
        nn.init.zeros_(self.logistic.bias)
