"""A net that was exported to ONNX, on the processor: pinned threads that do not spin while others work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ERRORS = 3  # of onnxruntime's severities: warnings are left out


def session_of(model: Path | bytes, *, threads: int, severity: int | None = None) -> Any:
    """Load a net from its file or its bytes; `severity` is the least that is told."""
    import onnxruntime  # noqa: PLC0415  a second that no door pays without need

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if severity is not None:
        options.log_severity_level = severity
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
