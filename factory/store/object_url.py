"""Which store an address means: a folder that hosts share, or a bucket of S3."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from factory.store.objects import PATIENCE, Objects, StoreUnusable
from factory.store.objects_folder import FolderObjects


def open_objects(url: str, *, patience: float = PATIENCE) -> Objects:
    """Return the store at `file:///folder` or `s3://bucket/prefix`; nothing is asked of it yet. Raises StoreUnusable.

    An s3 store takes endpoint, region and keys from the environment (AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, ...). A request that fails is tried again for `patience` seconds.
    """
    target = urlsplit(url)
    plain = not (target.query or target.fragment or target.username or target.password)
    if plain and target.scheme == "file" and not target.netloc and target.path.strip("/"):
        return FolderObjects(Path(unquote(target.path)))
    if plain and target.scheme == "s3" and target.netloc and ":" not in target.netloc:
        return _open_s3(target.netloc, unquote(target.path).strip("/"), patience)
    raise StoreUnusable(
        "FACTORY_STORE cannot be read",  # without the address: it may hold a key
        next_step="write it as file:///mnt/shared/autoreel or s3://bucket/prefix; keys belong in AWS_* variables",
    )


def _open_s3(bucket: str, prefix: str, patience: float) -> Objects:
    try:
        from factory.store.objects_s3 import S3Objects  # noqa: PLC0415  wants the extra `objects`
    except ImportError as error:
        raise StoreUnusable(
            "FACTORY_STORE is an s3 address, and the package obstore is not installed",
            next_step="install AutoReel with its extra: pip install 'autoreel[objects]'",
        ) from error
    return S3Objects(bucket, prefix, patience=patience)
