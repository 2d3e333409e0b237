"""Pools: the logarithmic one in closed form and on a grid; Cooke's scores against tables worked by hand."""

from __future__ import annotations

from datetime import date
from math import erfc, exp, log, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bayes_compliance.case import CaseError, Seed, load_case
from bayes_compliance.cli import main
from bayes_compliance.elicitation import Component, Prior, build_priors, fit, log_pool
from bayes_compliance.elicitation.cooke import Classical, Performance, assess, calibration, information
from bayes_compliance.errors import Refused
from bayes_compliance.models import prepare
from tests.builders import Z95, quantiles, write_case

NORMALS = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.2, 3), st.floats(0.1, 5)), min_size=2, max_size=4)


@given(NORMALS)
def test_log_pool_of_normals_is_the_precision_weighted_normal(parts):
    (pooled,), _, gap = log_pool([Component("normal", (m, s)) for m, s, _ in parts], [w for *_, w in parts])
    share = np.array([w for *_, w in parts]) / sum(w for *_, w in parts)
    precision = sum(w / s**2 for w, (_, s, _) in zip(share, parts, strict=True))
    mean = sum(w * m / s**2 for w, (m, s, _) in zip(share, parts, strict=True)) / precision
    assert pooled.parameters == pytest.approx((mean, precision**-0.5), rel=1e-9, abs=1e-9)
    assert gap == 0


@pytest.mark.parametrize("family", ["lognormal", "logit-normal", "gamma", "beta", "normal"])
def test_log_pool_is_proportional_to_the_weighted_product(family):
    parts, weights = [Component(family, (0.8, 0.6)), Component(family, (1.9, 1.1))], (1.0, 3.0)
    (pooled,), _, _ = log_pool(parts, weights)
    x = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    product = 0.25 * parts[0].distribution.logpdf(x) + 0.75 * parts[1].distribution.logpdf(x)
    assert np.ptp(pooled.distribution.logpdf(x) - product) < 1e-9


def test_log_pool_of_one_is_itself():
    assert log_pool([Component("student-t", (4.0, 0.0, 1.0))], [2.0]).components[0].family == "student-t"


@pytest.mark.parametrize(
    ("parts", "support"),
    [
        ([Component("student-t", (4.0, 0.0, 1.0)), Component("normal", (2.0, 1.0))], (-np.inf, np.inf)),
        ([Component("gamma", (3.0, 2.0)), Component("lognormal", (1.0, 0.5))], (0, np.inf)),
        ([Component("normal", (1.0, 2.0)), Component("lognormal", (1.0, 0.5))], (0, np.inf)),
        ([Component("beta", (2.0, 5.0)), Component("logit-normal", (0.0, 1.0))], (0, 1)),
        ([Component("student-t", (4.0, -6.0, 0.5)), Component("student-t", (4.0, 6.0, 0.5))], (-np.inf, np.inf)),
    ],
)
def test_log_pool_without_closed_form_comes_near_the_product(parts, support):
    pooled = log_pool(parts, [1.0, 1.0])
    low, high = max(-60.0, support[0]), min(60.0, support[1])
    x = np.linspace(low, high, 400_001)[1:-1]
    density = np.exp(sum(0.5 * part.distribution.logpdf(x) for part in parts))
    cdf = np.cumsum(density) / density.sum()
    fitted = sum(w * c.distribution.cdf(x) for w, c in zip(pooled.weights, pooled.components, strict=True))
    assert sum(pooled.weights) == pytest.approx(1)
    assert abs(fitted - cdf).max() < 0.02
    assert pooled.gap == pytest.approx(abs(fitted - cdf).max(), abs=0.003)


def cdf_by_quadrature(parts, weights, at):
    """The logarithmic pool's distribution function at rising points, which its mass lies between."""
    share = np.array(weights) / sum(weights)

    def log_density(x):
        return sum(w * part.logpdf(x) for w, part in zip(share, parts, strict=True))

    nodes, shares = np.polynomial.legendre.leggauss(12)
    half = np.diff(at)[:, None] / 2
    log_height = log_density(at[:-1, None] + half * (1 + nodes))
    pieces = (half * shares * np.exp(log_height - log_height.max())).sum(axis=1)
    return np.concatenate([[0.0], np.cumsum(pieces)]) / np.sum(pieces)


T95 = stats.t(4).ppf(0.95)
WIDE_T = [
    ((20 / T95, 0.0), (1.0, 0.1 / Z95), (1.0, 1.0), (0.3, 1.7)),
    ((20 / T95, 0.0), (0.0, 0.1 / Z95), (1.0, 1.0), (-0.7, 0.7)),
    ((5 / T95, 0.0), (1.0, 0.1 / Z95), (1.0, 1.0), (0.3, 1.7)),
    ((20 / T95, 0.0), (1.0, 0.1 / Z95), (9.0, 1.0), (-0.5, 2.5)),
]


@pytest.mark.parametrize(("wide", "narrow", "weights", "ends"), WIDE_T)
def test_a_narrow_analyst_beside_a_wide_student_t(wide, narrow, weights, ends):
    pooled = log_pool([Component("student-t", (4.0, wide[1], wide[0])), Component("normal", narrow)], weights)
    x = np.linspace(*ends, 401)
    below = cdf_by_quadrature([stats.t(4, wide[1], wide[0]), stats.norm(*narrow)], weights, x)
    prior = Prior(pooled.components, pooled.weights)
    assert prior.quantile() == pytest.approx(np.interp([0.05, 0.5, 0.95], below, x), abs=2e-3)
    true_gap = abs(prior.cdf(x) - below).max()
    assert true_gap - 1e-4 <= pooled.gap <= max(true_gap + 1e-4, 0.001)


def test_a_narrow_analyst_beside_a_wide_student_t_by_the_numbers():
    pooled = log_pool([fit("student-t", (-20, 0, 20)), fit("normal", (0.9, 1, 1.1))], [1.0, 1.0])
    assert Prior(pooled.components, pooled.weights).quantile() == pytest.approx([0.8585, 0.99995, 1.1414], abs=5e-4)


@pytest.mark.parametrize(
    ("parts", "truths", "weights", "points"),
    [
        # narrow and opposed: the pool is where no member is, and a coarse grid steps over it
        ([Component("normal", (0.0, 0.01)), Component("normal", (1.0, 0.01)), Component("student-t", (4.0, 0.0, 9.4))],
         [stats.norm(0, 0.01), stats.norm(1, 0.01), stats.t(4, 0, 9.4)], (1.0, 1.0, 1.0), np.linspace(0.4, 0.6, 201)),
        # of little weight: the pool reaches beyond all members
        ([Component("normal", (-3.2, 1.7)), Component("skew-normal", (7.9, 0.011, 6.0))],
         [stats.norm(-3.2, 1.7), stats.skewnorm(6, 7.9, 0.011)], (4.0, 1.0), np.linspace(7.86, 8.1, 301)),
        # two spikes with long tails
        ([Component("student-t", (4.0, 0.0, 1e-3)), Component("student-t", (4.0, 5.0, 1e-3))],
         [stats.t(4, 0, 1e-3), stats.t(4, 5, 1e-3)], (1.0, 1.0),
         np.unique(np.concatenate([a + s * np.geomspace(1e-5, 100, 161) for a in (0, 5) for s in (-1, 1)]))),
    ],
)  # fmt: skip
def test_the_gap_told_is_the_largest(parts, truths, weights, points):
    pooled = log_pool(parts, weights)
    below = cdf_by_quadrature(truths, weights, points)
    true_gap = abs(Prior(pooled.components, pooled.weights).cdf(points) - below).max()
    assert true_gap - 2e-4 <= pooled.gap <= true_gap + 5e-4


def test_opposed_student_t_analysts_stay_two_peaks_in_the_log_pool():
    parts = [Component("student-t", (4.0, -6.0, 0.5)), Component("student-t", (4.0, 6.0, 0.5))]
    pooled = log_pool(parts, [1.0, 1.0])
    at = [sum(w * np.exp(c.distribution.logpdf(x)) for w, c in zip(*pooled[1::-1], strict=True)) for x in (-6.0, 0, 6)]
    assert min(at[0], at[2]) > 2 * at[1]


def chi2_tail(x: float) -> float:
    """P(chi2 with 3 degrees of freedom > x) in closed form."""
    return erfc(sqrt(x / 2)) + sqrt(2 * x / pi) * exp(-x / 2)


def test_calibration_by_hand():
    # 20 answers as they should be: 1, 9, 9, 1
    assert calibration([1, 9, 9, 1]) == pytest.approx(1.0)
    # ten answers: 3 below p05, 3 up to p50, 2 up to p95, 2 above
    divergence = 0.3 * log(0.3 / 0.05) + 0.3 * log(0.3 / 0.45) + 0.2 * log(0.2 / 0.45) + 0.2 * log(0.2 / 0.05)
    assert divergence == pytest.approx(0.530961, abs=1e-6)
    assert calibration([3, 3, 2, 2]) == pytest.approx(chi2_tail(2 * 10 * divergence), rel=1e-9)
    # all ten above p95: I = ln 20, and so bad a fit is out of the question
    assert calibration([0, 0, 0, 10]) == pytest.approx(chi2_tail(20 * log(20)), rel=1e-6)


def test_information_by_hand():
    # spread evenly between 0 and 10, with p05 .5, p50 5, p95 9.5: nothing is told
    assert information(np.array([0.5, 5.0, 9.5]), 0, 10) == pytest.approx(0, abs=1e-12)
    by_hand = log(10) + 0.05 * log(0.05 / 4) + 0.45 * log(0.45 / 1) + 0.45 * log(0.45 / 1) + 0.05 * log(0.05 / 4)
    assert information(np.array([4.0, 5.0, 6.0]), 0, 10) == pytest.approx(by_hand, rel=1e-12)


def seed(analyst: str, question: str, p05: float, p50: float, p95: float, truth: float, scale: str = "uniform") -> Seed:
    day = date(2000, 1, 1)
    return Seed(
        analyst=analyst, question=question, p05=p05, p50=p50, p95=p95, realisation=truth, scale=scale, date=day,
        date_end=day,
    )  # fmt: skip


def two_analysts() -> list[Seed]:
    """Ten questions: `good` has the truth where it should be, `bold` is narrow and mostly wrong."""
    truths = [0.5, 2, 3, 4, 4.5, 5.5, 6, 7, 8, 9.9]
    return [s for i, t in enumerate(truths) for s in (
        seed("good", f"q{i}", 1, 5, 9, t), seed("bold", f"q{i}", 4.8, 5, 5.2, t)
    )]  # fmt: skip


def test_the_classical_model_by_hand():
    found = {one.analyst: one for one in assess(two_analysts()).analysts}
    # good: 1 below, 4 up to p50, 4 up to p95, 1 above
    good = 0.1 * log(0.1 / 0.05) + 0.4 * log(0.4 / 0.45) + 0.4 * log(0.4 / 0.45) + 0.1 * log(0.1 / 0.05)
    bold = 0.5 * log(0.5 / 0.05) + 0.5 * log(0.5 / 0.05)
    assert found["good"].calibration == pytest.approx(chi2_tail(20 * good), rel=1e-9)
    assert found["bold"].calibration == pytest.approx(chi2_tail(20 * bold), rel=1e-6)
    # ranges: truth and quantiles span 1 to 9 but for the first and last questions; a tenth more on each side
    spans = [(0.5, 9.0), *[(1.0, 9.0)] * 8, (1.0, 9.9)]
    told = []
    for low, high in spans:
        low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
        widths = [1 - low, 4, 4, high - 9]
        told.append(
            log(high - low) + sum(p * log(p / w) for p, w in zip((0.05, 0.45, 0.45, 0.05), widths, strict=True))
        )
    assert found["good"].information == pytest.approx(np.mean(told), rel=1e-9)
    assert found["bold"].weight < 1e-6
    assert found["good"].weight == pytest.approx(1, abs=1e-6)


def test_the_threshold_does_not_make_the_pool_worse():
    classical = assess(two_analysts())
    best = max(one.calibration * one.information for one in classical.analysts)
    assert classical.calibration * classical.information >= best - 1e-12
    assert classical.threshold in [one.calibration for one in classical.analysts]


def test_a_log_scale_question_counts_in_logs():
    plain = assess([seed("a", "q", 1, 2, 4, 3), seed("b", "q", 0.5, 2, 8, 3)])
    logs = assess([seed("a", "q", exp(1), exp(2), exp(4), exp(3), "log"),
                   seed("b", "q", exp(0.5), exp(2), exp(8), exp(3), "log")])  # fmt: skip
    assert [one[2:] for one in logs.analysts] == [pytest.approx(one[2:]) for one in plain.analysts]


@pytest.mark.parametrize(("truth", "counts"), [(1.0, (1, 0, 0, 0)), (5.0, (0, 1, 0, 0)), (9.0, (0, 0, 1, 0))])
def test_an_answer_on_a_quantile_lies_below_it(truth, counts):
    (one,) = assess([seed("a", "q", 1.0, 5.0, 9.0, truth)]).analysts
    assert one.calibration == pytest.approx(calibration(counts))


def test_of_thresholds_with_one_pool_it_is_the_lowest():
    """Who always errs on one side has no weight either way."""
    seeds = [seed("bad", f"q{i}", 10.0, 11.0, 12.0, 50.0) for i in range(300)]
    found = assess([*seeds, *(seed("good", f"q{i}", 40.0, 45.0 + 10 * (i % 2), 60.0, 50.0) for i in range(300))])
    bad, good = found.analysts
    assert bad.calibration == found.threshold == 0
    assert good.weight == 1


def test_who_answers_less_is_not_favoured():
    some = [s for s in two_analysts() if s.analyst == "good" or s.question in ("q0", "q1", "q2", "q3", "q4")]
    found = {one.analyst: one for one in assess(some).analysts}
    good = 0.1 * log(0.1 / 0.05) + 0.4 * log(0.4 / 0.45) + 0.4 * log(0.4 / 0.45) + 0.1 * log(0.1 / 0.05)
    assert (found["good"].questions, found["bold"].questions) == (10, 5)
    assert found["good"].calibration == pytest.approx(chi2_tail(2 * 5 * good), rel=1e-9)


def test_a_pool_of_all_is_not_beaten_by_who_answers_less():
    # a answers 20 questions with 3, 13, 4 and 0 truths in the four intervals; b spreads over everything and answers 4
    truths = np.random.default_rng(0).normal(size=20)
    seeds = [seed("a", f"q{i}", -1.045, 0.6, 2.245, t) for i, t in enumerate(truths)]
    classical = assess(seeds + [seed("b", f"q{i}", -3, 0, 3, t) for i, t in enumerate(truths[:4])])
    a, b = classical.analysts
    assert (a.questions, b.questions) == (20, 4)
    assert classical.weights == pytest.approx({"a": 0.865044, "b": 0.134956}, abs=1e-6)
    # no true answer falls into another interval of the pool than of a's, so at the common 4 answers it scores as a does
    assert classical.calibration == pytest.approx(a.calibration)
    assert classical.calibration * classical.information > b.calibration * b.information


LOBBIES = ({"id": "k", "state": "H", "role": "K"}, {"id": "j", "state": "H", "role": "J"})
JUDGED = [
    quantiles("magnitude", 60, 100, 140, "k", analyst="good"),
    quantiles("magnitude", 10, 20, 30, "k", analyst="bold", weight=5),
    quantiles("magnitude", 20, 40, 60, "j", analyst="someone else"),
]


def case_with_seeds(folder, seeds):
    place = write_case(folder, lobbies=LOBBIES, judgements=JUDGED)
    lines = ["date,analyst,question,scale,p05,p50,p95,realisation,source"]
    lines += [f"2000,{s.analyst},{s.question},{s.scale},{s.p05},{s.p50},{s.p95},{s.realisation}," for s in seeds]
    if seeds:
        (place / "seeds.csv").write_text("\n".join(lines), encoding="utf-8")
    return place


def test_one_argument_chooses_the_pool(tmp_path):
    case = load_case(case_with_seeds(tmp_path, two_analysts()))
    linear, logarithmic, cooke = (build_priors(case, pool=how).quantities["magnitude"].priors[1] for how in
                                  ("linear", "log", "cooke"))  # fmt: skip
    assert linear.weights == pytest.approx((1 / 6, 5 / 6)) or linear.weights == pytest.approx((5 / 6, 1 / 6))
    sds = np.array([80, 20]) / (2 * stats.norm.ppf(0.95))
    tau = np.array([1, 5]) / 6 / sds**2
    (component,) = logarithmic.components
    assert component.parameters == pytest.approx(((tau @ [100, 20]) / tau.sum(), tau.sum() ** -0.5))
    assert cooke.median == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize(
    ("good", "bold", "weights", "notes"),
    [
        (0.75, 0.25, {"bold": 0.25, "good": 0.75}, 0),
        (1.0, 0.0, {"good": 1.0}, 0),
        (0.0, 0.0, {"bold": 0.5, "good": 0.5}, 1),
    ],
)
def test_pool_cooke_weighs_by_performance_alone(tmp_path, monkeypatch, good, bold, weights, notes):
    """Whatever weights are judged; who is alone with a quantity needs no seed, and all without weight count alike."""
    did = Classical((Performance("bold", 9, 0.1, 1, bold), Performance("good", 9, 0.5, 1, good)), 0.1, 0.5, 1)
    monkeypatch.setattr("bayes_compliance.elicitation.cooke.assess", lambda seeds: did)
    priors = build_priors(load_case(case_with_seeds(tmp_path, two_analysts())), pool="cooke")
    j, k = priors.quantities["magnitude"].priors
    who = {20: "bold", 100: "good"}
    found = {who[round(float(c.quantiles(0.5)))]: w for w, c in zip(k.weights, k.components, strict=True)}
    assert found == pytest.approx(weights)
    assert j.weights == (1.0,)
    assert priors.notes == ("magnitude of k: no analyst has weight; all alike",) * notes


def test_k_ref_is_of_the_first_rule_with_any_k(tmp_path):
    """On a there is no K, on b two of them, one with a median below 0, on c a third."""
    on = {"j": "a", "k": "b", "m": "b", "n": "c"}
    lobbies = [{"id": b, "state": "H", "role": "J" if b == "j" else "K", "rules": [rule]} for b, rule in on.items()]
    judged = [quantiles("magnitude", mid - 1, mid, mid + 1, b) for b, mid in zip(on, (7, 60, -40, 500), strict=True)]
    rules = [{"id": rule, "states": ["H"]} for rule in "abc"]
    priors = build_priors(load_case(write_case(tmp_path, rules=rules, lobbies=lobbies, judgements=judged)))
    assert priors.k_ref == {"H": pytest.approx(100)}


def test_the_gap_of_a_log_pool_is_said_and_not_rounded_down(tmp_path):
    judged = [
        quantiles("magnitude", -20, 0, 20, "k", analyst="wide", family="student-t"),
        quantiles("magnitude", 0.9, 1, 1.1, "k", analyst="narrow", family="normal"),
        JUDGED[2],
    ]
    case = load_case(write_case(tmp_path, lobbies=LOBBIES, judgements=judged))
    priors = build_priors(case, pool="log")
    (note,) = [one for one in priors.notes if one.startswith("magnitude of k: no closed form")]
    assert note.endswith("off by at most 0.001")
    assert build_priors(case).notes == ()


def test_pool_cooke_asks_for_answers_of_all_who_are_pooled(tmp_path):
    none = case_with_seeds(tmp_path / "none", [])
    header = "date,analyst,question,scale,p05,p50,p95,realisation,source"
    with pytest.raises(Refused, match=rf"^--pool: .* has no such file; allowed: .* {header} and .* bold and good, or"):
        build_priors(load_case(none), pool="cooke")
    (none / "seeds.csv").write_text(f"{header}\n")
    with pytest.raises(CaseError, match=r"seeds\.csv:1: analyst: analyst 'bold' answers no seed question"):
        build_priors(load_case(none), pool="cooke")
    alone = load_case(none)
    alone = alone.model_copy(update={"judgements": tuple(j for j in alone.judgements if j.analyst != "bold")})
    with pytest.raises(CaseError, match="analyst: there is no seed question, which pool cooke weighs by; allowed"):
        build_priors(alone, pool="cooke")
    only = [s for s in two_analysts() if s.analyst == "bold"]
    with pytest.raises(CaseError, match="analyst 'good' answers no seed question"):
        build_priors(load_case(case_with_seeds(tmp_path / "one", only)), pool="cooke")


def test_an_unknown_pool_is_refused(tmp_path):
    with pytest.raises(Refused, match="--pool: 'mean' is no pool; allowed: linear, log, cooke"):
        build_priors(load_case(case_with_seeds(tmp_path, [])), pool="mean")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("q0,uniform,1.0,5.0,9.0", "q0,uniform,1.0,5.0,5.0", "p05: 1, 5, 5 do not rise"),
        ("q0,uniform,1.0,5.0,9.0", "q0,log,1.0,5.0,9.0", "scale: .* differs from row"),
        ("good,q0,uniform,1.0,5.0,9.0,0.5", "good,q0,uniform,1.0,5.0,9.0,0.6", "realisation: .* differs from row"),
        ("good,q1,", "good,q0,", "question: 'good' answers this in row 2 already"),
        ("good,q0,uniform", "good,q0,linear", "scale: 'linear' is unknown"),
        ("good,q0,", "good,,", "question: the cell is blank"),
        ("good,q0,uniform,1.0,5.0,9.0,0.5", "good,q0,log,1.0,5.0,9.0,0", "scale: log beside 0"),
    ],
)
def test_seeds_that_do_not_fit_are_refused(old, new, words, tmp_path):
    place = case_with_seeds(tmp_path, two_analysts())
    text = (place / "seeds.csv").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (place / "seeds.csv").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CaseError, match=rf"seeds\.csv:\d+: {words}.*; allowed: "):
        load_case(place)


def test_a_seed_without_a_scale_is_uniform(tmp_path):
    place = case_with_seeds(tmp_path, two_analysts())
    before = load_case(place)
    text = (place / "seeds.csv").read_text(encoding="utf-8")
    (place / "seeds.csv").write_text(text.replace(",uniform,", ",,"), encoding="utf-8")
    assert load_case(place).seeds == before.seeds


DEFAULTS = {
    ("decision_noise", "H"): (60, 60, 60), ("rule_spread", "H"): (0.2, 0.45, 1),
    ("rule_spread_points", "H"): (15, 15, 15), ("partial_width", "H"): (20, 40, 80), ("shadow", "H"): (0.5, 0.75, 0.92),
    ("trust", "H"): (1, 3, 10), ("shock_hazard", "H"): (0.03, 0.03, 0.03), ("shock_scale", "H"): (4, 4, 4),
    ("volatility", "k"): (0.03, 0.08, 0.22), ("volatility", "p"): (3, 8, 22), ("step", "p"): (4, 10, 27),
}  # fmt: skip
"""What stands where nothing is judged, with a K_ref of 100 points: see the design, section 4."""


def test_defaults_are_those_of_the_design(tmp_path):
    lobbies = [{"id": "k", "state": "H", "role": "K"}, {"id": "p", "state": "H", "role": "P"}]
    judged = [quantiles("magnitude", 50, 100, 200, "k"), quantiles("magnitude", -1, 0, 1, "p")]
    case = load_case(write_case(tmp_path, lobbies=lobbies, judgements=judged, scale="log", outcomes=3))
    priors = build_priors(case)
    found = {(one.quantity, one.name): one.quantiles for one in priors.defaults}
    assert found.keys() == DEFAULTS.keys()
    for key, values in DEFAULTS.items():
        assert found[key] == pytest.approx(values), key
    k, p = priors.quantities["volatility"].priors
    assert p.quantile([0.05, 0.5, 0.95]) == pytest.approx((3, 8, 22), rel=0.02)
    assert p.quantile([0.9999]) > 22, "points have no upper end"
    assert k.quantile([0.9999]) < 0.5


def test_what_is_judged_of_a_state_stands_alone_for_it(tmp_path):
    """The row of all states holds for the others."""
    states, rules = [{"id": "F"}, {"id": "H"}], [{"id": "r", "states": ["F", "H"]}]
    lobbies = [{"id": s, "state": s, "role": "K"} for s in "FH"]
    judged = [quantiles("magnitude", 50, 100, 200, s) for s in "FH"]
    judged += [
        quantiles("decision_noise", 9, 10, 11),
        quantiles("decision_noise", 90, 100, 110, state="H", analyst="b"),
    ]
    case = load_case(write_case(tmp_path, states=states, rules=rules, lobbies=lobbies, judgements=judged))
    f, h = build_priors(case).quantities["decision_noise"].priors
    assert (len(f.components), len(h.components)) == (1, 1)
    assert (f.median, h.median) == (pytest.approx(10, rel=0.01), pytest.approx(100, rel=0.01))


@pytest.mark.parametrize("family", ["gamma", "lognormal"])
def test_twice_the_noise_has_twice_its_quantiles(tmp_path, family):
    judged = [*JUDGED, quantiles("decision_noise", 9, 10, 14, family=family)]
    case = load_case(write_case(tmp_path, lobbies=LOBBIES, judgements=judged))
    once, twice = (build_priors(case, by).quantities["decision_noise"].priors[0] for by in (1.0, 2.0))
    levels = [0.01, 0.05, 0.5, 0.95, 0.99]
    assert twice.quantile(levels) == pytest.approx(2 * np.array(once.quantile(levels)), rel=1e-9)


def test_the_pool_is_recorded_and_refused_before_anything_is_written(tmp_path, capsys):
    place = case_with_seeds(tmp_path / "case", [])
    assert main(["run", str(place), "--out", str(tmp_path / "run"), "--pool", "mean"]) == 2
    assert capsys.readouterr().err.startswith("--pool: 'mean' is no pool; allowed: linear, log, cooke")
    assert not (tmp_path / "run").exists()
    assert prepare("coalition", load_case(place), pool="log").priors.pool == "log"
