"""The exact engine against a filter on a grid, brute force, and its own one-step forecasts."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from bayes_compliance import asking
from bayes_compliance.elicitation import Prior
from bayes_compliance.inference import diagnose, exact, fit
from bayes_compliance.inference.diagnostics import free_series, mean_error
from bayes_compliance.latents import Latents
from bayes_compliance.models import Prepared
from bayes_compliance.rows import Item
from tests.builders import normal, write_case
from tests.inference.linear_cases import filtered, first, prepared, random_case, step_date, walk

PRIOR_DRAWS = 20_000
RANDOM_CASES = range(20)


def decisions(n: int, seed: int, words: tuple[str, ...] = ("comply", "violate")) -> list[str]:
    return [str(word) for word in np.random.default_rng(seed).choice(words, n)]


@pytest.mark.parametrize("words", [("comply", "violate"), ("comply", "violate", "partial")])
@pytest.mark.parametrize("n", [1, 12])
def test_evidence_and_forecast_equal_a_filter_on_a_grid(tmp_path, words, n):
    seen = [*decisions(n - 1, 5, words), words[-1]]
    case = prepared(walk(tmp_path, seen))
    log_p, comply = filtered(seen, width=0.4 if "partial" in seen else 0.0)
    found = exact.evidence(case)
    chances = exact.forecast(case, [Item("H", "r", step_date(n + 1), "compliance")])
    # days are whole: a margin for the rounding of dates (half a day in 91) beside the errors
    assert abs(found.log_p - log_p) < 5 * found.error + 1e-3
    assert abs(chances.comply[0] - comply) < 5 * chances.error[0] + 3e-4


def test_a_mirrored_case_is_told_apart(tmp_path):
    seen = ["comply"] * 6
    assert exact.evidence(prepared(walk(tmp_path, seen))).log_p - filtered(["violate"] * 6)[0] > 0.5


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_evidence_is_the_product_of_one_step_forecasts(tmp_path, seed):
    case = prepared(random_case(tmp_path, seed))
    rows = [d for d in case.case.decisions if d.kind == "compliance"]
    start = len(case.case.decisions) - len(rows)
    total = exact.evidence(first(case, start), target=1e-4).log_p
    for k, d in enumerate(rows):
        got = exact.forecast(first(case, start + k), [Item(d.state, d.rule, d.date, d.kind)], target=1e-4)
        chance = {"comply": got.comply, "violate": got.violate, "partial": 1 - got.comply - got.violate}
        total += float(np.log(chance[d.decision][0]))
    assert total == pytest.approx(exact.evidence(case, target=1e-4).log_p, abs=1e-3)


def brute_force(case: Prepared, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Latents (draw, latent) from the prior, and their likelihood."""
    draws = Latents(case.layout).draw_all(PRIOR_DRAWS, np.random.default_rng(seed))
    support = asking.ask_observed(case.model, case.layout, draws).support
    return stacked(draws), np.exp(asking.log_likelihood(case.layout, draws, support).sum(axis=-1))


def stacked(draws: dict) -> np.ndarray:
    parts = [draws[name].reshape(-1, draws[name].shape[-1]) for name in ("magnitude", "innovation", "spread")]
    return np.concatenate(parts, axis=1)


def moments(x: np.ndarray, share: np.ndarray, center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means of x less the center, then of all products of two; and their sampling variances."""
    x = np.hstack([np.ones((len(x), 1)), x - center])
    i, j = np.tril_indices(x.shape[1])
    # einsum, since BLAS threads wait for each other on a machine that is busy
    s = share[:, None]
    mean, square, cross = (
        np.einsum("ni,nj->ij", a, b)[i, j] for a, b in ((s * x, x), (s**2 * x**2, x**2), (s**2 * x, x))
    )
    return mean[1:], (square - 2 * mean * cross + mean**2 * (share @ share))[1:]


def z_scores(case: Prepared, latents: np.ndarray, share: np.ndarray, seed: int) -> np.ndarray:
    """Means and covariances of a case's exact draws less those of weighted prior draws, in standard errors."""
    draws = stacked(exact.sample(case, draws=2000, chains=4, seed=seed)[0])
    center = share @ latents
    by_exact, error = moments(draws, np.full(len(draws), 1 / len(draws)), center)
    by_weight, other = moments(latents, share, center)
    moving = error + other > 1e-20
    assert by_exact[~moving] == pytest.approx(by_weight[~moving], abs=1e-9)
    return ((by_exact - by_weight) / np.sqrt(np.where(moving, error + other, 1)))[moving]


def test_draws_and_evidence_meet_weighted_prior_draws_on_20_random_cases(tmp_path):
    right, wrong, evidences = [], [], []
    for seed in RANDOM_CASES:
        case = prepared(random_case(tmp_path / f"{seed}", seed))
        latents, weight = brute_force(case, seed)
        share = np.where(weight < 1e-30 * weight.max(), 0, weight / weight.sum())
        right.append(z_scores(case, latents, share, seed))
        if seed < 3:
            flipped = prepared(random_case(tmp_path / f"{seed} flipped", seed, flip=True))
            wrong.append(z_scores(flipped, latents, share, seed))
        found = exact.evidence(case, target=1e-3)
        error = np.hypot(weight.std() / np.sqrt(len(weight)) / weight.mean(), found.error)
        evidences.append((found.log_p - np.log(weight.mean())) / error)
    z = np.concatenate(right)
    limit = stats.norm.isf(1e-4 / 2 / len(z))  # false-alarm rate 1e-4 over all moments
    assert abs(z).max() < limit
    assert all(abs(control).max() > limit for control in wrong)
    assert abs(np.array(evidences)).max() < stats.norm.isf(1e-4 / 2 / len(evidences))  # false-alarm rate 1e-4
    assert np.std(evidences) > 0.4  # errors are not overstated: a lower sd of 20 standard normals has a chance of 1e-5


def two_analysts(folder, judgements: list[dict]) -> Prepared:
    case = walk(folder, ["comply", "violate", "violate"])
    text = (case / "judgements.csv").read_text().splitlines()
    kept = [line for line in text if not line.startswith("a,1999-12-01,,j,magnitude")]
    (case / "judgements.csv").write_text("\n".join(kept) + "\n")
    extra = write_case(folder / "extra", judgements=judgements) / "judgements.csv"
    with (case / "judgements.csv").open("a") as file:
        file.writelines(f"{line}\n" for line in extra.read_text().splitlines()[1:])
    return prepared(case)


def test_a_pool_of_analysts_is_the_mixture_of_their_cases(tmp_path):
    one, two = normal("j", 2.0, 0.3), normal("j", -0.5, 0.4, analyst="b", weight=3.0)
    alone = [two_analysts(tmp_path / f"{i}", [judgement]) for i, judgement in enumerate((one, two))]
    p = np.exp([exact.evidence(case, target=1e-4).log_p for case in alone])
    both = two_analysts(tmp_path / "both", [one, two])
    assert exact.evidence(both, target=1e-4).log_p == pytest.approx(np.log([0.25, 0.75] @ p), abs=1e-3)
    share = 0.25 * p[0] / ([0.25, 0.75] @ p)
    means = [exact.sample(case, draws=5000, chains=4, seed=2)[0]["magnitude"][..., 0].mean() for case in alone]
    pooled = exact.sample(both, draws=5000, chains=4, seed=3)[0]["magnitude"][..., 0]
    error = pooled.std() * np.sqrt(3 / 20_000)
    assert abs(pooled.mean() - (share * means[0] + (1 - share) * means[1])) < 4.5 * error  # false-alarm rate 1e-5
    assert abs(pooled.mean() - (0.25 * means[0] + 0.75 * means[1])) > 4.5 * error


def test_same_seed_same_bytes(tmp_path):
    case = prepared(random_case(tmp_path, 1))
    once, again, other = (exact.sample(case, draws=50, chains=2, seed=seed)[0] for seed in (4, 4, 5))
    assert all(once[name].tobytes() == again[name].tobytes() for name in once)
    assert (once["magnitude"] != other["magnitude"]).any()
    assert exact.evidence(case, seed=4) == exact.evidence(case, seed=4) != exact.evidence(case, seed=5)


def test_what_no_row_depends_on_is_as_the_prior_has_it(tmp_path):
    # w is uncertain by default, and there is no L in the case
    case = prepared(walk(tmp_path, ["comply", "violate"]))
    draws, _ = exact.sample(case, draws=1000, chains=4, seed=1)
    prior = case.priors.quantities["shadow"].priors[0]
    assert isinstance(prior, Prior)
    assert stats.kstest(draws["shadow"].ravel(), prior.cdf).pvalue > 1e-4  # false-alarm rate 1e-4


def test_without_decisions_the_posterior_is_the_prior(tmp_path):
    case = prepared(walk(tmp_path, []))
    assert exact.evidence(case) == (0.0, 0.0)
    magnitude = exact.sample(case, draws=1000, chains=4, seed=1)[0]["magnitude"]
    assert stats.kstest(magnitude[..., 0].ravel(), stats.norm(1.3, 0.8).cdf).pvalue > 1e-4  # false-alarm rate 1e-4
    assert (magnitude[..., 1] == 1.0).all()


def test_the_tree_is_whole_and_its_simulated_forecast_meets_the_exact_one(tmp_path):
    from bayes_compliance.forecast import simulate
    from bayes_compliance.inference.tree import draws_of

    case = prepared(walk(tmp_path, decisions(8, 2)))
    tree = fit(case, engine="exact", seed=2)
    assert tree.attrs["log_evidence"] == pytest.approx(exact.evidence(case).log_p, abs=5e-3)
    assert [check.name for check in diagnose(case, tree)] == ["R-hat", "bulk ESS", "tail ESS"]
    assert all(check.passed for check in diagnose(case, tree))
    assert set(tree["sample_stats"].data_vars) == {"acceptance_rate"}
    draws, chains = draws_of(tree)
    ahead = simulate(case.model, case.layout, draws, chains, seed=1)
    items = [Item("H", "r", date.fromisoformat(row["date"]), "compliance") for row in ahead.table]
    chances = exact.forecast(case, items)
    simulated = np.array([row["p_comply"] for row in ahead.table])
    # false-alarm rate below 1e-3: ten correlated dates within 4 of the largest Monte Carlo error
    assert abs(simulated - chances.comply).max() < 4 * ahead.mc_error
    assert abs(1 - simulated - chances.comply).max() > 4 * ahead.mc_error


@pytest.mark.parametrize("words", [("comply", "violate"), ("comply", "violate", "partial")])
def test_80_decisions_meet_the_filter_within_their_error(tmp_path, words):
    seen = decisions(80, 1, words)
    found = exact.evidence(prepared(walk(tmp_path, seen)), target=2e-3)
    log_p = filtered(seen, width=0.4 if "partial" in seen else 0.0)[0]
    assert found.error < 2e-3
    assert abs(found.log_p - log_p) < 5 * found.error


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_80_decisions_are_within_a_thousandth(tmp_path, seed):
    seen = decisions(80, 1)
    found = exact.evidence(prepared(walk(tmp_path, seen)), seed=seed, target=3e-4)
    assert found.error < 5e-4
    assert found.log_p == pytest.approx(filtered(seen)[0], abs=1e-3)


def nuts_against_exact(case: Prepared) -> np.ndarray:
    """Differences of the means of all free latents, in Monte Carlo standard errors."""
    free = {name: where for name, where in Latents(case.layout).free.items() if name in ("magnitude", "shadow")}
    free |= {"innovation": np.arange(len(case.layout.knots)), "spread": np.arange(len(case.layout.pairs_used))}
    nuts, ours = (
        free_series(fit(case, engine=engine, seed=3)["posterior"].to_dataset(), free)[0] for engine in ("nuts", "exact")
    )
    return (nuts.mean(axis=(1, 2)) - ours.mean(axis=(1, 2))) / np.hypot(mean_error(nuts), mean_error(ours))


def test_nuts_agrees_within_four_monte_carlo_errors(tmp_path):
    z = nuts_against_exact(prepared(walk(tmp_path, ["comply", "violate", "violate"])))
    assert len(z) == 5
    assert abs(z).max() < 4  # false-alarm rate 3e-4 over 5
    assert (z != 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_nuts_agrees_on_random_cases(tmp_path, seed):
    z = nuts_against_exact(prepared(random_case(tmp_path, seed)))
    assert len(z) > 20
    assert abs(z).max() < 4  # false-alarm rate 2e-3 over some 30
