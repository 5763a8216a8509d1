"""What a simulated set holds, before a ray is cast: exact numbers of each kind, and nothing but the options decides."""

from collections import Counter
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation import confounders
from deep_pneumonia.simulation.plan import IMAGES_OF_A_POSE, KIND_NAMES, PA_SHARE, SetConfig, apportion, parse_mix, plan
from deep_pneumonia.simulation.pneumonia import BRONCHO, INTERSTITIAL, LOBAR, NORMAL, ROUND

MIX = "normal=1000,lobar=300,broncho=100,interstitial=30"


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        (MIX, (1000, 300, 100, 30, 0)),
        ("round=1", (0, 0, 0, 0, 1)),
        (" round = 0.5 , normal=2e1 ", (20, 0, 0, 0, 0.5)),
        ("normal=0,lobar=3", (0, 3, 0, 0, 0)),
        (SetConfig().mix, (1, 1, 1, 1, 1)),
    ],
)
def test_a_mix_is_read_in_any_order_and_what_is_not_named_has_no_weight(text: str, weights: tuple[float, ...]) -> None:
    assert parse_mix(text) == dict(zip(KIND_NAMES, weights, strict=True))
    assert tuple(parse_mix(text)) == ("normal", "lobar", "broncho", "interstitial", "round")


def test_the_healthy_and_the_ill_cannot_share_a_label() -> None:
    with pytest.raises(SimulationError, match="'Normal', which is the label of normal cases"):
        plan(SetConfig(label=NORMAL))


def test_huge_weights_are_proportions_as_any_others() -> None:
    assert apportion(parse_mix("normal=1e308,lobar=5e307"), 30) == [20, 10, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has ''"),
        ("normal=1,", "has ''"),
        ("normal=1,viral=2", "has 'viral'"),
        ("Normal=1", "has 'Normal'"),
        ("normal=1,normal=2", "has 'normal'"),
        ("normal", "gives normal ''"),
        ("normal=", "gives normal ''"),
        ("normal=many", "gives normal 'many'"),
        ("normal=1=2", "gives normal '1=2'"),
        ("normal:1", "has 'normal:1'"),
        ("normal=0,lobar=0", "not all 0"),
        ("normal=2,lobar=-1", "at least 0"),
        ("normal=inf", "at least 0"),
        ("normal=1,lobar=nan", "at least 0"),
    ],
)
def test_another_mix_is_refused_in_one_line_that_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(SimulationError) as refused:
        parse_mix(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("count", "numbers"),
    [
        (1430, [1000, 300, 100, 30, 0]),
        (143, [100, 30, 10, 3, 0]),
        # 69.93, 20.98, 6.99 and 2.10: floors give 97, and the three largest remainders go up.
        (100, [70, 21, 7, 2, 0]),
        # 6.99, 2.10, 0.70 and 0.21.
        (10, [7, 2, 1, 0, 0]),
        (1, [1, 0, 0, 0, 0]),
    ],
)
def test_numbers_worked_by_hand(count: int, numbers: list[int]) -> None:
    assert apportion(parse_mix(MIX), count) == numbers


WEIGHTS = st.lists(st.just(0.0) | st.floats(1e-3, 1e6), min_size=1, max_size=6).filter(any)


@settings(max_examples=150)
@given(WEIGHTS, st.integers(1, 100_000))
def test_numbers_sum_to_the_count_and_are_within_one_of_the_exact_share(weights: list[float], count: int) -> None:
    numbers = apportion({str(i): w for i, w in enumerate(weights)}, count)
    assert sum(numbers) == count
    for number, weight in zip(numbers, weights, strict=True):
        assert abs(number - count * weight / sum(weights)) < 1 + 1e-6
        assert number == 0 or weight > 0


@settings(max_examples=25)
@given(st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(any), st.integers(1, 60), st.integers(0, 99))
def test_every_kind_is_there_as_often_as_asked(weights: list[int], count: int, seed: int) -> None:
    mix = ",".join(f"{name}={w}" for name, w in zip(KIND_NAMES, weights, strict=True))
    found = Counter(p.recipe.kind for p in plan(SetConfig(count=count, seed=seed, mix=mix)))
    asked = apportion(parse_mix(mix), count)
    assert [found[kind] for kind in (NORMAL, LOBAR, BRONCHO, INTERSTITIAL, ROUND)] == asked


def test_the_kinds_are_shuffled_so_that_bodies_hold_several() -> None:
    bodies = groupby(plan(SetConfig(count=160)), key=lambda p: p.body)
    assert all(len({p.recipe.kind for p in group}) > 1 for _, group in bodies)


def test_the_options_alone_decide_the_plan() -> None:
    config = SetConfig(count=60, seed=5)
    first = plan(config)
    np.random.seed(1)
    np.random.random(7)
    assert plan(SetConfig(count=60, seed=5)) == first
    assert plan(replace(config, size=64, label="Lung opacity", readers=0, val=0.5, test=0.5)) == first
    other = plan(replace(config, seed=6))
    assert [p.recipe.kind for p in other] != [p.recipe.kind for p in first]
    assert all(a.recipe.severity != b.recipe.severity for a, b in zip(first, other, strict=True))


def test_confounders_change_nothing_else() -> None:
    with_none, with_all = (plan(SetConfig(count=40, confounders=p)) for p in (0, 1))
    for a, b in zip(with_none, with_all, strict=True):
        assert a == replace(b, recipe=replace(b.recipe, confounders=()))


@pytest.mark.parametrize(("per_body", "count"), [(1, 5), (5, 12), (8, 16), (20, 45)])
def test_images_stand_body_after_body_and_pose_after_pose(per_body: int, count: int) -> None:
    planned = plan(SetConfig(count=count, per_body=per_body))
    assert [p.number for p in planned] == list(range(count))
    assert [p.body for p in planned] == [n // per_body for n in range(count)]
    for (_, pose), group in groupby(planned, key=lambda p: (p.body, p.pose)):
        few = list(group)
        assert len(few) <= IMAGES_OF_A_POSE
        assert len({p.view for p in few}) == 1
        assert few[0].number % per_body == pose * IMAGES_OF_A_POSE


def test_most_poses_stand_as_often_as_stated() -> None:
    views = Counter(p.view for p in plan(SetConfig(count=3000, per_body=1)))
    assert views.keys() == {"PA", "AP"}
    assert views["PA"] / 3000 == pytest.approx(PA_SHARE, abs=0.03)


def test_severity_is_spread_evenly_and_every_image_has_its_own_seed() -> None:
    planned = plan(SetConfig(count=1500))
    severity = np.array([p.recipe.severity for p in planned])
    assert np.histogram(severity, bins=3, range=(0, 1))[0] == pytest.approx([500] * 3, abs=90)
    assert severity.min() >= 0
    assert severity.max() < 1
    assert len({p.recipe.seed for p in planned}) == 1500
    assert all(p.recipe.lobes == () for p in planned)


def test_probability_of_a_confounder() -> None:
    assert {p.recipe.confounders for p in plan(SetConfig(count=30, confounders=0))} == {()}
    assert {p.recipe.confounders for p in plan(SetConfig(count=30, confounders=1))} == {confounders.KINDS}
    some = plan(SetConfig(count=1500, confounders=0.3))
    for kind in confounders.KINDS:
        assert np.mean([kind in p.recipe.confounders for p in some]) == pytest.approx(0.3, abs=0.06)
    # Which one is there says nothing of the kind of pneumonia.
    normal = [kind for p in some if p.recipe.kind == NORMAL for kind in p.recipe.confounders]
    assert len(normal) / 300 == pytest.approx(0.3 * len(confounders.KINDS), abs=0.2)


def test_shares_of_the_splits_over_one_are_refused() -> None:
    with pytest.raises(SimulationError, match=r"--val 0\.7 and --test 0\.4 sum"):
        plan(SetConfig(val=0.7, test=0.4))
    assert len(plan(SetConfig(count=3, val=0.75, test=0.25))) == 3
    with pytest.raises(SimulationError, match="viral"):
        plan(SetConfig(mix="viral=1"))
