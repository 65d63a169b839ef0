"""Material to start with: drawn clips of known truth, sample tables, and real public clips by address and hash."""

from factory.samples.drawn import DRAWN_VERSION, draw_library
from factory.samples.scene import Scene
from factory.samples.scenes import scenes

__all__ = ["DRAWN_VERSION", "Scene", "draw_library", "scenes"]
