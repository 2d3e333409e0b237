"""Nothing of the future reaches an origin: planted future rows change no input and no forecast."""

from datetime import date

import numpy as np
import pytest

from bayes_compliance import models
from bayes_compliance.case import load_case
from bayes_compliance.errors import Refused
from bayes_compliance.inference import exact
from bayes_compliance.inference.carry import carry
from bayes_compliance.latents import Latents
from bayes_compliance.rows import Item
from bayes_compliance.validation import at_origins, backtest, baselines
from bayes_compliance.validation.foretelling import foretell, known_of
from bayes_compliance.validation.origins import View, epochs, origins
from tests.builders import complied, known, normal, quantiles, to_toml, write_case
from tests.inference.linear_cases import NOISE, VOLATILITY, filtered, walk

SAMPLER = {"engine": "exact", "seed": 1, "draws": 500, "tune": 1, "chains": 2}
DAY = date(2004, 6, 30)
STATES = [{"id": "H", "counterparties": ["F"]}, {"id": "F", "counterparties": ["H"]}]
RULES = [{"id": "r", "states": ["F", "H"], "depth": True}, {"id": "s", "states": ["F", "H"]}]
LOBBIES = [{"id": f"{s} {role}", "state": s, "role": role} for s in "HF" for role in "JKLP"]
JUDGEMENTS = [normal(lobby["id"], 1.0, 0.4) for lobby in LOBBIES] + [
    known("volatility", 0.2, lobby["id"]) for lobby in LOBBIES
] + [known("rule_spread_points", 0.3), known("trust", 2.0), known("decision_noise", 0.6), known("shadow", 0.7),
     known("partial_width", 0.2), known("entrenchment", 0.02, "H J")]  # fmt: skip
PAST = [
    {"date": "2000-01-01", "state": "H", "rule": "*", "kind": "adherence", "decision": "adhere"},
    complied("2001-03-01"), complied("2002-03-01", "violate", "F", "s"), complied("2003", "partial", rule="s"),
    complied("2004-06-30", "violate"),
]  # fmt: skip
LATER = [complied("2005-03-01", "comply", "F", "r"), complied("2006-03-01", "violate", "H", "s")]


def made(folder, decisions=LATER, judgements=(), proxies=(), tables=None, scenarios="", rules=RULES):
    return load_case(
        write_case(
            folder, states=STATES, rules=rules, lobbies=LOBBIES, judgements=[*JUDGEMENTS, *judgements],
            decisions=[*PAST, *decisions], proxies=proxies, outcomes=3, tables=tables, scenarios=scenarios,
        )
    )  # fmt: skip


def view(case, day=DAY, renew=False):
    """What an origin on a day sees of a case."""
    first = [one for one in origins(case, learn=2) if one.day >= day][:1] or origins(case, learn=2)[-1:]
    known_case = epochs(case, [first[0]._replace(day=day)], renew=renew)[0][0]
    return View(models.prepare("coalition", known_case).layout, day)


def inputs(case, **more):
    """All numbers that a fit and a forecast from the origin read, by name."""
    layout = view(case, **more).layout
    latents = Latents(layout)
    found = {f"prior {n}": latents.fixed(n) for n in latents.names}
    found |= {f"median {n}": [latents.prior(n, i).quantile() for i in latents.free[n]] for n in latents.names}
    found |= {"outcome": layout.outcome, "error": layout.error, "factor": layout.walk(np.eye(len(layout.knots)))}
    found |= dict(zip(("credit", "count", "accrued"), layout.history, strict=True))
    found |= {"record": layout.record.credit, "record count": layout.record.count, "pairs": layout.pairs_used}
    return layout.rows.items, found


SCENARIO = '[[scenarios]]\nid = "x"\ntitle = "x"\nfrom = 2007-01-01\nchanges = [{ state = "F", q = 0.0 }]\n'
PLANTED = {
    "decisions": {"decisions": [*LATER, complied("2005-01-01", "violate", "F", "r"), complied("2004", "violate", "F")]},
    "judgements": {"judgements": [normal("H K", 9.0, 0.1, analyst="later", date="2005-01-01")]},
    "a constant": {"judgements": [known("shock_hazard", 0.5, date="2004-07-01")]},
    "a year": {"judgements": [quantiles("entrenchment", 0.1, 0.5, 2.0, "H K", date="2004")]},
    "proxies": {"proxies": [{"date": "2005-01-01", "state": "H", "lobby": "H J", "kind": "stake", "value": 5,
                             "reliability": 0.5}]},
    "shocks": {"tables": {"shocks": [{"date": date(2005, 1, 1), "states": ["H"], "scale": 3.0}]}},
    "scenarios": {"scenarios": SCENARIO},
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("renew", [False, True])
def test_a_future_row_in_any_file_changes_nothing_that_an_origin_sees(tmp_path, planted, renew):
    plain, changed = made(tmp_path / "a"), made(tmp_path / "b", **PLANTED[planted])
    items, found = inputs(plain, renew=renew)
    others, other = inputs(changed, renew=renew)
    assert items == others
    assert list(found) == list(other)
    for name, values in found.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_a_past_row_does_change_what_an_origin_sees(tmp_path):
    """The negative control of the leakage test."""
    past = complied("2004-01-01", "violate", "F", "r")
    plain, changed = inputs(made(tmp_path / "a")), inputs(made(tmp_path / "b", decisions=[*LATER, past]))
    assert len(changed[0]) == len(plain[0]) + 1
    assert changed[1]["record count"].sum() > plain[1]["record count"].sum()


def test_a_year_is_known_only_when_it_is_over(tmp_path):
    case = made(tmp_path)
    assert len(view(case, date(2003, 12, 30)).layout.decisions) == 3
    assert len(view(case, date(2003, 12, 31)).layout.decisions) == 4


def test_a_depth_that_is_declared_for_a_later_adherence_is_not_known(tmp_path):
    later = [RULES[0] | {"adherence_date": date(2005, 1, 1)}, RULES[1]]
    plain, changed = view(made(tmp_path / "a")), view(made(tmp_path / "b", rules=later))
    assert plain.known[plain.whole.depth].all()
    assert not changed.known[changed.whole.depth].any()
    # neither by weights, nor by the exact engine, nor as of a day, which all read the layout of what was known
    assert plain.layout.depth.sum() == plain.whole.depth.sum() == 2
    assert not changed.layout.depth.any()
    whole = changed.whole.rows.items
    assert tuple(whole[i] for i in np.flatnonzero(changed.known)) == changed.layout.rows.items
    assert [len(part) for part in changed.data.history] == [len(changed.whole.rows)] * 3


@pytest.mark.parametrize("day", [date(2004, 12, 31), date(2005, 1, 1)])
def test_as_of_a_day_a_depth_counts_once_its_rule_binds(tmp_path, day):
    case = made(tmp_path, rules=[RULES[0] | {"adherence_date": date(2005, 1, 1)}, RULES[1]]).as_of(day)
    assert len(case.depths()) == (2 if day.year == 2005 else 0)
    assert len(case.as_of(date(2020, 1, 1)).depths()) == len(case.depths()), "what was not known stays unknown"


def test_the_fit_s_data_are_silent_on_later_rows_and_right_on_known_ones(tmp_path):
    seen = view(made(tmp_path))
    data = seen.data
    later = ~seen.known
    assert later.sum() == 2
    assert data.error[later] == pytest.approx(2 / 3)
    known_rows = np.flatnonzero(seen.known)
    for whole, own in zip(data.history, seen.layout.history, strict=True):
        np.testing.assert_array_equal(whole[known_rows], own)


def test_conduct_not_yet_known_on_the_origin_is_left_out_of_what_known_rows_met(tmp_path):
    """A row dated by its year counts for conduct from 1 July on, but is known at its end only."""
    case = made(tmp_path, [complied("2004", "violate", "F", "s"), complied("2004-08-01", "comply"), *LATER])
    early, late = view(case, date(2004, 9, 1)), view(case, date(2004, 12, 31))
    at = next(i for i, item in enumerate(early.whole.rows.items) if item.date == date(2004, 8, 1))
    assert early.known[at]
    assert early.data.history.count[at, 0] == late.data.history.count[at, 0] - 1


def test_carried_draws_make_the_same_paths_and_spreads(tmp_path):
    seen = view(made(tmp_path))
    rng = np.random.default_rng(1)
    whole = Latents(seen.whole).draw_all(6, rng)
    carried = seen.carried(whole)
    theirs = dict(zip(seen.whole.knots, seen.whole.walk(whole["innovation"]).T, strict=True))
    ours = seen.layout.walk(carried["innovation"])
    for k, knot in enumerate(seen.layout.knots):
        np.testing.assert_allclose(ours[:, k], theirs[knot], atol=1e-10)
    pairs = dict(zip(seen.whole.pairs_used, whole["spread"].T, strict=True))
    for k, pair in enumerate(seen.layout.pairs_used):
        np.testing.assert_array_equal(carried["spread"][:, k], pairs[pair])


def test_origins_are_the_days_before_decisions_with_enough_known(tmp_path):
    found = origins(made(tmp_path), ahead=2, learn=3)
    assert [one.day for one in found] == [date(2004, 6, 29), date(2005, 2, 28), date(2006, 2, 28)]
    assert [(t.item.rule, t.step) for t in found[0].targets] == [("r", 1), ("r", 2)]
    assert [t.step for t in found[-1].targets] == [1]
    assert len(origins(made(tmp_path / "b"), learn=2, most=2)) == 2


def test_no_origin_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"decisions\.csv: no date with 50 earlier compliance decisions"):
        origins(made(tmp_path), learn=50)


def test_epochs_share_judgements_unless_renewed(tmp_path):
    case = made(tmp_path, judgements=[normal("H K", 9.0, 0.1, analyst="later", date="2005-06-01")])
    found = origins(case, learn=2)
    assert [len(some) for _, some in epochs(case, found)] == [len(found)]
    renewed = epochs(case, found, renew=True)
    assert [some[0].day for _, some in renewed][1] == date(2006, 2, 28)
    assert all(len(known_case.decisions) == len(case.decisions) for known_case, _ in renewed)


WORDS = ["comply", "comply", "violate", "comply", "violate", "violate", "comply", "comply"]


def run(folder, case, model="coalition", rivals=(), **more):
    return backtest.run(load_case(case), model, rivals, journal=folder / "tasks.jsonl", **(SAMPLER | more))


def test_a_back_test_is_the_filter_s(tmp_path):
    """Exact engine, 1,000 independent draws and 8 antithetic paths: 5 standard errors of each of 6 forecasts."""
    done = run(tmp_path, walk(tmp_path / "case", WORDS))
    p, outcome, entries = done.of("coalition")
    assert len(entries) == 6
    expected = [filtered(WORDS[:n])[1] for n in range(2, 8)]
    error = 5 * np.sqrt(VOLATILITY**2 + 0.8**2) / NOISE * 0.4 / np.sqrt(1000)
    assert np.abs(p[:, 2] - expected).max() < error
    assert list(outcome) == [2 * (word == "comply") for word in WORDS[2:]]
    assert p.sum(axis=1) == pytest.approx(1)
    assert done.passed


def test_planted_future_rows_change_no_earlier_forecast(tmp_path):
    """To the last bit: forecasts of decisions before the planted row are the same."""
    plain = run(tmp_path / "a", walk(tmp_path / "a" / "case", WORDS[:6]), learn=2)
    planted = run(tmp_path / "b", walk(tmp_path / "b" / "case", WORDS), learn=2)
    assert planted.predictions[: len(plain.predictions)] == plain.predictions
    assert len(planted.predictions) > len(plain.predictions)


def test_further_ahead_the_forecast_is_the_filter_s_with_nothing_learnt_between(tmp_path):
    done = run(tmp_path, walk(tmp_path / "case", WORDS), ahead=3, learn=4)
    p, _, entries = done.of("coalition", step=3)
    # two unseen decisions are as long a step without one
    assert len(entries) == 2
    rng = np.random.default_rng(1)
    mean, sd = _posterior(WORDS[:4])
    drawn = rng.normal(mean, np.hypot(sd, VOLATILITY * np.sqrt(0.75)), 200_000) + NOISE * rng.standard_normal(200_000)
    assert abs(p[0, 2] - np.mean(drawn > 0)) < 0.04


def _posterior(words):
    """Mean and standard deviation of the margin after some decisions, by the grid of the filter's own law."""
    from scipy.stats import norm

    grid = np.linspace(-12, 12, 801)
    move = norm.pdf(grid[:, None], grid[None, :], VOLATILITY * np.sqrt(0.25))
    density = norm.pdf(grid, 0.3, 0.8)
    for word in words:
        density = (move @ density) * norm.cdf(grid / NOISE * (1 if word == "comply" else -1))
        density /= density.sum()
    mean = grid @ density
    return mean, np.sqrt((grid - mean) ** 2 @ density)


def test_base_rate_and_persistence_by_hand(tmp_path):
    case = load_case(walk(tmp_path, ["comply", "comply", "violate", "violate"]))
    assert baselines.base_rate(case) == pytest.approx([2.5 / 5, 0, 2.5 / 5])
    item = models.prepare("coalition", case).layout.rows.items[-1]
    # three pairs, two of them repeats: (2 + 1/2) / (3 + 1)
    stays = 2.5 / 4
    (p,) = baselines.persistence(case, [item])
    assert p == pytest.approx([stays, 0, 1 - stays])
    (unknown,) = baselines.persistence(case, [item._replace(rule="another")])
    assert unknown == pytest.approx(baselines.base_rate(case))


def test_what_does_not_persist_goes_to_the_others_by_their_rates(tmp_path):
    """Three outcomes, F's on the same rule between H's: of H's three pairs one repeats."""
    words = [("2001", "comply", "H"), ("2002", "comply_late", "H"), ("2003", "comply", "F"), ("2004", "partial", "H"),
             ("2005", "violate", "H")]  # fmt: skip
    own = [complied(f"{year}-01-01", word, state) for year, word, state in words]
    case = load_case(
        write_case(
            tmp_path, states=STATES, rules=RULES, lobbies=LOBBIES, judgements=JUDGEMENTS, decisions=own, outcomes=3
        )
    )
    assert baselines.base_rate(case) == pytest.approx([1.5 / 6.5, 2.5 / 6.5, 2.5 / 6.5])
    found = baselines.persistence(case, [Item(state, "r", DAY, "compliance") for state in "HF"])
    stays = 1.5 / 4
    assert found[0] == pytest.approx([stays, (1 - stays) / 2, (1 - stays) / 2])
    assert found[1] == pytest.approx([(1 - stays) * 1.5 / 4, (1 - stays) * 2.5 / 4, stays])


def test_the_weighted_sum_is_the_judged_medians_added_up(tmp_path):
    from scipy.stats import norm

    prepared = models.prepare("coalition", load_case(walk(tmp_path, WORDS)))
    (p,) = baselines.weighted_sum(prepared, prepared.layout.rows.items[:1])
    assert p == pytest.approx([norm.cdf(-0.3 / NOISE), 0, norm.cdf(0.3 / NOISE)])


@pytest.mark.parametrize(("sincerity", "counts"), [(None, 1), (0.5, 1), (0.4, 0)])
def test_the_weighted_sum_has_the_conduct_on_record_and_the_likelier_type(tmp_path, sincerity, counts):
    """F has violated twice: q = 2 / (2 + 2). SC = 1 + .6 / 2 L + (.5 + .4) - 2, L of 3 only for who means it."""
    from scipy.stats import norm

    lobbies = [{"id": role.lower(), "state": "H", "role": role} for role in "JLPK"]
    lobbies += [{"id": "f", "state": "F", "role": "K"}]
    judged = [normal(b, m, 0.4) for b, m in (("j", 1.0), ("l", 3.0), ("p", 0.5), ("k", 2.0), ("f", 1.0))]
    judged += [known("step", 0.4, "p"), known("decision_noise", 0.6), known("shadow", 0.6), known("trust", 2.0)]
    judged += [known("sincerity", sincerity)] if sincerity else []
    betrayed = [complied(f"{year}-01-01", "violate", "F") for year in (2003, 2004)]
    place = write_case(tmp_path, states=STATES, rules=RULES, lobbies=lobbies, judgements=judged, decisions=betrayed)
    prepared = models.prepare("opportunism" if sincerity else "coalition", load_case(place))
    (found,) = baselines.weighted_sum(prepared, [Item("H", "r", date(2005, 1, 1), "compliance")])
    p = norm.cdf((1 + 0.6 * 0.5 * 3 * counts + 0.9 - 2) / 0.6)
    assert found == pytest.approx([1 - p, 0, p])


def test_toml_of_shocks_is_read(tmp_path):
    """The planted shock is a shock: without it the leakage test would prove nothing."""
    assert "[[shocks]]" in to_toml({}, PLANTED["shocks"]["tables"])
    assert made(tmp_path, **PLANTED["shocks"]).dynamics.shocks


class Independent:
    """In the place of the sampler: independent draws by the exact engine, on the whole layout; counts its fits."""

    def __init__(self, prepared):
        self.prepared, self.fits = prepared, 0

    def sample(self, data, *, draws, tune, chains, seed):
        self.fits += 1
        day = max(
            d.date_end for d, known in zip(self.prepared.layout.decisions, data.error < 0.4, strict=True) if known
        )
        view = View(self.prepared.layout, day)
        found, _ = exact.sample(known_of(self.prepared, view), draws=draws, chains=chains, seed=seed)
        rng = np.random.default_rng(seed)
        return carry(found, view.layout, self.prepared.layout, rng), {"diverging": np.zeros((chains, draws))}


@pytest.mark.parametrize("refit", ["needed", "always"])
def test_weighted_draws_of_an_earlier_fit_are_the_filter_s_too(tmp_path, monkeypatch, refit):
    """As above with 2,000 draws: 5 Monte Carlo errors of each forecast, of which there are 10."""
    words = ["comply", "comply", "violate", "comply", "violate", "violate", "comply", "comply", "comply", "violate"] * 2
    monkeypatch.setattr(at_origins, "Shared", Independent)
    case = load_case(walk(tmp_path, words[:12]))
    fits = at_origins.Fits(
        models.prepare("coalition", case), **(SAMPLER | {"engine": "nuts", "draws": 1000}), refit=refit
    )
    weighted, errors = 0, []
    for origin in origins(case, learn=2):
        view = View(fits.prepared.layout, origin.day)
        told = fits.at(view)
        found = foretell(known_of(fits.prepared, view), told.draws, origin.targets, 1, weights=told.weights)
        known_words = words[: len(view.layout.decisions)]
        assert abs(found.p[0, 2] - filtered(known_words)[1]) < 5 * max(found.mc_error, 0.005)
        weighted += told.weights is not None
        errors.append(found.mc_error)
    assert fits._shared.fits == len(errors) - weighted
    assert weighted == 0 if refit == "always" else weighted > 4
    assert max(errors) < 0.05


def test_weights_that_cannot_carry_are_followed_by_a_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(at_origins, "Shared", Independent)
    monkeypatch.setattr(at_origins, "good_k", lambda n: -np.inf)
    case = load_case(walk(tmp_path, WORDS))
    fits = at_origins.Fits(models.prepare("coalition", case), **(SAMPLER | {"engine": "nuts"}))
    told = [fits.at(View(fits.prepared.layout, origin.day)) for origin in origins(case, learn=2)]
    assert all(one.weights is None for one in told)
    assert fits._shared.fits == len(told)
