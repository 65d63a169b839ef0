"""Opening the voices' ONNX models so that they also tell how long each phoneme lasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnxruntime

THREADS = 2


def with_output(output: str) -> bytes:
    """Return bytes that, appended to an ONNX file, make one of its inner values an output.

    Protocol Buffers merge messages that stand one after another, lists by appending: nothing need be parsed.
    """
    graph = onnx.GraphProto(output=[onnx.ValueInfoProto(name=output)])
    return bytes(onnx.ModelProto(graph=graph).SerializeToString())


def open_model(model: Path | bytes) -> Any:
    """Return an ONNX Runtime session on the CPU with two threads that do not spin while they wait."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = str(model) if isinstance(model, Path) else model
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
