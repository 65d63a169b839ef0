"""What will be shown: frozen values and pure functions. No disk, no network, no clock."""
