"""From optical path to a picture: less light behind more, noise as Poisson's law has it, and a chest film's tone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_pneumonia.simulation.film import Exposure, Picture, develop, draw_exposure, intensity, noisy

PIXEL = 1.0  # mm
SIZE = (128, 128)


def flat(path: float) -> torch.Tensor:
    return torch.full(SIZE, path)


def hills(seed: int = 0, size: tuple[int, int] = (96, 128)) -> torch.Tensor:
    """A random optical path (H, W) from 0 to 6."""
    return torch.from_numpy(np.random.default_rng(seed).random(size, np.float32)) * 6


@settings(max_examples=20)
@given(st.floats(0, 8, width=32), st.floats(0, 1, width=32))
def test_light_behind_an_even_body_is_primary_and_scatter(path: float, scatter: float) -> None:
    found = intensity(flat(path), Exposure(scatter=scatter), PIXEL)
    primary = np.exp(-path)
    assert found.dtype == np.float32
    assert found.shape == SIZE
    np.testing.assert_allclose(found, primary + scatter * min(primary, 0.2), rtol=1e-4)


def test_light_falls_with_the_path() -> None:
    one, more = (intensity(hills() + extra, Exposure(), PIXEL) for extra in (0.0, 0.1))
    assert (more < one).all()
    steps = [float(intensity(flat(p), Exposure(), PIXEL).mean()) for p in (0, 0.5, 1, 2, 4, 8)]
    assert steps == sorted(steps, reverse=True)
    assert min(steps) > 0


def test_scattered_light_reaches_behind_what_is_dense() -> None:
    path = flat(1.0)
    path[40:88, 40:88] = 12
    without, some = (intensity(path, Exposure(scatter=s), PIXEL)[64, 64] for s in (0.0, 0.4))
    assert without == pytest.approx(np.exp(-12), rel=0.01)
    assert 0.04 < some < 0.4 * 0.2 + 1e-4


def test_the_detector_blurs_what_is_fine() -> None:
    stripes = flat(1.0)
    stripes[:, ::2] = 2
    sharp, soft = (intensity(stripes, Exposure(scatter=0, blur=b), 0.5) for b in (0.1, 0.4))
    assert soft.std() < 0.5 * sharp.std()
    assert soft.mean() == pytest.approx(sharp.mean(), rel=0.01)


@settings(max_examples=10)
@given(st.tuples(st.integers(64, 150), st.integers(64, 150)))
def test_every_size_keeps_its_shape(size: tuple[int, int]) -> None:
    light = intensity(hills(1, size), Exposure(), PIXEL)
    assert light.shape == size
    assert develop(light, Exposure(), PIXEL).shape == size


@pytest.mark.parametrize(("share", "quanta", "pixel"), [(0.05, 10_000, 0.5), (0.4, 1_000, 1.0), (0.01, 500_000, 0.2)])
def test_noise_follows_poissons_law(share: float, quanta: float, pixel: float) -> None:
    light = np.full((300, 300), share, np.float32)
    found = noisy(light, Exposure(quanta=quanta), pixel, np.random.default_rng(0))
    counts = found * quanta * pixel**2
    wanted = share * quanta * pixel**2
    assert found.dtype == np.float32
    np.testing.assert_allclose(counts, counts.round(), atol=1e-2)
    assert counts.mean() == pytest.approx(wanted, rel=0.01)
    assert counts.var() == pytest.approx(wanted, rel=0.03)  # 3% are 6 standard errors of 90,000 pixels


def test_neighbours_have_noise_of_their_own() -> None:
    found = noisy(np.full((300, 300), 0.1, np.float32), Exposure(quanta=10_000), 1.0, np.random.default_rng(1))
    away = found - found.mean()
    assert abs((away[:, 1:] * away[:, :-1]).mean()) < 0.03 * away.var()


def test_a_pixel_without_a_quantum_has_a_logarithm_all_the_same() -> None:
    found = noisy(np.zeros((8, 8), np.float32), Exposure(quanta=100), 1.0, np.random.default_rng(0))
    assert found == pytest.approx(np.full((8, 8), 0.01))


def test_the_same_seed_gives_the_same_noise() -> None:
    light = intensity(hills(), Exposure(), PIXEL)
    one, two, other = (noisy(light, Exposure(), PIXEL, np.random.default_rng(s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(one, two)
    assert (one != other).mean() > 0.9


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(1.5, 5))
def test_a_picture_is_within_0_and_1(seed: int, pixel: float) -> None:
    random = np.random.default_rng(seed)
    exposure = draw_exposure(random)
    picture = develop(noisy(intensity(hills(seed), exposure, pixel), exposure, pixel, random), exposure, pixel)
    assert picture.dtype == np.float32
    assert 0 <= picture.min() < picture.max() <= 1


def test_what_weakens_more_is_whiter() -> None:
    path = torch.linspace(0.5, 5, SIZE[1]).expand(SIZE).clone()
    rising = develop(np.exp(-path.numpy()), Exposure(), PIXEL)
    assert (np.diff(rising, axis=1) > 0).all()
    path[50:78, 50:78] += 1  # a mass
    assert (develop(np.exp(-path.numpy()), Exposure(), PIXEL) - rising)[55:73, 55:73].min() > 0.02


@pytest.mark.parametrize("factor", [0.25, 0.8, 3.0])
def test_a_longer_exposure_changes_nothing(factor: float) -> None:
    light = intensity(hills(), Exposure(), PIXEL)
    one, two = (develop(np.asarray(light * f, np.float32), Exposure(), PIXEL) for f in (1.0, factor))
    np.testing.assert_allclose(one, two, atol=2e-3)


def waves(*amplitudes: float) -> Picture:
    """Light behind waves of 16 mm along the columns, of one amplitude beside another, on a slope down the rows."""
    column = np.arange(256)
    wave = np.repeat(amplitudes, 256 // len(amplitudes)) * np.sin(2 * np.pi * column / 16)
    return np.exp(-(wave + np.linspace(1, 4, 128)[:, None])).astype(np.float32)


def swing(picture: Picture, columns: slice) -> float:
    """How far the waves in these columns go up and down in the middle rows."""
    return float(picture[56:72, columns].std(axis=1).mean())


def test_faint_detail_is_raised_over_strong() -> None:
    shares = {}
    for power in (0.7, 1.0):
        picture = develop(waves(0.4, 0.04), Exposure(power=power), PIXEL)
        shares[power] = swing(picture, slice(160, 224)) / swing(picture, slice(32, 96))
    assert shares[1.0] == pytest.approx(0.1, rel=0.25)  # as it was, but for the film's curve
    # Theory: a tenth becomes 0.1 ** 0.7, which is twice as much.
    assert shares[0.7] / shares[1.0] == pytest.approx(0.1**-0.3, rel=0.25)


def test_wide_differences_are_kept_in_part() -> None:
    low, high = (develop(waves(0.2), Exposure(wide=w, gain=1.0, power=1.0), PIXEL) for w in (0.3, 1.0))
    slopes = [p[90:100].mean() - p[28:38].mean() for p in (low, high)]
    detail = [swing(p, slice(64, 192)) for p in (low, high)]
    assert detail[0] / slopes[0] > 1.5 * detail[1] / slopes[1]


def test_contrast_and_middle_are_those_of_the_curve() -> None:
    light = intensity(hills(), Exposure(), PIXEL)
    soft, hard = (develop(light, Exposure(contrast=c), PIXEL) for c in (0.7, 1.3))
    assert hard.std() > 1.3 * soft.std()
    bright, dark = (develop(light, Exposure(middle=m), PIXEL) for m in (0.3, 0.45))
    assert (bright > dark).all()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_exposures_are_drawn_from_their_seed(seed: int) -> None:
    found = draw_exposure(np.random.default_rng(seed))
    assert found == draw_exposure(np.random.default_rng(seed))
    assert found != draw_exposure(np.random.default_rng(seed + 1))
    assert 10**5.9 <= found.quanta <= 10**6.5
    assert 0.2 <= found.scatter <= 0.55
    assert 0 < found.blur < 1
    assert found.power < 1
    assert found.wide < 1
