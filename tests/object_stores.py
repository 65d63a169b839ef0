"""Empty stores for tests: `store_url` runs a test on a shared folder and on S3."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

KINDS = ["folder", pytest.param("s3", marks=pytest.mark.server)]


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty bucket, whose keys stand in the environment."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": s3_endpoint}.items():
        monkeypatch.setenv(name, value)
    name = f"autoreel-{secrets.token_hex(6)}"
    requests.put(f"{s3_endpoint}/{name}", timeout=30).raise_for_status()
    return f"s3://{name}/of/the desk"


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, once a folder and once S3."""
    if request.param == "s3":
        return str(request.getfixturevalue("bucket"))
    folder = tmp_path / "shared store"
    folder.mkdir()
    return folder.as_uri()


def writing(data: bytes) -> Callable[[Path], None]:
    """Return a maker of a derived file with this content."""

    def make(path: Path) -> None:
        path.write_bytes(data)

    return make
