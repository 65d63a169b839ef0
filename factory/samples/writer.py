"""Write a painted scene as a video file: raw frames through the ffmpeg of its wheel, sound beside them."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile

from factory.errors import FactoryError
from factory.samples.scene import FPS, Scene
from factory.samples.sounds import RATE, Sound
from factory.samples.stage import Stage

FINE = "no-deblock=0:aq-mode=1:8x8dct=1"  # what ultrafast leaves out and flat gradients need
AUDIO = {".mp4": "aac", ".mov": "aac", ".mkv": "libopus"}


class ClipNotDrawn(FactoryError):
    """ffmpeg did not take the frames of a drawn clip."""

    code = "clip-not-drawn"


def write_scene(scene: Scene, path: Path, *, height: int) -> None:
    """Draw and encode one scene; `path` appears only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".drawing-", dir=path.parent) as folder:
        sound = Path(folder) / "sound.wav"
        if scene.sound is not None:
            soundfile.write(sound, _fitted(scene), RATE, subtype="PCM_16")
        half = Path(folder) / path.name
        _encode(scene, half, sound if scene.sound is not None else None, Stage(height))
        half.replace(path)


def _fitted(scene: Scene) -> Sound:
    """The scene's sound, exactly as long as its picture."""
    if scene.sound is None:
        raise ValueError(scene.stem)
    wanted = scene.frames * RATE // FPS
    made = scene.sound(scene.frames / FPS, sum(scene.stem.encode()) % 9973)[:wanted]
    return np.pad(made, ((0, wanted - len(made)), (0, 0)))


def command(scene: Scene, path: Path, sound: Path | None, stage: Stage) -> list[str]:
    """The ffmpeg call: RGBA frames on stdin, BT.709 H.264 out, the title in the container."""
    picture = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgba",
        "-s",
        f"{stage.width}x{stage.height}",
        "-r",
        str(FPS),
        "-i",
        "pipe:0",
    ]
    colour = ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"]
    marks = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    video = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-x264-params",
        FINE,
        "-crf",
        "22",
        "-g",
        "50",
        "-threads",
        "1",
        *marks,
    ]
    audio = ["-i", str(sound), "-c:a", AUDIO[scene.suffix], "-b:a", "128k"] if sound else ["-an"]
    heard, coded = (audio[:2], audio[2:]) if sound else ([], audio)
    title = ["-metadata", f"title={scene.title}", "-metadata", "comment=AutoReel drawn sample, CC0"]
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact"] + (
        ["-movflags", "+faststart"] if scene.suffix != ".mkv" else []
    )
    start = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    return [*start, *picture, *heard, *colour, *video, *coded, *title, *exact, str(path)]


def _encode(scene: Scene, path: Path, sound: Path | None, stage: Stage) -> None:
    paint = scene.setting(stage)
    canvas = stage.canvas()
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command(scene, path, sound, stage), stdin=subprocess.PIPE, stderr=complaints)
        try:
            for frame in range(scene.frames):
                paint(canvas, frame / FPS)
                process.stdin.write(np.ascontiguousarray(canvas.pixels).data)  # type: ignore[union-attr]  # it was opened as a pipe
            process.stdin.close()  # type: ignore[union-attr]  # it was opened as a pipe
        except BrokenPipeError:
            pass
        finally:
            status = _ended(process)
        if status != 0:
            complaints.seek(0)
            words = complaints.read().decode(errors="replace").strip()[-400:]
            raise ClipNotDrawn(
                f"ffmpeg ended with {status} while writing {path.name}: {words or 'no message'}",
                next_step="check the free disk space and that `factory doctor` finds ffmpeg, then try again",
            )


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for ffmpeg; kill it where painting itself failed and it still waits for frames."""
    if process.stdin is not None and not process.stdin.closed:
        try:
            process.stdin.close()
        except BrokenPipeError:
            process.kill()
    return process.wait()
