"""Material to start with: drawn clips of known truth, sample tables, and real public clips by address and hash."""

from factory.samples.drawn import DRAWN_VERSION, draw_library
from factory.samples.fetch import PUBLIC_MANIFEST, ClipNotFetched, Fetched, fetch, read_manifest
from factory.samples.scene import Scene
from factory.samples.scenes import scenes
from factory.samples.tables import EV_SPECS, SAMPLE_CARS, SAMPLE_PRICES, SAMPLE_SALES

__all__ = [
    "DRAWN_VERSION",
    "EV_SPECS",
    "PUBLIC_MANIFEST",
    "SAMPLE_CARS",
    "SAMPLE_PRICES",
    "SAMPLE_SALES",
    "ClipNotFetched",
    "Fetched",
    "Scene",
    "draw_library",
    "fetch",
    "read_manifest",
    "scenes",
]
