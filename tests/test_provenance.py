"""Content credentials: signed with a certificate made here, read back by the library, broken by one changed byte."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from factory.plan.timeline import Canvas, ColorLayer, TimedScene, Timeline
from factory.plan.timeline_json import to_json
from factory.render import provenance
from factory.render.aigc import KEY, implicit_label, read_label
from factory.render.provenance import TIMELINE, UNTRUSTED, SigningFailed, read_credentials, read_manifest, sign
from tests.render_kit import ffmpeg

installed = pytest.mark.skipif(find_spec("c2pa") is None, reason=f"wants `pip install {provenance.PACKAGE}`")
PROGRAM = Timeline("北风 X5", "zh-CN", "t", "b", Canvas(64, 64), (TimedScene("s", 6, (ColorLayer("#408060", 0, 6),)),))


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A chain of two: a desk's certificate of an authority of its own; its key, and one that is not its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    folder, pem = tmp_path_factory.mktemp("pems"), serialization.Encoding.PEM
    now = dt.datetime.now(dt.UTC)

    def certificate(name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey) -> bytes:
        ca = name == "authority"
        names = [x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, one)]) for one in (name, issuer)]
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        made = (
            x509.CertificateBuilder(names[1], names[0], key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, **usage), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        )
        if not ca:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        return bytes(made.sign(by, hashes.SHA256()).public_bytes(pem))

    authority, desk = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = certificate("desk", desk, "authority", authority) + certificate(
        "authority", authority, "authority", authority
    )
    files = {
        "cert": chain,
        "other": authority.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        "key": desk.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        "locked": desk.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        ),
        "text": b"no key",
    }
    paths = {name: folder / f"{name}.pem" for name in files}
    for name, path in paths.items():
        path.write_bytes(files[name])
    return paths


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "v.mp4"
    label = f"{KEY}={implicit_label(PROGRAM)}"
    source = ("-f", "lavfi", "-i", "testsrc=s=64x64:d=1")
    ffmpeg(*source, "-metadata", label, "-movflags", "use_metadata_tags+faststart", str(path))
    return path


@installed
def test_a_signed_video_states_how_it_was_made_and_keeps_its_label(pems: dict[str, Path], video: Path) -> None:
    credentials = read_credentials(pems["cert"], pems["key"])
    assert credentials
    sign(video, PROGRAM, credentials)
    found = read_manifest(video)
    stated = {one["label"]: one["data"] for one in found["manifests"][found["active_manifest"]]["assertions"]}
    assert stated[TIMELINE] == {"sha256": hashlib.sha256(to_json(PROGRAM).encode()).hexdigest()}
    assert "compositeWithTrainedAlgorithmicMedia" in json.dumps(stated)
    assert [status["code"] for status in found["validation_status"]] == [UNTRUSTED]
    assert read_label(video) == implicit_label(PROGRAM)
    assert [path.name for path in video.parent.iterdir()] == ["v.mp4"]


@installed
def test_a_changed_picture_is_found_out(pems: dict[str, Path], video: Path) -> None:
    credentials = read_credentials(pems["cert"], pems["key"])
    assert credentials
    sign(video, PROGRAM, credentials)
    data = bytearray(video.read_bytes())
    data[-100] ^= 0xFF
    video.write_bytes(data)
    codes = {status["code"] for status in read_manifest(video)["validation_status"]}
    assert "assertion.bmffHash.mismatch" in codes


@installed
def test_a_key_of_another_certificate_is_refused_and_the_video_stays(pems: dict[str, Path], video: Path) -> None:
    before = video.read_bytes()
    credentials = read_credentials(pems["cert"], pems["other"])
    assert credentials
    with pytest.raises(SigningFailed, match=r"cannot be signed|does not hold"):
        sign(video, PROGRAM, credentials)
    assert video.read_bytes() == before
    assert [path.name for path in video.parent.iterdir()] == ["v.mp4"]


@installed
@pytest.mark.parametrize(
    ("certificate", "key", "cause"),
    [
        ("cert", None, "FACTORY_C2PA_KEY is not set"),
        (None, "key", "FACTORY_C2PA_CERT is not set"),
        ("gone", "key", "cannot be read"),
        ("cert", "text", "is no private key"),
        ("cert", "locked", "is no private key"),
    ],
)
def test_what_cannot_sign_is_refused_before_any_work(
    pems: dict[str, Path], certificate: str | None, key: str | None, cause: str
) -> None:
    paths = {**pems, "gone": Path("gone.pem")}
    with pytest.raises(SigningFailed, match=cause):
        read_credentials(paths[certificate] if certificate else None, paths[key] if key else None)


def test_nothing_is_signed_where_nothing_is_set() -> None:
    assert read_credentials(None, None) is None


@pytest.mark.skipif(find_spec("c2pa") is not None, reason="the package is installed")
def test_without_the_package_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(SigningFailed, match="not installed") as refusal:
        read_credentials(tmp_path / "a", tmp_path / "b")
    assert provenance.PACKAGE in refusal.value.next_step
