"""What is kept of a compiled model gives the same draws as compiling it, and never another model's."""

import os
import py_compile
import shutil
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor
import pytest

from bayes_compliance import models
from bayes_compliance.inference import compiled, machine, nuts, origin
from bayes_compliance.latents import Latents, by_form, flat, starts
from bayes_compliance.validation.shared import Shared, seen, with_outcomes
from tests.models.cases import constants, two_states
from tests.models.test_density import point

SIZE = {"draws": 20, "tune": 50, "chains": 2, "seed": 3}
BUILT_FROM = origin.built_from
JUDGED = constants(trust=2.0)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return two_states(tmp_path_factory.mktemp("case"))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty folder for compiled models, with keys as users have them."""
    monkeypatch.setenv(machine.CACHE, str(tmp_path / "kept"))
    monkeypatch.setattr(origin, "built_from", BUILT_FROM)
    return tmp_path / "kept"


@pytest.fixture(scope="module")
def once(case, tmp_path_factory):
    """What a first fit keeps, and its draws."""
    place = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(machine.CACHE, str(place))
        patch.setattr(origin, "built_from", BUILT_FROM)
        return place, drawn(models.prepare("coalition", case))


def drawn(prepared):
    draws, stats, _ = nuts.sample(prepared.model, prepared.layout, **SIZE)
    return {name: values.tobytes() for name, values in (draws | stats).items()}


def without_building(prepared):
    def build(layout):
        raise AssertionError("built")

    build.__module__, build.__qualname__ = (getattr(prepared.model.build, x) for x in ("__module__", "__qualname__"))
    return prepared._replace(model=models.altered(prepared.model, build=build))


def test_draws_are_the_same_bytes_compiled_read_back_and_with_nothing_kept(case, once, kept, monkeypatch):
    prepared = models.prepare("coalition", case)
    shutil.copytree(once[0], kept)
    assert drawn(without_building(prepared)) == once[1]
    monkeypatch.setenv(machine.CACHE, "off")
    assert drawn(prepared) == once[1]
    with pytest.raises(AssertionError, match="built"):
        drawn(without_building(prepared))


def test_nutpie_compiles_to_the_same_draws(case, kept):
    import nutpie

    prepared = models.prepare("coalition", case)
    built = prepared.model.build(prepared.layout)
    names = [variable.name for variable in built.free_RVs]
    pytensor.config.numba__fastmath = False
    found = nuts.run(compiled.of_model(built, names), progress=False, **SIZE)
    theirs = nutpie.sample(
        nutpie.compile_pymc_model(built, var_names=names), **SIZE, progress_bar=False,
        target_accept=found.attrs["target_accept"],
    )  # fmt: skip
    assert {name: found.draws[name].tobytes() for name in names} == {
        name: theirs["posterior"][name].values.tobytes() for name in names
    }


@pytest.mark.parametrize("harm", ["*.nbc", "*.json", "callbacks.py", "folder"])
def test_what_is_kept_and_spoilt_is_made_anew(case, once, kept, harm):
    if harm == "folder":
        kept.write_text("in the way")
    else:
        shutil.copytree(once[0], kept)
        for file in kept.rglob(harm):
            file.write_bytes(b"spoilt")
    assert drawn(models.prepare("coalition", case)) == once[1]


def test_what_python_keeps_of_the_callbacks_and_is_spoilt_is_made_anew(case, once, kept):
    shutil.copytree(once[0], kept)
    (source,) = kept.rglob("callbacks.py")
    code = Path(py_compile.compile(str(source), doraise=True))
    head = code.read_bytes()[:16]  # which says of what source it is
    code.write_bytes(head + b"spoilt")
    assert drawn(models.prepare("coalition", case)) == once[1]
    assert drawn(models.prepare("coalition", case)) == once[1]
    assert list(source.parent.rglob("*.nbc"))  # and kept again


def test_the_key_is_another_for_whatever_the_model_would_build_from(case, tmp_path):
    prepared = models.prepare("coalition", case)
    model, layout = prepared.model, prepared.layout
    other = 2 - layout.outcome
    keys = [
        BUILT_FROM(model, layout),
        BUILT_FROM(model, with_outcomes(layout, other)),
        BUILT_FROM(model, models.prepare("coalition", two_states(tmp_path / "b", judgements=JUDGED)).layout),
        BUILT_FROM(models.load("opportunism"), layout),
    ]
    assert len(set(keys)) == len(keys)
    assert BUILT_FROM(model, models.prepare("coalition", case).layout) == keys[0]
    assert BUILT_FROM(model, models.prepare("coalition", case, noise_scale=1.1).layout) == keys[0]


def test_a_model_of_the_users_own_has_no_key(case, tmp_path):
    file = tmp_path / "own.py"
    file.write_text("from bayes_compliance.models import load\nsupport = load('coalition').support\n\n\n"
                    "def build(layout):\n    return load('coalition').build(layout)\n")  # fmt: skip
    prepared = models.prepare(str(file), case)
    assert BUILT_FROM(prepared.model, prepared.layout) is None


def test_data_take_the_place_of_others_of_the_same_shape_only(kept):
    with pm.Model() as built:
        data = pytensor.shared(np.zeros(3), name="data")
        mean = pm.Normal("mean")
        pm.Potential("seen", -((data - mean) ** 2).sum() * 50)
    one = compiled.of_model(built, ["mean"])
    means = [nuts.run(one.with_data(data=np.full(3, x)), progress=False, **SIZE).draws["mean"].mean() for x in (-1, 2)]
    np.testing.assert_allclose(means, [-1, 2], atol=0.1)
    with pytest.raises(ValueError, match=r"data has shape \(2,\); compiled for \(3,\)"):
        one.with_data(data=np.zeros(2))
    with pytest.raises(ValueError, match="other is no data of the model; allowed: data"):
        one.with_data(other=np.zeros(3))


def test_data_without_names_are_told_apart(kept):
    """Of a user's own model, say: both arrays have one shape, and a mask of its own type."""
    with pm.Model() as built:
        mask = pytensor.shared(np.array([True, True, False]))
        below, above = (pytensor.shared(np.array([x, x, 99.0])) for x in (1.0, 5.0))
        mean = pm.Normal("mean")
        pm.Potential("seen", -(mask * ((below - mean) ** 2 + (above - mean) ** 2)).sum() * 50)
    drawn = nuts.run(compiled.of_model(built, ["mean"]), progress=False, **SIZE).draws["mean"]
    np.testing.assert_allclose(drawn.mean(), 3, atol=0.1)


@pytest.mark.parametrize(
    "name",
    ["coalition", *(pytest.param(one, marks=pytest.mark.slow) for one in ("information", "opportunism", "spells"))],
)
def test_the_graph_is_the_same_whatever_is_judged(case, name, kept):
    """What another judgement changes is data; a key without judgements leads to the right machine code."""
    twice = [j.model_copy(update={p: 2 * getattr(j, p) for p in ("p05", "p50", "p95")}) for j in case.judgements]
    one, two = (models.prepare(name, c) for c in (case, case.model_copy(update={"judgements": tuple(twice)})))
    assert not np.array_equal(flat(one.layout), flat(two.layout))
    assert BUILT_FROM(one.model, one.layout) == BUILT_FROM(two.model, two.layout)
    drawn(one)
    first = {file: file.read_bytes() for file in kept.glob("*/*.json")}
    theirs = drawn(without_building(two))
    assert {file: file.read_bytes() for file in kept.glob("*/*.json")} == first
    for file in first:
        file.unlink()
    assert drawn(two) == theirs
    assert len(list(kept.glob("*/callbacks.py"))) == 1


def test_a_model_for_many_data_is_read_back_too(case, kept):
    prepared = models.prepare("coalition", case)
    known = np.ones(len(prepared.layout.rows), bool)
    known[-2:] = False
    data = seen(prepared.layout, known)
    first, _ = Shared(prepared).sample(data, **SIZE)
    again, _ = Shared(without_building(prepared)).sample(data, **SIZE)
    assert {name: values.tobytes() for name, values in first.items()} == {n: v.tobytes() for n, v in again.items()}
    # negative control: with all decisions known the draws are others
    other, _ = Shared(without_building(prepared)).sample(seen(prepared.layout, known | True), **SIZE)
    assert other["magnitude"].tobytes() != first["magnitude"].tobytes()


def test_the_first_points_are_the_prior_medians_with_jitter(case):
    prepared = models.prepare("coalition", case)
    built = prepared.model.build(prepared.layout)
    names = [variable.name for variable in built.free_RVs]
    support = starts(prepared.layout)
    assert list(support) == names
    latents = Latents(prepared.layout)
    medians = {label: np.array([prior.median for prior in priors]) for label, priors in by_form(latents).items()} | {
        name: support[name] for name in ("innovation", "spread")
    }
    expected = point(built, medians)
    for name, value in zip(names, (built.rvs_to_values[v].name for v in built.free_RVs), strict=True):
        np.testing.assert_allclose(support[name], expected[value], rtol=1e-12, atol=1e-12)
    drawn = compiled.Start(support)(names, 5) - np.concatenate([support[name] for name in names])
    assert -1 <= drawn.min() < -0.9
    assert 0.9 < drawn.max() <= 1


def test_a_model_with_a_variable_of_its_own_starts_as_pymc_does(case, kept):
    prepared = models.prepare("coalition", case)

    def build(layout):
        with prepared.model.build(layout) as built:
            pm.Normal("more")
        return built

    model = models.altered(prepared.model, build=build)
    made = compiled.of_layout(model, prepared.layout, lambda: build(prepared.layout))
    assert "more" in made.names
    assert nuts.run(made, progress=False, **SIZE).draws["more"].shape == (2, 20)
    assert not list(kept.glob("*/*.json"))


def test_the_models_used_longest_ago_are_forgotten_and_nothing_else(kept, monkeypatch):
    monkeypatch.setattr(machine, "MOST", 2)
    for age, name in enumerate(["a" * 32, "b" * 32, "c" * 32], start=1):
        (kept / name).mkdir(parents=True)
        (kept / name / "callbacks.py").touch()
        os.utime(kept / name, (age, age))
    (kept / "thesis").mkdir()
    (kept / "thesis" / "callbacks.py").touch()
    (kept / ("d" * 32)).mkdir()
    with pm.Model() as built:
        pm.Normal("x")
    compiled.of_model(built, ["x"])
    left = {one.name for one in kept.iterdir()}
    assert {"thesis", "c" * 32, "d" * 32} < left
    assert len(left) == 4
