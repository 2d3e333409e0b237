"""Data as shared variables: the density that NumPy has for any decisions, and none of it from rows not known."""

from datetime import date

import numpy as np
import pytest
from pytensor.compile import Mode
from scipy import stats

from bayes_compliance import models
from bayes_compliance.latents import Latents
from bayes_compliance.theory import miscoded, outcome_log_probability
from bayes_compliance.validation import shared
from bayes_compliance.validation.calibration import simulate
from bayes_compliance.validation.origins import View
from tests.models.cases import prior_draws, two_states
from tests.models.test_density import JUDGED, by_numpy, natural, point

DAY = date(2003, 12, 31)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return models.prepare("coalition", two_states(tmp_path_factory.mktemp("case"), judgements=JUDGED))


@pytest.fixture(scope="module")
def density(prepared):
    """Log density at the draws, given data; compiled once."""
    layout, variables = shared.symbolic(prepared.layout)
    built = prepared.model.build(layout)
    logp = built.compile_logp(mode=Mode(linker="py", optimizer=None), jacobian=False)

    def at(data, draws):
        for name, value in shared.arrays(data).items():
            variables[name].set_value(value)
        return [float(logp(point(built, natural(Latents(prepared.layout), draws, d)))) for d in range(8)]

    return at


@pytest.fixture
def draws(prepared):
    return prior_draws(prepared, n=8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_density_follows_the_decisions_and_the_conduct_that_they_make(prepared, density, draws, seed):
    world = simulate(prepared, np.random.default_rng(seed))
    data = shared.Data(world.outcome, prepared.layout.error, world.history)
    other = shared.with_outcomes(prepared.layout, world.outcome)
    np.testing.assert_allclose(density(data, draws), by_numpy("coalition", other, draws), rtol=1e-9)
    assert not np.allclose(density(data, draws), by_numpy("coalition", prepared.layout, draws))


def test_what_is_not_known_on_a_day_is_not_in_the_density(prepared, density, draws):
    """Less standard normal paths and spreads of later rows, and a constant for each: the density of what was known."""
    view = View(prepared.layout, DAY)
    assert 0 < view.known.sum() < len(view.known)
    carried = view.carried(draws)
    silent = np.log(prepared.layout.rows.n_outcomes[~view.known]).sum()
    later = stats.norm.logpdf(draws["innovation"]).sum(-1) - stats.norm.logpdf(carried["innovation"]).sum(-1)
    later += stats.norm.logpdf(draws["spread"]).sum(-1) - stats.norm.logpdf(carried["spread"]).sum(-1)
    expected = by_numpy("coalition", view.layout, carried) + later - silent
    np.testing.assert_allclose(density(view.data, draws), expected, rtol=1e-9)


def test_a_silent_row_says_nothing_whatever_the_decision():
    for n in (2, 3):
        log_p = np.log([0.001, 0.4, 0.999])
        assert miscoded(log_p, shared.silent(np.array(n)), n) == pytest.approx(np.full(3, -np.log(n)))


def test_equations_take_outcomes_and_errors_as_tensors():
    import pytensor
    import pytensor.tensor as pt

    margin, noise, width = np.array([-1.0, 0.3, 2.0, 0.1]), np.full(4, 0.6), np.array([0.4, 0.4, 0.0, 0.4])
    outcome, error = np.array([0, 1, 2, 2]), np.array([0.0, 0.05, 0.0, 2 / 3])
    log_p = outcome_log_probability(pt.constant(margin), noise, width, pytensor.shared(outcome))
    coded = miscoded(log_p, pytensor.shared(error), np.array([3, 3, 2, 3]))
    expected = miscoded(outcome_log_probability(margin, noise, width, outcome), error, np.array([3, 3, 2, 3]))
    mode = Mode(linker="py", optimizer=None)
    np.testing.assert_allclose(coded.eval(mode=mode), expected, rtol=1e-12)


@pytest.mark.slow
def test_a_fit_of_what_was_known_is_the_fit_of_the_case_as_of_then(prepared):
    """Posterior means of all latents of the origin: within 5 standard errors; a false-alarm rate below 1e-4."""
    from bayes_compliance.inference import nuts
    from bayes_compliance.inference.diagnostics import mean_error

    size = {"draws": 1000, "tune": 1000, "chains": 4}
    view = View(prepared.layout, DAY)
    found, _ = shared.Shared(prepared).sample(view.data, **size, seed=1)
    ours = view.carried(found)
    theirs, _, _ = nuts.sample(prepared.model, view.layout, **size, seed=2)
    for name, values in theirs.items():
        a, b = (np.moveaxis(x, -1, 0) for x in (ours[name], values))
        if np.isinf(b).all():  # a punishment for ever
            assert np.array_equal(a, b)
            continue
        error = np.hypot(mean_error(a), mean_error(b))
        assert (np.abs(a.mean((1, 2)) - b.mean((1, 2))) <= 5 * error + 1e-12).all(), name


@pytest.mark.slow
def test_one_compilation_draws_what_a_fit_of_its_own_draws(prepared):
    """But for rounding, which a chain doubles every few steps; data of another shape are refused before the sampler."""
    from bayes_compliance.inference import nuts

    size = {"draws": 10, "tune": 20, "chains": 2, "seed": 4}
    one = shared.Shared(prepared)
    data = shared.seen(prepared.layout, np.ones(len(prepared.layout.rows), bool))
    found, _ = one.sample(data, **size)
    own, _, _ = nuts.sample(prepared.model, prepared.layout, **size)
    for name, values in own.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6, err_msg=name)
    with pytest.raises(ValueError, match=r"seen_outcome has shape \(3,\); compiled for"):
        one.sample(data._replace(outcome=np.zeros(3, int)), **size)
