import pytest

from factory.render.brands import BrandRefused, contrast, read_brand
from factory.render.templates import Templates

GOOD = """
wordmark: DESK
ground: "#0f1216"
surface: "#171b21"
accent: "#ffb000"
positive: "#4fd18b"
negative: "#ff8a75"
text: "#f5f6f7"
"""


def test_packaged_brands_are_three_and_readable() -> None:
    templates = Templates()
    assert {"autoreel", "circuit", "daylight"} <= set(templates.brands())
    for name in templates.brands():
        brand = templates.brand(name)
        for color in (brand.text, brand.muted, brand.accent, brand.positive, brand.negative):
            assert brand.on_plate(color) >= 4.5, (name, color)
        assert contrast(brand.on_accent, brand.accent) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("accent:", "acent:"), "did you mean accent?"),
        (GOOD.replace('"#ffb000"', "orange"), "accent"),
        (GOOD.replace("#f5f6f7", "#444444"), "text on surface"),
        (GOOD.replace("wordmark: DESK", ""), "wordmark"),
        (GOOD + "watermark: {korner: top-left}", "did you mean corner?"),
        (GOOD + "watermark: {opacity: 2}", "watermark.opacity"),
        (GOOD + "logo: ../logo.svg", "logo"),
        (GOOD + "intro: {seconds: 4}", "intro.seconds"),
        (GOOD + "outro: {clip: /etc/passwd}", "outro.clip"),
        (GOOD + "art: {uri: x, ratio: 1}", "unknown key 'art'"),
        ("- a\n- b", "key: value"),
        ("a: [", "not YAML"),
    ],
)
def test_a_bad_brand_is_refused_by_its_key(text: str, said: str) -> None:
    with pytest.raises(BrandRefused) as refused:
        read_brand(text, "desk")
    assert said in refused.value.sentence()


def test_a_brand_may_open_close_and_mark_its_videos() -> None:
    plain = read_brand(GOOD, "desk")
    assert plain.watermark is None
    assert (plain.intro.card, plain.intro.seconds, plain.outro.clip) == ("ident", None, "")
    own = read_brand(GOOD + "watermark: {}\nintro: {clip: in.mp4}\noutro: {seconds: 5, line: Bye}\n", "desk")
    assert own.watermark
    assert (own.watermark.corner, own.watermark.share) == ("top-right", 0.12)
    assert (own.intro.clip, own.outro.seconds, own.outro.line) == ("in.mp4", 5, "Bye")
    assert (own.intro.longest, own.outro.longest) == (3, 5)
