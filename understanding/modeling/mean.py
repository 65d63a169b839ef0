"""The mean of the rows: all there is in a record of one row a video, and the mark that a temporal part must beat."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from understanding.modeling.rows import mean_rows, norm_rows


class MeanRows(nn.Module):
    """(B, T, N) rows and their mask (B, T) -> (B, N), or (B, out) through linear, batch norm and ReLU.

    Zeros where there is no row; what has no row does not count in the statistics of the norm.
    """

    def __init__(self, features: int, *, out: int = 0) -> None:
        super().__init__()
        self.out_features = out or features
        self.project = nn.Linear(features, out, bias=False) if out else None
        self.norm = nn.BatchNorm1d(out) if out else None

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        mean = mean_rows(rows, mask)
        if self.project is None or self.norm is None:
            return mean
        present = mask.any(dim=1, keepdim=True)  # (B, 1)
        normed = norm_rows(self.norm, self.project(mean).unsqueeze(1), present).squeeze(1)
        return F.relu(normed) * present
