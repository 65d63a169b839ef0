"""The tables that ship: invented cars and sales, marked SAMPLE, and an excerpt of Open EV Data (MIT)."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

SAMPLE_CARS = _HERE / "sample-cars.csv"
"""The six cars of the drawn clips, with their specs."""
SAMPLE_SALES = _HERE / "sample-sales.csv"
"""Monthly sales of the six and four more: a tie and a new entry in the newest, one month and one value missing."""
SAMPLE_PRICES = _HERE / "sample-prices.csv"
"""Two guide prices and a deal price of the six before and after."""
EV_SPECS = _HERE / "ev-specs.csv"
"""Real electric cars: battery, use, charging. KilowattApp/open-ev-data, MIT, copyright 2024 Tijs Teulings."""
