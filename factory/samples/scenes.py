# ruff: noqa: E501  (drawings: path data reads worse when it is broken)
"""The drawn clips: what each shows, how it is called, how it sounds. This list is the truth that tests compare with."""

from __future__ import annotations

from functools import cache

from factory.samples import (
    accidents,
    aerials,
    approaches,
    details,
    details_inside,
    driver_views,
    dunes,
    exteriors,
    interiors,
    mud,
    nights,
    places,
    wilds,
)
from factory.samples import noises as n
from factory.samples.scene import Scene


@cache
def scenes() -> tuple[Scene, ...]:
    """Every drawn clip, in the order of the desk's shelves."""
    return (*_exteriors(), *_interiors(), *_details(), *_roads(), *_off_road(), *_accidents(), *_others())


def _exteriors() -> tuple[Scene, ...]:
    return (
        Scene("exterior-northwind-x5-suv-coast-daylight", "exterior", ("car", "suv", "coast", "daylight", "sunny"), 6,
              "北风 X5 外观 海岸公路", "Northwind X5 exterior, coast road", exteriors.coast, n.electric_open, "northwind-x5"),
        Scene("exterior-northwind-x5-suv-mountain-dusk-front", "exterior", ("car", "suv", "mountain", "dusk"), 5.6,
              "北风 X5 外观 山路黄昏 迎面驶来", "Northwind X5 exterior, mountain road at dusk, approaching", approaches.mountain_front, n.approach, "northwind-x5"),
        Scene("exterior-northwind-x5-suv-forest-tracking", "exterior", ("car", "suv", "forest", "daylight"), 5.6,
              "北风 X5 行驶 森林公路跟拍", "Northwind X5 driving, forest road tracking shot", exteriors.forest_tracking, n.electric_open, "northwind-x5"),
        Scene("exterior-lumen-s-sedan-city-street-daylight", "exterior", ("car", "sedan", "city-street", "daylight", "text-overlay"), 6,
              "流明 S 外观 城市大道", "Lumen S exterior, city boulevard", exteriors.boulevard, n.electric_city, "lumen-s", ("流明 S", "LUMEN S")),
        Scene("exterior-lumen-s-sedan-showroom", "exterior", ("car", "sedan", "showroom"), 6,
              "流明 S 外观 展厅灯光", "Lumen S exterior, showroom light", places.showroom, n.studio, "lumen-s"),
        Scene("exterior-lumen-s-sedan-highway-dusk-rear", "exterior", ("car", "sedan", "highway", "dusk"), 6,
              "流明 S 行驶 高速公路尾随变道", "Lumen S driving, motorway from behind, lane change", approaches.highway_rear, n.electric_open, "lumen-s"),
        Scene("exterior-kestrel-gt-coupe-desert-dusk", "exterior", ("car", "coupe", "desert", "dusk"), 6,
              "红隼 GT 外观 沙漠公路日落", "Kestrel GT exterior, desert road at sunset", exteriors.desert_sunset, n.sport_far, "kestrel-gt"),
        Scene("exterior-kestrel-gt-coupe-tunnel-front", "exterior", ("car", "coupe", "tunnel", "dark"), 5,
              "红隼 GT 外观 隧道灯光", "Kestrel GT exterior, tunnel lights", approaches.tunnel_front, n.sport_tunnel, "kestrel-gt"),
        Scene("exterior-kestrel-gt-coupe-bridge-dusk", "exterior", ("car", "coupe", "bridge", "dusk"), 5.6,
              "红隼 GT 行驶 跨海大桥", "Kestrel GT driving, cable bridge", exteriors.bridge, n.sport_far, "kestrel-gt"),
        Scene("exterior-terra-pro-pickup-countryside-daylight", "exterior", ("car", "pickup", "countryside", "daylight", "dust"), 5.4,
              "旷野 Pro 外观 麦田土路", "Terra Pro exterior, wheat fields", places.wheat_fields, n.diesel_field, "terra-pro"),
        Scene("exterior-pico-e-hatchback-city-street-daylight", "exterior", ("car", "hatchback", "city-street", "daylight"), 5.6,
              "皮可 E 外观 老街", "Pico E exterior, old town street", places.old_town, n.electric_stop, "pico-e"),
        Scene("exterior-voyage-w-wagon-mountain-daylight", "exterior", ("car", "wagon", "mountain", "daylight"), 6,
              "远航 W 外观 湖畔秋色", "Voyage W exterior, autumn by the lake", places.autumn_lake, n.lake, "voyage-w"),
    )  # fmt: skip


def _interiors() -> tuple[Scene, ...]:
    return (
        Scene("interior-northwind-x5-dashboard-steering-wheel-screen", "interior", ("dashboard", "steering-wheel", "screen", "daylight"), 6,
              "北风 X5 内饰 仪表台与中控屏", "Northwind X5 interior, dashboard and screen", interiors.dashboard_drive, n.cabin, "northwind-x5"),
        Scene("interior-lumen-s-seat", "interior", ("seat", "daylight"), 6,
              "流明 S 内饰 座椅与天幕", "Lumen S interior, seats and glass roof", interiors.seats, n.quiet_cabin, "lumen-s"),
        Scene("interior-kestrel-gt-steering-wheel-dashboard-dark", "interior", ("steering-wheel", "dashboard", "dark"), 5.6,
              "红隼 GT 内饰 方向盘与仪表 夜", "Kestrel GT interior, steering wheel and gauges at night", interiors.cockpit_night, n.sport_cabin, "kestrel-gt"),
    )  # fmt: skip


def _details() -> tuple[Scene, ...]:
    return (
        Scene("detail-northwind-x5-headlight", "detail", ("headlight", "car"), 5,
              "北风 X5 细节 大灯点亮", "Northwind X5 detail, headlight", details.headlight, n.lamp, "northwind-x5"),
        Scene("detail-northwind-x5-wheel", "detail", ("wheel", "car"), 5,
              "北风 X5 细节 轮毂", "Northwind X5 detail, wheel rim", details.wheel_rim, n.rolling, "northwind-x5"),
        Scene("detail-lumen-s-charging-port", "detail", ("charging-port", "charging", "car", "text-overlay"), 5.6,
              "流明 S 细节 充电口", "Lumen S detail, charging port", details_inside.charging_port, n.charger, "lumen-s", ("正在充电", "CHARGING")),
        Scene("detail-lumen-s-screen", "detail", ("screen", "text-overlay"), 5.6,
              "流明 S 细节 中控屏界面", "Lumen S detail, centre screen", details_inside.screen_ui, n.interface, "lumen-s", ("续航", "Range", "605 km")),
        Scene("detail-kestrel-gt-grille", "detail", ("grille", "car"), 5,
              "红隼 GT 细节 格栅", "Kestrel GT detail, grille", details.grille, None, "kestrel-gt"),
        Scene("detail-kestrel-gt-tail-light-dark", "detail", ("tail-light", "car", "dark", "text-overlay"), 5,
              "红隼 GT 细节 尾灯 夜", "Kestrel GT detail, tail light at night", details.tail_light, n.night_rain, "kestrel-gt", ("KESTREL GT",)),
    )  # fmt: skip


def _roads() -> tuple[Scene, ...]:
    return (
        Scene("driving-view-highway-mountain-daylight", "driving-view", ("highway", "mountain", "car", "daylight", "sunny"), 6,
              "行车视角 雪山公路", "Driving view, highway to the mountains", driver_views.mountain_pov, n.cabin),
        Scene("driving-view-highway-rain-wet-road", "driving-view", ("highway", "rain", "wet-road", "car", "overcast"), 6,
              "行车视角 雨天高速", "Driving view, motorway in rain", driver_views.rain_pov, n.rain_cabin),
        Scene("night-city-street-driving-view", "night", ("city-street", "car", "dark"), 6,
              "夜间行车 城市灯火", "Night drive, city lights", nights.city_bokeh, n.night_cabin),
        Scene("night-city-street-lumen-s-sedan-wet-road", "night", ("city-street", "car", "sedan", "hatchback", "wet-road", "dark"), 5.6,
              "夜间街景 流明 S 驶过霓虹街", "Night street, Lumen S passes neon signs", nights.neon_street, n.electric_city, "lumen-s", suffix=".mov"),
        Scene("traffic-highway-static-camera-daylight", "traffic", ("highway", "car", "static-camera", "daylight"), 6,
              "车流 天桥俯瞰快速路", "Traffic, expressway seen from a footbridge", driver_views.bridge_traffic, n.traffic),
        Scene("aerial-city-street-traffic", "aerial", ("aerial-view", "car", "highway", "traffic", "daylight"), 6,
              "航拍 城市立交车流", "Aerial view, city interchange", aerials.interchange, n.high_wind, suffix=".mkv"),
    )  # fmt: skip


def _off_road() -> tuple[Scene, ...]:
    return (
        Scene("off-road-terra-pro-pickup-mud-forest-rain", "off-road", ("mud", "pickup", "forest", "rain", "car"), 6,
              "越野 旷野 Pro 泥地深辙", "Off-road, Terra Pro in mud ruts", mud.mud_ruts, n.diesel_mud, "terra-pro"),
        Scene("off-road-northwind-x5-suv-mud-front", "off-road", ("mud", "suv", "forest", "car"), 5.6,
              "越野 北风 X5 泥地爬坡", "Off-road, Northwind X5 climbs through mud", approaches.mud_front, n.diesel_mud, "northwind-x5"),
        Scene("off-road-mud-wheel-close", "off-road", ("mud", "wheel", "car"), 5,
              "越野 泥地 车轮打滑", "Off-road, wheel spinning in mud", mud.mud_wheel, n.wheel_spin),
        Scene("off-road-terra-pro-pickup-dune-desert", "off-road", ("dune", "pickup", "desert", "daylight", "sunny", "car"), 6,
              "越野 旷野 Pro 冲沙丘", "Off-road, Terra Pro climbs a dune", dunes.dune_climb, n.diesel_dune, "terra-pro"),
        Scene("off-road-northwind-x5-suv-dune-aerial-view", "off-road", ("dune", "suv", "desert", "aerial-view", "dust", "car"), 6,
              "越野 北风 X5 沙海航拍", "Off-road, Northwind X5 in the dunes from the air", dunes.dune_aerial, n.high_wind, "northwind-x5"),
        Scene("off-road-northwind-x5-suv-rock-mountain", "off-road", ("rock", "suv", "car", "daylight"), 6,
              "越野 北风 X5 攀岩", "Off-road, Northwind X5 rock crawl", wilds.rock_crawl, n.rock, "northwind-x5"),
        Scene("off-road-terra-pro-pickup-water-crossing", "off-road", ("water-crossing", "pickup", "mountain", "forest", "car"), 6,
              "越野 旷野 Pro 涉水", "Off-road, Terra Pro water crossing", wilds.water_crossing, n.ford, "terra-pro"),
        Scene("off-road-suv-snow-forest", "off-road", ("snow", "suv", "forest", "car"), 6,
              "越野 雪地林道", "Off-road, forest trail in snow", approaches.snow_rear, n.snow),
        Scene("off-road-pickup-gravel-dirt-road-dust", "off-road", ("gravel", "dirt-road", "dust", "pickup", "car", "daylight"), 6,
              "越野 戈壁土路扬尘", "Off-road, dust on a gravel track", wilds.gravel_wide, n.diesel_far),
    )  # fmt: skip


def _accidents() -> tuple[Scene, ...]:
    return (
        Scene("accident-rear-end-city-street-static-camera", "accident", ("crash", "city-street", "static-camera", "car", "text-overlay"), 6,
              "事故 路口追尾 路口监控", "Accident, rear-end bump at a junction", accidents.junction_bump, n.junction, words=("路口监控 03", "JUNCTION CAM")),
        Scene("accident-side-impact-city-street-dark", "accident", ("crash", "city-street", "car", "dark"), 6,
              "事故 十字路口侧面碰撞", "Accident, side impact at crossroads", accidents.crossroads_impact, n.crossing),
        Scene("accident-skid-highway-rain-wet-road", "accident", ("crash", "skid", "highway", "rain", "wet-road", "static-camera", "car", "text-overlay"), 6,
              "事故 雨天打滑撞护栏", "Accident, car skids into the guard rail in rain", accidents.rain_skid, n.aquaplaning, words=("高速 K128 雨", "MOTORWAY K128 RAIN")),
        Scene("accident-car-park-bump-static-camera", "accident", ("crash", "car-park", "static-camera", "car", "text-overlay"), 6,
              "事故 停车场倒车剐蹭", "Accident, bump in a car park", accidents.car_park_bump, n.car_park, words=("停车场 B2", "CAR PARK B2")),
        Scene("accident-warning-triangle-countryside-dusk", "accident", ("crash", "countryside", "dusk", "car"), 6,
              "事故 路边警示三角牌", "Accident, hazard lights and warning triangle", accidents.roadside, n.hazard_evening),
    )  # fmt: skip


def _others() -> tuple[Scene, ...]:
    return (
        Scene("race-kestrel-gt-coupe-race-track", "race", ("race-track", "coupe", "car", "daylight"), 5,
              "赛车 红隼 GT 看台直道", "Race, Kestrel GT on the main straight", nights.race_side, n.racing, "kestrel-gt"),
        Scene("race-race-track-aerial-view", "race", ("race-track", "aerial-view", "coupe", "car", "daylight"), 5,
              "赛车 航拍连续弯", "Race, S-bend from the air", aerials.race_aerial, n.racing_far),
        Scene("parking-pico-e-hatchback-car-park", "parking", ("car-park", "hatchback", "aerial-view", "drawn-overlay", "car"), 6,
              "停车 皮可 E 自动泊车入位", "Parking, Pico E backs into a bay", aerials.parking_manoeuvre, n.parking, "pico-e"),
        Scene("parking-rear-camera-drawn-overlay", "parking", ("car-park", "drawn-overlay", "car", "text-overlay"), 5.6,
              "停车 倒车影像", "Parking, rear camera picture", driver_views.rear_camera, n.beeps, words=("倒车影像", "REAR CAMERA")),
    )  # fmt: skip
