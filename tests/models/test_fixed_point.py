"""Through the fixed point: chances in equilibrium, their gradient, and the density of the decisions on record."""

from math import erf, exp, sqrt

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose
from pytensor.compile import Mode

from bayes_compliance import asking, equilibria, models
from bayes_compliance.equilibria import OPTIMISTIC, PESSIMISTIC, System
from bayes_compliance.inference import density, fixed_point
from bayes_compliance.latents import Latents
from bayes_compliance.validation import noise
from tests.builders import known, quantiles
from tests.models.cases import constants, prior_draws, two_states
from tests.models.test_density import by_numpy, natural, point

# three decisions on one date, two on another
OWNER = np.array([0, 0, 1, 2, 3, 4])
DAY = np.array([0, 0, 0, 1, 1])
LOOKS = np.array([[0, 1, 0, 0, 0], [0, 0.5, 0.5, 0, 0], [1, 0, 0, 0, 0], [0.3, 0.7, 0, 0, 0],
                  [0, 0, 0, 0, 1], [0, 0, 0, 1, 0]])  # fmt: skip
NAMES = ("base", "noise", "gain", "bend")
MOVING = [
    *(known("volatility", 0.0, f"{s} {r}") for s in "HF" for r in "JPG"), known("volatility", 0.0, "F K"),
    *(quantiles("volatility", 0.1, 0.2, 0.4, who) for who in ("H K", "H L", "F L")),
    *constants(decision_noise=1.0, trust=2.0, rule_spread_points=0.0),
]  # fmt: skip


def values(seed, size=1.0):
    rng = np.random.default_rng(seed)
    return {
        "base": rng.normal(-0.5, 1.0, 5), "noise": rng.uniform(0.8, 1.5, 5),
        "gain": size * rng.uniform(0.2, 1.5, 6), "bend": rng.choice([0.1, 0.5, 0.9], 6),
    }  # fmt: skip


def system(x):
    return System(*(x[name][None] for name in NAMES), OWNER, LOOKS)


@pytest.fixture(scope="module")
def solver():
    """Chances and the gradient of their weighted sum, as numba compiles them for the sampler."""
    x, weights = [pt.vector(name) for name in NAMES], pt.vector("weights")
    p = fixed_point.solved(fixed_point.blocks(DAY, OWNER, LOOKS), *x)
    return pytensor.function([*x, weights], [p, *pytensor.grad((weights * p).sum(), x)], mode="NUMBA")


def test_chances_are_those_of_the_plain_solver(solver):
    found = []
    for seed in range(40):
        x = values(seed) | ({"bend": np.zeros(6)} if seed % 2 else {})
        found.append(solver(*x.values(), np.ones(5))[0])
        assert_allclose(found[-1], equilibria.extreme(system(x), PESSIMISTIC)[0], rtol=0, atol=1e-8)
    assert np.ptp(found, axis=0).min() > 0.5


def test_without_compilation_the_solver_is_the_same(solver):
    x = values(1)
    at = fixed_point.blocks(DAY, OWNER, LOOKS)
    plain = fixed_point.solved(at, *map(pt.as_tensor, x.values())).eval(mode=Mode(linker="py", optimizer=None))
    assert_allclose(plain, solver(*x.values(), np.ones(5))[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient_is_that_of_differences(solver, seed):
    x, weights, h = values(seed), np.random.default_rng(seed).normal(size=5), 1e-5
    gradient = dict(zip(NAMES, solver(*x.values(), weights)[1:], strict=True))
    for name, at in x.items():
        for i in range(len(at)):
            moves = [x | {name: at + sign * h * (np.arange(len(at)) == i)} for sign in (1, -1)]
            up, down = (weights @ solver(*moved.values(), weights)[0] for moved in moves)
            assert gradient[name][i] == pytest.approx((up - down) / (2 * h), abs=1e-7)
    assert abs(np.concatenate([*gradient.values()])).max() > 0.05


def test_one_response_would_not_be_the_gradient(solver):
    """Negative control: without (I - F')^-1, what others expect of one another is left out."""
    x, h = values(3, size=2.0), 1e-6
    p = equilibria.extreme(system(x), PESSIMISTIC)
    moved = [system(x | {"base": x["base"] + h * (np.arange(5) == i)}).respond(p) for i in range(5)]
    alone = [(one - p).sum() / h for one in moved]
    assert abs(solver(*x.values(), np.ones(5))[1] - alone).max() > 0.05


def test_several_equilibria_are_found_where_slopes_allow_them():
    cases = [values(seed, size) for seed in range(30) for size in (0.3, 3.0, 8.0)]
    for x in cases:  # where half of what answers makes a decision even, both extremes can hold themselves up
        x["base"] = -np.bincount(OWNER, x["gain"]) / 2
        x["bend"] = np.zeros(6)
    many = System(*(np.array([x[name] for x in cases]) for name in NAMES), OWNER, LOOKS)
    apart = equilibria.several(*(equilibria.extreme(many, which) for which in (PESSIMISTIC, OPTIMISTIC)))
    assert equilibria.not_unique(many).tolist() == apart.tolist()
    assert 5 < apart.sum() < 60
    assert (many.steepest().sum(-1).max(-1) < 1).any()


def joint(case):
    plain = models.prepare("reciprocity", case)
    return plain.model.through(plain)


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    return joint(two_states(tmp_path_factory.mktemp("moving"), judgements=MOVING))


def test_each_date_of_record_knows_the_lobbies_of_both_sides(moving):
    layout = moving.layout
    days = [item.date for item in layout.rows.items if item.stage == "compliance"]
    lobby = {b.id: i for i, b in enumerate(layout.case.lobbies)}
    assert set(layout.knots) >= {(lobby[name], day) for day in days for name in ("H K", "H L", "F L")}
    assert len(layout.joint.rows) == 2 * len(days)
    plain = models.prepare("reciprocity", layout.case).layout
    assert set(plain.knots) < set(layout.knots)


def test_rows_on_record_meet_the_equilibrium_of_their_date(moving):
    layout, draws = moving.layout, prior_draws(moving, 12, seed=5)
    found = asking.ask_observed(moving.model, layout, draws).p_comply
    x = asking.related(layout, draws)
    for d in range(12):
        for i, item in enumerate(layout.rows.items):
            if item.stage == "compliance":
                expected = by_hand(layout, {name: v[d] for name, v in x.items()}, item.date)[item.state]
                assert found[d, i] == pytest.approx(expected, abs=1e-8)
    # negative control: with observed conduct the same draws expect something else
    assert abs(found - asking.ask_observed(models.load("coalition"), layout, draws).p_comply).max() > 0.05


def by_hand(layout, x, day):
    """Two chances on a date, iterated with plain arithmetic on the magnitudes of one draw."""
    lobby = {b.id: i for i, b in enumerate(layout.case.lobbies)}
    state = {s.id: i for i, s in enumerate(layout.case.states)}
    w = dict(zip(layout.knots, layout.walk(x["innovation"]), strict=True))

    def size(name):
        i = lobby[name]
        base, moved = x["magnitude"][i], x["volatility"][i] * w.get((i, day), 0.0)
        return base + moved if name[-1] in "PG" else base * exp(moved + x["rule_spread"][state[name[0]]] * z(name))

    def z(name):
        rule = {"H": "bananas", "F": "oranges"}[name[0]]
        used = [layout.pairs[i] for i in layout.pairs_used]
        return x["spread"][used.index((name, rule))] if (name, rule) in used else 0.0

    def chance(s, q):
        j, k, ell, p, g = (size(f"{s} {role}") for role in "JKLPG")
        more = x["step"][lobby[f"{s} P"]] + x["step"][lobby[f"{s} G"]]
        support = j + x["shadow"][state[s]] * q * ell + p + g + more - k
        return (1 + erf((support - x["partial_width"][state[s]]) / x["decision_noise"][state[s]] / sqrt(2))) / 2

    p = {"H": 0.0, "F": 0.0}
    for _ in range(300):
        p = {"H": chance("H", p["F"]), "F": chance("F", p["H"])}
    return p


def densities(prepared, draws):
    built = prepared.model.build(prepared.layout)
    logp = built.compile_logp(mode=Mode(linker="py", optimizer=None), jacobian=False)
    points = [point(built, natural(Latents(prepared.layout), draws, d)) for d in range(8)]
    return np.array([float(logp(one)) for one in points])


def test_the_log_density_is_that_of_plain_numpy(moving):
    draws = prior_draws(moving, 8, seed=4)
    expected = by_numpy("reciprocity", moving.layout, draws)
    assert_allclose(densities(moving, draws), expected, rtol=0, atol=1e-7)
    assert np.ptp(expected) > 0.1


def test_other_priors_and_decisions_are_met_in_the_same_way(moving):
    again = models.prepare(moving.model, moving.case)
    assert again.layout.knots == moving.layout.knots
    assert again.model.NOTE == moving.model.NOTE


def test_another_noise_moves_support_too(moving):
    draws = prior_draws(moving, 20, seed=6)
    moved = noise.scaled(draws, 2.0)
    expected = density.log_likelihood(moving, moved) - density.log_likelihood(moving, draws)
    assert_allclose(noise.log_ratio(moving, draws, 2.0), expected, rtol=0, atol=1e-12)
    support = [asking.ask_observed(moving.model, moving.layout, x).support for x in (draws, moved)]
    assert abs(support[0] - support[1]).max() > 0.01


STILL = [known("volatility", 0.0, f"{s} {r}") for s in "HF" for r in "JKLPG"]


@pytest.mark.parametrize(("shadow", "same"), [(0.0, True), (0.8, False)])
def test_where_nothing_answers_the_density_is_that_of_coalition(tmp_path, shadow, same):
    case = two_states(tmp_path, judgements=[*STILL, *constants(shadow=shadow, decision_noise=1.0, trust=2.0)])
    theirs = models.prepare("coalition", case)
    draws = prior_draws(theirs, 8, seed=4)
    ours = densities(joint(case), draws)
    assert np.allclose(ours, densities(theirs, draws), rtol=0, atol=1e-9) == same
