import pytest

from deep_pneumonia.estimate import Estimate


def test_an_estimate_is_written_with_its_interval() -> None:
    assert str(Estimate(0.8204, 0.74, 0.9096)) == "0.82 (0.74 to 0.91)"
    assert f"{Estimate(0.8304, 0.75, 0.9):.3f}" == "0.830 (0.750 to 0.900)"
    assert f"{Estimate(0.822, 0.743, 0.911):.0%}" == "82% (74% to 91%)"
    assert f"{Estimate(-0.5, -0.75, 0.0):+.2f}" == "-0.50 (-0.75 to +0.00)"
    assert Estimate(0.8204, 0.74, 0.9096).parts() == ("0.82", "(0.74 to 0.91)")


def test_an_unknown_interval_is_left_out_and_an_undefined_value_is_a_dash() -> None:
    assert f"{Estimate(0.5):.1%}" == "50.0%"
    assert Estimate(0.5).parts() == ("0.50", "")
    assert str(Estimate()) == f"{Estimate():.3f}" == "\u2013"


def test_intervals_overlap_where_they_share_a_point() -> None:
    low, middle, high = Estimate(0.2, 0.1, 0.3), Estimate(0.4, 0.3, 0.5), Estimate(0.6, 0.51, 0.7)
    assert low.overlaps(middle)
    assert middle.overlaps(low)
    assert not middle.overlaps(high)
    assert not high.overlaps(middle)
    with pytest.raises(ValueError, match="interval"):
        low.overlaps(Estimate(0.5))


def test_an_estimate_survives_json() -> None:
    estimate = Estimate(0.5, 0.25, 0.75)
    assert Estimate.from_json({"n": 3, **estimate.to_json()}) == estimate
    with pytest.raises(KeyError):
        Estimate.from_json({"value": 0.5})
