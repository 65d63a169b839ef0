"""AutoReel: a library of tagged automotive clips becomes finished videos."""

__version__ = "0.1.0"
