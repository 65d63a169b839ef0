"""The sound of each drawn scene, mixed from `sounds`."""

from __future__ import annotations

from factory.samples.sounds import (
    Sound,
    birds,
    chime,
    engine,
    mixed,
    motor,
    noise,
    rain,
    skid,
    thud,
    ticks,
    tyres,
    water,
    wind,
)  # fmt: skip


def electric_open(s: float, seed: int) -> Sound:
    return mixed((1, motor(s, seed)), (0.25, wind(s, seed + 1)), level_db=-22, seed=seed)


def electric_city(s: float, seed: int) -> Sound:
    return mixed(
        (0.8, motor(s, seed, low=140, high=260)), (0.22, noise(s, seed + 1, 80, 1400)), level_db=-24, seed=seed
    )


def electric_stop(s: float, seed: int) -> Sound:
    return mixed(
        (0.6, motor(s, seed, low=300, high=120)),
        (0.05, birds(s, seed)),
        (0.3, ticks(s, 0.625, 2)),
        level_db=-25,
        seed=seed,
    )


def approach(s: float, seed: int) -> Sound:
    return mixed((1, motor(s, seed, low=120, high=520)), (0.15, wind(s, seed)), level_db=-22, seed=seed)


def studio(s: float, seed: int) -> Sound:
    return mixed(
        (0.2, noise(s, seed, 60, 300)), (0.5, chime(s, 0.6, 440)), (0.5, chime(s, 2.6, 660)), level_db=-26, seed=seed
    )


def sport_far(s: float, seed: int) -> Sound:
    return mixed(
        (1, engine(s, seed, idle=70, top=150)), (0.2, tyres(s, seed)), (0.15, wind(s, seed)), level_db=-21, seed=seed
    )


def sport_tunnel(s: float, seed: int) -> Sound:
    return mixed((1, engine(s, seed, idle=80, top=190)), (0.3, noise(s, seed, 80, 500)), level_db=-19, seed=seed)


def sport_cabin(s: float, seed: int) -> Sound:
    return mixed(
        (0.8, engine(s, seed, idle=60, top=170, rough=0.2)), (0.3, noise(s, seed, 60, 260)), level_db=-22, seed=seed
    )


def diesel_field(s: float, seed: int) -> Sound:
    return mixed(
        (1, engine(s, seed, idle=30, top=42, rough=0.6)),
        (0.12, birds(s, seed)),
        (0.2, tyres(s, seed)),
        level_db=-22,
        seed=seed,
    )


def diesel_mud(s: float, seed: int) -> Sound:
    return mixed(
        (1, engine(s, seed, idle=34, top=66, rough=0.7)),
        (0.35, water(s, seed)),
        (0.12, rain(s, seed)),
        level_db=-19,
        seed=seed,
    )


def diesel_dune(s: float, seed: int) -> Sound:
    return mixed(
        (1, engine(s, seed, idle=52, top=82, rough=0.5)),
        (0.35, noise(s, seed, 1500, 7000)),
        (0.15, wind(s, seed)),
        level_db=-19,
        seed=seed,
    )


def diesel_far(s: float, seed: int) -> Sound:
    return mixed((0.5, engine(s, seed, idle=36, top=44, rough=0.5)), (0.8, wind(s, seed)), level_db=-25, seed=seed)


def wheel_spin(s: float, seed: int) -> Sound:
    return mixed((1, engine(s, seed, idle=48, top=92, rough=0.8)), (0.55, water(s, seed)), level_db=-18, seed=seed)


def rock(s: float, seed: int) -> Sound:
    knocks = [(0.5, thud(s, seed + i, at, weight=0.5)) for i, at in enumerate((0.9, 2.1, 3.4, 4.6))]
    return mixed(
        (0.9, engine(s, seed, idle=26, top=38, rough=0.7)), *knocks, (0.1, wind(s, seed)), level_db=-21, seed=seed
    )


def ford(s: float, seed: int) -> Sound:
    return mixed((0.7, engine(s, seed, idle=32, top=48, rough=0.5)), (0.8, water(s, seed)), level_db=-19, seed=seed)


def snow(s: float, seed: int) -> Sound:
    return mixed(
        (0.6, engine(s, seed, idle=34, top=46, rough=0.4)),
        (0.35, noise(s, seed, 900, 4000)),
        (0.3, wind(s, seed)),
        level_db=-23,
        seed=seed,
    )


def lake(s: float, seed: int) -> Sound:
    return mixed((0.25, water(s, seed)), (0.2, birds(s, seed)), (0.2, wind(s, seed)), level_db=-30, seed=seed)


def cabin(s: float, seed: int) -> Sound:
    return mixed((0.8, noise(s, seed, 60, 420)), (0.3, motor(s, seed, low=200, high=260)), level_db=-27, seed=seed)


def quiet_cabin(s: float, seed: int) -> Sound:
    return mixed((0.5, noise(s, seed, 60, 240)), (0.25, chime(s, 0.8, 520)), level_db=-32, seed=seed)


def rain_cabin(s: float, seed: int) -> Sound:
    wipers = [(0.25, noise(s, seed + 5, 300, 900) * (ticks(s, 0.65) ** 2))]
    return mixed((0.8, rain(s, seed)), (0.7, noise(s, seed, 60, 420)), *wipers, level_db=-23, seed=seed)


def night_cabin(s: float, seed: int) -> Sound:
    return mixed(
        (0.7, noise(s, seed, 60, 380)), (0.15, ticks(s, 0.62, 3)), (0.15, motor(s, seed)), level_db=-28, seed=seed
    )


def night_rain(s: float, seed: int) -> Sound:
    return mixed((0.8, rain(s, seed)), (0.2, engine(s, seed, idle=30, top=32)), level_db=-26, seed=seed)


def lamp(s: float, seed: int) -> Sound:
    return mixed(
        (0.12, noise(s, seed, 60, 260)), (0.5, chime(s, 0.5, 880)), (0.6, chime(s, 2.0, 587)), level_db=-28, seed=seed
    )


def rolling(s: float, seed: int) -> Sound:
    return mixed((0.7, tyres(s, seed)), (0.3, motor(s, seed, low=60, high=220)), level_db=-25, seed=seed)


def charger(s: float, seed: int) -> Sound:
    return mixed(
        (0.3, noise(s, seed, 90, 300)),
        (0.7, thud(s, seed, 1.5, weight=0.3)),
        (0.5, chime(s, 1.8, 784)),
        (0.06, motor(s, seed, low=400, high=410)),
        level_db=-27,
        seed=seed,
    )


def interface(s: float, seed: int) -> Sound:
    taps = [(0.4, chime(s, at, pitch)) for at, pitch in ((0.4, 660), (0.75, 740), (1.1, 880))]
    return mixed((0.12, noise(s, seed, 60, 240)), *taps, level_db=-29, seed=seed)


def traffic(s: float, seed: int) -> Sound:
    return mixed((1, tyres(s, seed)), (0.4, noise(s, seed + 3, 50, 260)), level_db=-23, seed=seed)


def high_wind(s: float, seed: int) -> Sound:
    return mixed((1, wind(s, seed)), (0.2, noise(s, seed, 160, 420)), level_db=-28, seed=seed)


def racing(s: float, seed: int) -> Sound:
    return mixed(
        (1, engine(s, seed, idle=120, top=210)),
        (0.7, engine(s, seed + 1, idle=150, top=170)),
        (0.25, noise(s, seed, 300, 2500)),
        level_db=-18,
        seed=seed,
    )


def racing_far(s: float, seed: int) -> Sound:
    return mixed(
        (0.7, engine(s, seed, idle=130, top=200)),
        (0.4, wind(s, seed)),
        (0.3, skid(s, seed, 1.4, 2.3)),
        level_db=-22,
        seed=seed,
    )


def parking(s: float, seed: int) -> Sound:
    return mixed(
        (0.5, motor(s, seed, low=150, high=90)),
        (0.3, tyres(s, seed)),
        (0.3, ticks(s, 0.6, 2.4)),
        level_db=-27,
        seed=seed,
    )


def beeps(s: float, seed: int) -> Sound:
    return mixed(
        (0.3, noise(s, seed, 60, 300)),
        (0.6, ticks(s, 0.42)),
        (0.2, motor(s, seed, low=150, high=90)),
        level_db=-26,
        seed=seed,
    )


def junction(s: float, seed: int) -> Sound:
    return mixed(
        (0.35, tyres(s, seed)),
        (0.8, skid(s, seed, 2.0, 2.55)),
        (2.2, thud(s, seed, 2.55)),
        (0.3, ticks(s, 0.66, 3.4)),
        level_db=-24,
        seed=seed,
    )


def crossing(s: float, seed: int) -> Sound:
    return mixed(
        (0.3, tyres(s, seed)),
        (0.9, skid(s, seed, 1.6, 2.04)),
        (2.6, thud(s, seed, 2.03, weight=1.2)),
        (0.5, skid(s, seed + 1, 2.1, 3.0)),
        level_db=-23,
        seed=seed,
    )


def aquaplaning(s: float, seed: int) -> Sound:
    return mixed(
        (0.6, rain(s, seed)),
        (0.6, skid(s, seed, 1.2, 3.1)),
        (1.8, thud(s, seed, 3.05)),
        (0.3, ticks(s, 0.66, 3.7)),
        level_db=-23,
        seed=seed,
    )


def car_park(s: float, seed: int) -> Sound:
    return mixed(
        (0.3, noise(s, seed, 70, 400)),
        (0.5, ticks(s, 0.5)),
        (1.5, thud(s, seed, 2.75, weight=0.7)),
        level_db=-26,
        seed=seed,
    )


def hazard_evening(s: float, seed: int) -> Sound:
    return mixed((0.4, wind(s, seed)), (0.5, ticks(s, 0.71)), (0.06, birds(s, seed)), level_db=-29, seed=seed)
