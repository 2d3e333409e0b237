"""R-hat, effective sample sizes and Monte Carlo errors of many series, against ArviZ's for one."""

import numpy as np
import pytest
from arviz_stats.base import array_stats
from numpy.testing import assert_allclose

from bayes_compliance.inference import mixing


def autoregressive(series: int, chains: int, draws: int, phi: float, seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal((series, chains, draws))
    for i in range(1, draws):
        values[..., i] += phi * values[..., i - 1]
    return values


def arviz(series):
    tail = array_stats.ess(series, method="tail", prob=(0.05, 0.95))
    return array_stats.rhat(series), array_stats.ess(series, method="bulk"), tail


@pytest.mark.parametrize("phi", [0.0, 0.95, -0.7])
@pytest.mark.parametrize(("chains", "draws"), [(4, 200), (2, 51), (3, 9), (4, 5), (2, 4)])
def test_every_series_is_judged_as_arviz_judges_it(monkeypatch, chains, draws, phi):
    monkeypatch.setattr(mixing, "AT_ONCE", 3)
    series = autoregressive(10, chains, draws, phi)
    series[0] = np.round(series[0])  # ties
    series[1, :, draws // 2 :] = series[1, :, :1]  # a chain that is stuck
    series[2] += np.arange(chains)[:, None] * 5  # chains apart
    assert_allclose(mixing.mixing(series), arviz(series), rtol=1e-9)
    assert_allclose(mixing.mcse_mean(series), array_stats.mcse(series, method="mean"), rtol=1e-9)


def test_a_single_chain_has_sizes_and_no_r_hat():
    series = autoregressive(3, 1, 100, 0.5)
    rhat, *sizes = mixing.mixing(series)
    assert np.isnan(rhat).all()
    assert_allclose(sizes, arviz(series)[1:], rtol=1e-9)


def test_what_cannot_be_judged_is_nan_and_spoils_no_other():
    series = autoregressive(3, 2, 60, 0.5)
    alone = mixing.mixing(series[1:])
    series[0, 1, 7] = np.nan
    for together, without in zip(mixing.mixing(series), alone, strict=True):
        assert np.isnan(together[0])
        assert_allclose(together[1:], without)
    assert np.isnan(mixing.mixing(series[1:, :, :3])).all()


def test_a_constant_has_every_draw_and_no_r_hat():
    rhat, bulk, tail = mixing.mixing(np.ones((1, 2, 50)))
    assert np.isnan(rhat).all()
    assert (bulk, tail) == (100, 100)


def test_an_ess_is_known_in_closed_form():
    """AR(1): n (1 - phi) / (1 + phi) draws in effect; 40 series of 4 x 2,000, their mean within a tenth."""
    phi = 0.6
    size = mixing.mixing(autoregressive(40, 4, 2000, phi)).bulk.mean()
    assert size == pytest.approx(8000 * (1 - phi) / (1 + phi), rel=0.1)
    assert size < 0.5 * 8000, "the comparison must be able to fail"


def test_leading_dimensions_are_kept():
    series = autoregressive(6, 2, 40, 0.3)
    found = mixing.mixing(series.reshape(2, 3, 2, 40))
    assert_allclose(np.reshape(found, (3, 6)), mixing.mixing(series))
    assert mixing.mcse_mean(series.reshape(2, 3, 2, 40)).shape == (2, 3)
