"""Pretrained parts by name: a folder on this machine, or `owner/name` of the Hugging Face hub, read by `transformers`.

A folder is read without any network; a hub is asked only where its name is given. Code that comes with weights is never
run, and weights are taken as safetensors only. No torchvision and no torchaudio: PIL and numpy prepare what goes in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from logging import CRITICAL, getLogger
from pathlib import Path
from typing import Any, Final

from understanding.errors import Refused

_HUB_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_SAMPLED: Final = 1 << 20  # bytes of each end of a file of weights that go into its name


class BackboneUnavailable(Refused):
    """Weights that were asked for by name and cannot be used. `str()` is the cause."""

    code = "backbone-unavailable"


class Source:
    """Where a backbone is read from. `setting` is named in refusals. Raises BackboneUnavailable for what is no name."""

    def __init__(self, name: str, setting: str) -> None:
        self.name, self.setting = name, setting
        self.folder = Path(name).expanduser()
        self.local = self.folder.is_dir()
        if not self.local and (not _HUB_NAME.fullmatch(name) or self.folder.is_absolute()):
            raise self.refusal("it is no folder here and no owner/name of a hub")

    @property
    def place(self) -> str:
        return str(self.folder.resolve()) if self.local else self.name

    def refusal(self, cause: str) -> BackboneUnavailable:
        first = cause.strip().splitlines()[0][:300] if cause.strip() else "it cannot be read"
        return BackboneUnavailable(
            f"{self.setting}={self.name}: {first}",
            next_step=f"name a folder that save_pretrained wrote or an owner/name that can be reached, or unset "
            f"{self.setting}",
        )

    @contextmanager
    def reading(self) -> Iterator[dict[str, Any]]:
        """Give the options of `from_pretrained`, and say as a refusal what goes wrong with them."""
        from safetensors import SafetensorError  # noqa: PLC0415  brings torch

        try:
            with quiet():
                yield {"local_files_only": self.local, "trust_remote_code": False}
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, TypeError, SafetensorError) as error:
            raise self.refusal(f"{type(error).__name__}: {error}") from error

    def model(self) -> Any:
        """Return the net, in eval mode, on the first CUDA device where there is one; what it is given goes there too
        (`.to(model.device)`)."""
        import torch  # noqa: PLC0415  takes seconds to import
        from transformers import AutoModel  # noqa: PLC0415  as above

        with self.reading() as options:
            net = AutoModel.from_pretrained(self.place, use_safetensors=True, **options).eval()
            return net.to("cuda" if torch.cuda.is_available() else "cpu")

    def identity(self, config: Any) -> str:
        """Return a name that changes with the weights: rows of two nets must never be mixed up."""
        told = hashlib.sha256(self.name.encode() if not self.local else b"")
        told.update(str(getattr(config, "_commit_hash", None) or "").encode())
        for path in sorted(self.folder.glob("*")) if self.local else ():
            if path.suffix in (".json", ".safetensors", ".txt", ".model"):
                told.update(f"{path.name} {path.stat().st_size}\n".encode() + _ends(path))
        plain = re.sub(r"[^a-z0-9]+", "-", (self.folder.name if self.local else self.name).lower()).strip("-")
        return f"{plain[:40]}-{told.hexdigest()[:12]}"


def _ends(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(_SAMPLED)
        file.seek(max(0, path.stat().st_size - _SAMPLED))
        return head + file.read(_SAMPLED)


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, no advice, no log of each try: a library prints nothing, and what fails is raised."""
    from transformers.utils import logging  # noqa: PLC0415  takes seconds to import

    asking = getLogger("huggingface_hub")
    before = asking.level
    asking.setLevel(CRITICAL)
    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers does not type it
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # transformers does not type it
    try:
        yield
    finally:
        asking.setLevel(before)
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers does not type it
