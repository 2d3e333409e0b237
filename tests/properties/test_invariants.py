"""What must hold whatever the numbers are, under the conditions that make it true (design, section 3)."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_compliance import asking, models
from bayes_compliance.case import load_case
from bayes_compliance.forecast import simulate, to_csv
from bayes_compliance.inference import exact
from bayes_compliance.latents import Latents
from bayes_compliance.models import Prepared
from bayes_compliance.rows import Item
from tests.builders import complied, known, normal, quantiles, write_case

ROLES = {"J": 1, "K": -1, "L": 1, "P": 1, "G": 1}


def prepared(folder: Path) -> Prepared:
    return models.prepare("coalition", load_case(folder))


def five_lobbies(folder: Path, scale: str = "log", k: float = 1.0, names: str = "jklpg") -> Path:
    """H owes two rules, F one; every quantity in political weight times k; lobbies by other names on request."""
    j, cost, ell, p, g = names
    pts = {"J": (50, 80, 120), "K": (60, 100, 160), "L": (30, 60, 100)}
    lobbies = [
        {"id": j, "state": "H", "role": "J", "rules": ["r"]},
        {"id": cost, "state": "H", "role": "K"},
        {"id": ell, "state": "H", "role": "L"},
        {"id": p, "state": "H", "role": "P"},
        {"id": g, "state": "H", "role": "G", "rules": ["r"]},
        {"id": "F cost", "state": "F", "role": "K"},
    ]
    judged = [
        quantiles("magnitude", *(k * v for v in pts[role]), lobby)
        for lobby, role in ((j, "J"), (cost, "K"), (ell, "L"))
    ]
    judged += [
        normal(p, 10 * k, 5 * k),
        normal(g, -5 * k, 8 * k),
        quantiles("magnitude", 5 * k, 10 * k, 20 * k, "F cost"),
    ]
    if scale == "linear":
        judged += [known("volatility", 8 * k, lobby) for lobby in (j, cost, ell, "F cost")]
    return write_case(
        folder,
        states=[{"id": "F"}, {"id": "H", "counterparties": ["F"], "threshold": 3.0 * k}],
        rules=[{"id": "r", "states": ["H"]}, {"id": "s", "states": ["F", "H"], "depth": True, "depth_reason": "new"}],
        lobbies=lobbies,
        judgements=judged,
        decisions=[
            complied("2001-05-01", "partial"), complied("2002-05-01", "violate", rule="s"),
            complied("2003-05-01", state="F", rule="s"), complied("2004-05-01"),
        ],
        scale=scale,
        outcomes=3,
        horizon={"until": date(2010, 1, 1), "step_years": 2},
    )  # fmt: skip


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_more_of_a_lobby_moves_compliance_its_own_way(tmp_path, scale):
    case = prepared(five_lobbies(tmp_path, scale))
    draws = Latents(case.layout).draw_all(400, np.random.default_rng(1))
    base = asking.ask_observed(case.model, case.layout, draws)
    own = case.layout.rows.compliance & (case.layout.rows.state == case.layout.state_index["H"])
    for i, lobby in enumerate(case.case.lobbies):
        more = draws | {"magnitude": draws["magnitude"].copy()}
        more["magnitude"][:, i] += 7.0
        change = (asking.ask_observed(case.model, case.layout, more).p_comply - base.p_comply)[:, own]
        if lobby.state == "F":
            assert not change.any()
            continue
        assert (ROLES[lobby.role] * change >= 0).all()
        assert (ROLES[lobby.role] * change).max() > 0.01


@given(st.floats(0.01, 1000), st.sampled_from(["log", "linear"]))
def test_the_unit_of_political_weight_is_free(k, scale):
    with TemporaryDirectory() as place:
        one = prepared(five_lobbies(Path(place, "one"), scale))
        other = prepared(five_lobbies(Path(place, "k"), scale, k))
    draws, scaled = (Latents(c.layout).draw_all(200, np.random.default_rng(2)) for c in (one, other))
    a, b = (asking.ask_observed(c.model, c.layout, d) for c, d in ((one, draws), (other, scaled)))
    assert b.support == pytest.approx(k * a.support, rel=1e-6, abs=1e-6 * k)
    assert b.p_comply == pytest.approx(a.p_comply, abs=1e-6)
    assert b.p_violate == pytest.approx(a.p_violate, abs=1e-6)


def line(folder: Path, decisions: tuple[str, ...], half_life: float | None) -> Path:
    """One state, one rule, one kind, linear scale, known constants, judged q."""
    return write_case(
        folder,
        lobbies=[{"id": role, "state": "H", "role": role, "rules": ["r"]} for role in "JKL"],
        judgements=[
            normal("J", 1.0, 0.7), normal("K", 1.2, 0.5), normal("L", 0.5, 0.3), known("shadow", 0.7),
            known("reciprocity", 0.8), known("decision_noise", 0.6),
            *(known("volatility", v, role) for v, role in ((0.3, "J"), (0.2, "K"), (0.1, "L"))),
        ],
        decisions=[complied(f"{2001 + 2 * i}-03-01", word) for i, word in enumerate(decisions)],
        tables={"dynamics": {"mean_reversion_half_life": half_life}} if half_life else None,
    )  # fmt: skip


@pytest.mark.parametrize("half_life", [None, 3.0])
def test_a_violation_turned_into_compliance_never_lowers_a_later_probability(tmp_path, half_life):
    ahead = [Item("H", "r", date(year, 7, 1), "compliance") for year in (2008, 2020)]
    chance = {}
    for words in itertools.product(("violate", "comply"), repeat=4):
        folder = line(tmp_path / "-".join(words), words, half_life)
        chance[words] = exact.forecast(prepared(folder), ahead, target=1e-5).comply
    for words, p in chance.items():
        for i in np.flatnonzero([word == "violate" for word in words]):
            turned = (*words[:i], "comply", *words[i + 1 :])
            assert (chance[turned] > p - 1e-4).all()
            assert chance[turned][0] > p[0] + 1e-4, "and soon afterwards it raises it"


def test_support_spreads_by_the_volatilities_of_what_counts(tmp_path):
    # Var(S(t) | data) = Var(S(T) | data) + (t - T) sum c_i^2 v_i^2, with c = 1, -1 and w q for L
    case = prepared(line(tmp_path, ("violate", "comply", "comply"), None))
    tree_draws, _ = exact.sample(case, draws=1000, chains=2, seed=3)
    latents = Latents(case.layout)
    ahead = latents.draw(2000, np.random.default_rng(1), ("shock_hazard", "shock_scale"))
    draws = {name: values.reshape(2000, -1) for name, values in tree_draws.items()} | ahead
    draws["shock_hazard"] = np.zeros_like(draws["shock_hazard"])
    found = simulate(case.model, case.layout, draws, 2, seed=1, until=date(2025, 1, 1), step_years=5)
    support = found.dataset["support"].sel(state="H", rule="r").transpose("time", "sample").values
    years = (
        np.array(
            [
                (t - np.datetime64("2005-03-01")).astype("timedelta64[D]").astype(int)
                for t in found.dataset["time"].values
            ]
        )
        / 365.25
    )
    rate = 0.3**2 + 0.2**2 + (0.7 * 0.8 * 0.1) ** 2
    now = asking.ask_observed(case.model, case.layout, draws).support[:, -1].var()
    expected = now + rate * years
    error = expected * np.sqrt(2 / support.shape[1])
    assert (abs(support.var(axis=1) - expected) < 4 * error).all()  # false-alarm rate 6e-5 for each of 4 dates
    assert (abs(support.var(axis=1) - now - 0.5 * rate * years) > 4 * error)[-1], "half the rate must be refused"


def forecast_bytes(folder: Path) -> str:
    case = prepared(folder)
    draws = Latents(case.layout).draw_all(80, np.random.default_rng(1))
    return to_csv(simulate(case.model, case.layout, draws, 2, seed=1).table)


def test_shuffled_rows_give_the_same_bytes(tmp_path):
    folder = five_lobbies(tmp_path)
    before = forecast_bytes(folder)
    for name in ("judgements.csv", "decisions.csv"):
        header, *rows = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join([header, *rows[::-1]]) + "\n")
    assert forecast_bytes(folder) == before


def test_relabelled_lobbies_have_the_same_log_density(tmp_path):
    found = {}
    for names in ("jklpg", "qcaze"):
        case = prepared(five_lobbies(tmp_path / names, names=names))
        model = case.model.build(case.layout)
        found[names] = case, model, model.compile_logp(mode="FAST_COMPILE")
    case, model, logp = found["jklpg"]
    renamed = dict(zip("jklpg", "qcaze", strict=True)) | {"F cost": "F cost"}
    rng = np.random.default_rng(3)
    point = {name: value + 0.1 * rng.standard_normal(value.shape) for name, value in model.initial_point().items()}
    other, _, other_logp = found["qcaze"]
    mapped = {
        name: value[_same_item(case, other, name, renamed)] if value.ndim and len(value) else value
        for name, value in point.items()
    }
    assert float(other_logp(mapped)) == pytest.approx(float(logp(point)), abs=1e-10)


def _same_item(case: Prepared, other: Prepared, name: str, renamed: dict[str, str]) -> np.ndarray:
    """For each item of a variable under the other names, its position under the first."""
    variable = name.removesuffix("_log__").removesuffix("_logodds__").removesuffix("_interval__")
    first, second = (_items(c, variable) for c in (case, other))
    first = [tuple(renamed.get(part, part) for part in item) for item in first]
    return np.array([first.index(item) for item in second])


def _items(case: Prepared, variable: str) -> list[tuple[str, ...]]:
    from bayes_compliance.latents import groups

    layout, latents = case.layout, Latents(case.layout)
    labels = {"innovation": layout.coords["knot"], "spread": layout.coords["pair"]}
    if variable in labels:
        return [tuple(label.split(" | ")) for label in labels[variable]]
    for quantity in latents.names:
        if len(latents.free[quantity]) and variable in groups(latents, quantity):
            names = (
                [b.id for b in layout.case.lobbies] if latents.dims[quantity] == "lobby" else list(layout.state_index)
            )
            return [(names[i],) for i in groups(latents, quantity)[variable]]
    raise AssertionError(variable)
