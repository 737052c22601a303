"""What every figure of `make search-quality` rests on."""

from statistics import fmean, pstdev

import pytest

from bench.search_quality.judging import condensed, interval, judged, ndcg
from bench.search_quality.slips import slip

GRADES = {"best": 3, "good": 2, "fair": 1, "wrong": 0}
# Gains are 2^3 - 1 = 7, 2^2 - 1 = 3, 2^1 - 1 = 1 and 0; the first three places divide them by
# log2 of 2, 3 and 4, which are 1, 1.58496 and 2.
IDEAL = 7 / 1 + 3 / 1.58496 + 1 / 2


def test_a_perfect_order_is_one() -> None:
    assert ndcg(["best", "good", "fair", "wrong"], GRADES) == 1


def test_another_order_is_what_its_gains_and_places_make_by_hand() -> None:
    by_hand = (0 / 1 + 3 / 1.58496 + 7 / 2) / IDEAL  # 5.3928 / 9.3928
    assert ndcg(["nobody's", "good", "best"], GRADES) == pytest.approx(by_hand, abs=1e-5)
    assert by_hand == pytest.approx(0.5741, abs=1e-4)


def test_the_eleventh_product_does_not_count() -> None:
    assert ndcg([*["wrong"] * 10, "best"], GRADES) == 0
    eleven = {str(number): 1 for number in range(11)}
    assert ndcg(list(eleven), eleven) == 1


def test_condensed_is_as_if_nobody_had_found_what_nobody_has_judged() -> None:
    by_hand = (3 / 1 + 0 / 1.58496 + 7 / 2) / IDEAL
    order = ["nobody's", "good", "nobody's", "wrong", "best"]
    assert condensed(order, GRADES) == pytest.approx(by_hand, abs=1e-5)


def test_judged_is_the_share_of_the_first_ten_that_somebody_has_judged() -> None:
    assert judged(["best", "nobody's", "wrong", "nobody's"], GRADES) == 0.5
    assert judged([*["nobody's"] * 9, "good", "best"], GRADES) == 0.1
    assert judged([], GRADES) == 1


def test_the_interval_is_the_same_each_time_and_two_standard_errors_around_the_mean() -> None:
    values = [number / 100 for number in range(100)]
    low, high = interval(values)
    assert interval(values) == (low, high)
    assert low < fmean(values) < high
    # 95 of 100 draws of a normal distribution lie within 1.96 of them.
    error = pstdev(values) / len(values) ** 0.5
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_each_longer_word_has_one_slip_and_never_in_its_first_letter() -> None:
    # Of book, cookie and ribbon two letters would be swapped that are alike.
    words = "adapter black book cable cookie keyboard laptop memory monitor printer ribbon"
    typed = slip(words).split()
    assert all(one != other for one, other in zip(words.split(), typed, strict=True))
    assert [word[0] for word in typed] == [word[0] for word in words.split()]


def test_short_words_and_numbers_have_no_slip() -> None:
    assert slip("hp 24 inch 3.5mm usb ddr4 1920x1080").split() == [
        *("hp", "24", "icnh", "3.5mm", "usb", "ddr4", "1920x1080")
    ]


def test_the_slips_are_of_four_kinds_and_the_same_in_every_run() -> None:
    # Swapped, left out, twice, another one.
    assert slip("cable black laptop monitor") == "cabel back laaptop mopitor"
