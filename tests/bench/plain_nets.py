"""The nets as one writes them down from the papers, layer after layer, to measure ours against.

Everything is ordinary PyTorch and takes whole rows: no mask, no packing, no shared code. Layers are named as ours, so
that weights can be taken over and both be seen to answer alike.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from understanding.modeling.inputs import SENTENCE_DIM, Batch
from understanding.sizes import Mix, Size


class PlainNeXtVLAD(nn.Module):
    """The layer of Lin et al. as in the common ports: expand every row, assign it, sum, subtract the centres."""

    def __init__(self, features: int, clusters: int, groups: int, expansion: int) -> None:
        super().__init__()
        self.groups, self.clusters, wide = groups, clusters, features * expansion
        self.out_features = wide // groups * clusters
        self.expand = nn.Linear(features, wide)
        self.attention = nn.Linear(wide, groups)
        self.assign = nn.Linear(wide, groups * clusters, bias=False)
        self.assign_norm = nn.BatchNorm1d(groups * clusters)
        self.centres = nn.Parameter(torch.randn(wide // groups, clusters) * features**-0.5)
        self.vlad_norm = nn.BatchNorm1d(self.out_features)

    def forward(self, rows: Tensor) -> Tensor:
        batch, seconds, _ = rows.shape
        wide = self.expand(rows)
        attention = torch.sigmoid(self.attention(wide)).reshape(batch, seconds * self.groups, 1)
        activation = self.assign(wide).reshape(batch * seconds, -1)
        activation = self.assign_norm(activation).reshape(batch, seconds * self.groups, self.clusters)
        activation = torch.softmax(activation, dim=-1) * attention
        shift = activation.sum(dim=1, keepdim=True) * self.centres
        grouped = wide.reshape(batch, seconds * self.groups, -1)
        vlad = torch.matmul(activation.transpose(1, 2), grouped).transpose(1, 2) - shift
        normed: Tensor = self.vlad_norm(F.normalize(vlad, dim=1).reshape(batch, -1))
        return normed


class PlainMean(nn.Module):
    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        self.out_features = out
        self.project, self.norm = nn.Linear(features, out, bias=False), nn.BatchNorm1d(out)

    def forward(self, rows: Tensor) -> Tensor:
        return torch.relu(self.norm(self.project(rows.mean(dim=1))))


class PlainStandardised(nn.Module):
    mean: Tensor
    spread: Tensor

    def __init__(self, part: nn.Module, features: int) -> None:
        super().__init__()
        self.out_features, self.part = part.out_features, part
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))

    def forward(self, rows: Tensor) -> Tensor:
        answer: Tensor = self.part((rows - self.mean) / self.spread)
        return answer


class PlainGRU(nn.Module):
    """Two readings of whole rows, the second of the rows turned round."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.out_features = 2 * hidden
        self.ahead = nn.GRU(features, hidden, batch_first=True)
        self.back = nn.GRU(features, hidden, batch_first=True)
        self.score = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))

    def forward(self, rows: Tensor) -> Tensor:
        states = torch.cat([self.ahead(rows)[0], self.back(rows.flip(1))[0].flip(1)], dim=2)
        return (torch.softmax(self.score(states), dim=1) * states).sum(dim=1)


class PlainBlock(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.looks = nn.ModuleList(
            nn.Conv1d(hidden, hidden, width, dilation=step, padding=width // 2 * step, bias=False)
            for width, step in ((3, 1), (5, 1), (3, 4))
        )
        self.norm = nn.BatchNorm1d(hidden)

    def forward(self, states: Tensor) -> Tensor:
        first, second, third = (look(states) for look in self.looks)
        seen: Tensor = torch.relu(self.norm(first + second + third))
        return states + seen


class PlainCNN(nn.Module):
    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.out_features = 2 * hidden
        self.narrow = nn.Linear(features, hidden)
        self.blocks = nn.ModuleList([PlainBlock(hidden), PlainBlock(hidden)])

    def forward(self, rows: Tensor) -> Tensor:
        states: Tensor = self.narrow(rows).transpose(1, 2)
        for block in self.blocks:
            states = block(states)
        return torch.cat([states.amax(dim=2), states.mean(dim=2)], dim=1)


class PlainGroup(nn.Module):
    def __init__(self, features: int, hidden: int, reduction: int) -> None:
        super().__init__()
        self.hidden, self.norm = nn.Linear(features, hidden, bias=False), nn.BatchNorm1d(hidden)
        self.gate = nn.ModuleDict(
            {
                "squeeze": nn.Linear(hidden, hidden // reduction, bias=False),
                "norm": nn.BatchNorm1d(hidden // reduction),
                "excite": nn.Linear(hidden // reduction, hidden, bias=False),
            }
        )

    def forward(self, streams: Tensor) -> Tensor:
        hidden: Tensor = self.norm(self.hidden(streams))
        gate = torch.relu(self.gate["norm"](self.gate["squeeze"](hidden)))
        return hidden * torch.sigmoid(self.gate["excite"](gate))


class PlainVector(nn.Module):
    """One vector a video, as of labels that are told or of a sentence."""

    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        self.out_features, self.project = out, nn.Linear(features, out)

    def forward(self, vectors: Tensor) -> Tensor:
        return torch.relu(self.project(vectors))


class PlainBert(nn.Module):
    def __init__(self, bert: nn.Module, out: int) -> None:
        super().__init__()
        self.out_features, self.bert = out, bert
        self.project = nn.Linear(bert.config.hidden_size, out)  # type: ignore[union-attr, arg-type]  # torch types attributes of modules as tensor or module

    def forward(self, tokens: Tensor) -> Tensor:
        with torch.no_grad():
            states = self.bert(input_ids=tokens).last_hidden_state
        return torch.relu(self.project(F.normalize(states.mean(dim=1), dim=1)))


class PlainLinear(nn.Module):
    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.logistic = nn.Linear(features, classes)

    def forward(self, fused: Tensor) -> Tensor:
        logits: Tensor = self.logistic(fused)
        return logits


class PlainOutputs(nn.Module):
    """Logits, and what their neighbours in the label graph say."""

    adjacency: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.linear, self.scale = PlainLinear(features, classes), nn.Parameter(torch.zeros(classes))
        self.register_buffer("adjacency", torch.zeros(classes, classes))

    def forward(self, fused: Tensor) -> Tensor:
        logits: Tensor = self.linear(fused)
        return logits + self.scale * (logits @ self.adjacency.T)


class PlainNet(nn.Module):
    """Whole rows (B, T, N), and words or told labels where the size reads them -> logits."""

    def __init__(self, size: Size, classes: int, bert: nn.Module | None) -> None:
        super().__init__()
        self.picture = _stream(size, size.picture, 1)
        self.sound = _stream(size, size.sound, 2)
        self.text = PlainBert(copy.deepcopy(bert), size.words) if bert is not None and size.words else None
        self.sentence = PlainVector(SENTENCE_DIM, size.words) if size.words else None
        self.told = PlainVector(size.told, size.told_width) if size.told else None
        parts = [part for part in (self.picture, self.sound, self.text, self.sentence, self.told) if part is not None]
        joined = sum(int(part.out_features) for part in parts)  # type: ignore[misc, arg-type]  # torch types attributes of modules as tensor or module
        self.dropout = nn.Dropout(size.dropout)
        groups = [PlainGroup(joined, size.hidden, size.reduction) for _ in range(size.fused_groups)]
        self.fusion = nn.ModuleDict({"groups": nn.ModuleList(groups)})
        self.after = nn.Sequential(nn.ReLU(), nn.Dropout(size.late_dropout)) if size.rectified else nn.Identity()
        kind = PlainOutputs if size.head == "outputs" else PlainLinear
        self.skip = size.skip
        self.head = kind(size.fused_groups * size.hidden + (joined if size.skip else 0), classes)

    def forward(self, batch: Batch) -> Tensor:
        parts = [self.picture(batch.picture), self.sound(batch.sound)]
        if self.text is not None and self.sentence is not None:
            parts += [self.text(batch.tokens), self.sentence(batch.sentence)]
        if self.told is not None:
            parts.append(self.told(batch.told))
        joined = self.dropout(torch.cat(parts, dim=1))
        groups = self.fusion["groups"]
        assert isinstance(groups, nn.ModuleList)
        fused = self.after(torch.cat([group(joined) for group in groups], dim=1))
        logits: Tensor = self.head(torch.cat([fused, joined], dim=1) if self.skip else fused)
        return logits


class PlainMix(nn.Module):
    def __init__(self, mix: Mix, classes: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(PlainNet(size, classes, None) for size in mix.branches)
        inputs = mix.branches[0].picture + mix.branches[0].sound
        self.mixer = nn.ModuleDict({"norm": nn.BatchNorm1d(inputs), "weigh": nn.Linear(inputs, len(mix.branches))})

    def forward(self, batch: Batch) -> Tensor:
        mean = torch.cat([batch.picture.mean(dim=1), batch.sound.mean(dim=1)], dim=1)
        weights = torch.softmax(self.mixer["weigh"](self.mixer["norm"](mean)), dim=1)
        logits = torch.stack([branch(batch) for branch in self.branches], dim=1)
        return (weights.unsqueeze(-1) * logits).sum(dim=1)


def plain_net(size: Size | Mix, classes: int, bert: nn.Module | None = None) -> nn.Module:
    return PlainMix(size, classes) if isinstance(size, Mix) else PlainNet(size, classes, bert)


def _stream(size: Size, features: int, share: int) -> nn.Module:
    part = _temporal(size, features, share)
    return PlainStandardised(part, features) if size.standardised else part


def _temporal(size: Size, features: int, share: int) -> nn.Module:
    match size.temporal:
        case "nextvlad":
            return PlainNeXtVLAD(features, size.clusters // share, size.groups // share, size.expansion)
        case "gru":
            return PlainGRU(features, size.width // share)
        case "cnn":
            return PlainCNN(features, size.width // share)
        case "mean":
            return PlainMean(features, size.width // share)
