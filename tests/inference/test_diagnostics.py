"""What diagnostics say of series that cannot be judged, and of one whose effective sample size is known."""

import numpy as np
import pytest

from bayes_compliance.inference.diagnostics import check_draws, mean_error, worst_rhat


def autoregressive(series: int, chains: int, draws: int, phi: float, seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).standard_normal((series, chains, draws))
    for i in range(1, draws):
        values[..., i] += phi * values[..., i - 1]
    return values


def test_a_series_that_cannot_be_judged_fails_and_is_named():
    series = autoregressive(3, 2, 60, 0.5)
    series[1, 1, 7] = np.nan
    for check in check_draws(series, ["a", "b", "c"]):
        assert (check.where, check.passed) == ("b", False)
        assert np.isnan(check.value)


def test_a_constant_fails_its_r_hat_and_has_no_error():
    series = autoregressive(2, 2, 1000, 0.0)
    series[1] = 1.0
    rhat = check_draws(series, ["a", "b"])[0]
    assert (rhat.where, rhat.passed) == ("b", False)
    assert mean_error(series)[1] == 0
    assert mean_error(series)[0] > 0


def test_chains_apart_are_told_by_r_hat():
    series = autoregressive(2, 4, 500, 0.0)
    assert check_draws(series, ["a", "b"])[0].passed
    series[1] += np.arange(4)[:, None]
    assert (check_draws(series, ["a", "b"])[0].where, check_draws(series, ["a", "b"])[0].passed) == ("b", False)


def test_an_error_is_known_in_closed_form():
    """AR(1): the mean of n draws has variance sd^2 (1 + phi) / (1 - phi) / n; 40 series, their mean within a tenth."""
    phi, n = 0.6, 8000
    found = mean_error(autoregressive(40, 4, n // 4, phi)).mean()
    expected = np.sqrt(1 / (1 - phi**2) * (1 + phi) / (1 - phi) / n)
    assert found == pytest.approx(expected, rel=0.1)
    assert expected > 1.5 * np.sqrt(1 / (1 - phi**2) / n), "the comparison must be able to fail"


def test_leading_dimensions_are_kept():
    series = autoregressive(6, 2, 40, 0.3)
    assert mean_error(series.reshape(2, 3, 2, 40)) == pytest.approx(mean_error(series).reshape(2, 3))


@pytest.mark.parametrize("tails", [False, True])
def test_the_worst_r_hat_is_that_of_the_check(tails):
    """A chain that lies elsewhere, or is wider: what the plain R-hat does not clear is ranked as ArviZ does."""
    series = autoregressive(40, 4, 500, 0.0)
    assert worst_rhat([np.moveaxis(series, 0, -1)]) == 1.0 < check_draws(series, [""] * 40)[0].value < 1.006
    series[17, 2] = series[17, 2] * 1.4 if tails else series[17, 2] + 0.4
    expected = check_draws(series, [""] * 40)[0].value
    assert 1.01 < expected < 1.05
    others = np.ones((4, 500, 2))  # what stands still is no latent
    assert worst_rhat([others, np.moveaxis(series, 0, -1)]) == expected
