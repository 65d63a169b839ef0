"""The manifest of content credentials (C2PA 2.1): a signed statement in the file of how it was made.

Optional: it wants the package `c2pa-python` and a certificate of the desk's own. It is written after everything else,
so that its hash covers the file as it is, the AIGC label with it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from factory.errors import FactoryError
from factory.plan.timeline import Timeline
from factory.plan.timeline_json import to_json
from factory.render import aigc
from factory.render.film import atomically

PACKAGE = "c2pa-python==0.38.1"
# IPTC, digital source types: several things joined, at least one of them made by a trained model
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
TIMELINE = "org.autoreel.timeline"  # our own assertion
UNTRUSTED = (
    "signingCredential.untrusted"  # of a certificate that no list here knows; whoever checks has lists of his own
)


class SigningFailed(FactoryError):
    """No manifest can be written with what is set, or what was written does not hold."""

    code = "signing-failed"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs: the certificate with its chain and the private key, both PEM, and the algorithm of the key."""

    certificate: bytes
    key: bytes
    algorithm: str


def read_credentials(certificate: Path | None, key: Path | None) -> Credentials | None:
    """Return who signs, None where neither file is set. Raises `SigningFailed` before any work is done."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing = "FACTORY_C2PA_CERT" if certificate is None else "FACTORY_C2PA_KEY"
        raise SigningFailed(f"{missing} is not set", next_step=f"set {missing} too, or neither")
    if find_spec("c2pa") is None:
        raise SigningFailed(
            "videos are to be signed and c2pa is not installed", next_step=f"run `pip install {PACKAGE}`"
        )
    try:
        chain, secret = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        cause = f"{error.filename} cannot be read: {error.strerror}"
        raise SigningFailed(cause, next_step="name PEM files that can be read") from error
    return Credentials(chain, secret, _algorithm(secret, key))


def _algorithm(secret: bytes, path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415  comes with c2pa-python
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    step = "give an unencrypted PEM key: EC P-256, P-384 or P-521, Ed25519, or RSA"
    try:
        key = load_pem_private_key(secret, None)
    except (ValueError, TypeError) as error:
        raise SigningFailed(f"{path} is no private key: {error}", next_step=step) from error
    if isinstance(key, ec.EllipticCurvePrivateKey):
        by_size = {256: "es256", 384: "es384", 521: "es512"}
        if key.curve.key_size in by_size:
            return by_size[key.curve.key_size]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise SigningFailed(f"{path} has a key that content credentials do not know", next_step=step)


def sign(video: Path, timeline: Timeline, credentials: Credentials) -> None:
    """Put a signed manifest into a finished video, in place and at once. No time stamp is asked for over the network.

    Raises `SigningFailed` where the certificate does not serve, or what was written does not validate.
    """
    import c2pa  # noqa: PLC0415  an optional package

    label = aigc.read_label(video)

    def write(target: Path) -> None:
        signer = c2pa.C2paSignerInfo(credentials.algorithm, credentials.certificate, credentials.key, None)
        with c2pa.Signer.from_info(signer) as who, c2pa.Builder(json.dumps(manifest(timeline))) as builder:
            builder.sign_file(video, target, who)
        aigc.check_written(target, label)
        _check(read_manifest(target))

    try:
        atomically(video, write)
    except c2pa.C2paError as error:
        raise SigningFailed(
            f"{video.name} cannot be signed: {error}",
            next_step="give a certificate with its chain and the key that belongs to it, see docs/publishing.md",
        ) from error


def manifest(timeline: Timeline) -> dict[str, Any]:
    """Return what is stated: that models made parts of it, and the digest of the timeline beside the video."""
    digest = hashlib.sha256(to_json(timeline).encode()).hexdigest()
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}
    return {
        "claim_generator_info": [{"name": "AutoReel"}],
        "title": timeline.title,
        "format": "video/mp4",
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [created]}},
            {"label": TIMELINE, "data": {"sha256": digest}},
        ],
    }


def read_manifest(video: Path) -> dict[str, Any]:
    """Return the manifests of a file with what validating them gave, as the library tells it."""
    import c2pa  # noqa: PLC0415  an optional package

    with c2pa.Reader(video) as reader:
        found: dict[str, Any] = json.loads(reader.json())
    return found


def _check(found: dict[str, Any]) -> None:
    codes = {status["code"] for status in found.get("validation_status", [])} - {UNTRUSTED}
    if codes:
        raise SigningFailed(
            f"the manifest does not hold: {', '.join(sorted(codes))}", next_step="check the certificate"
        )
