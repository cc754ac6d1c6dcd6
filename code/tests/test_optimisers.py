"""Optimisers against PyTorch's, their memory, and schedules."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import optimisers
from unrolled.optimisers import Adagrad, Adam, GradientDescent, Momentum

OURS_AND_THEIRS = {
    "gradient descent": (lambda: GradientDescent(0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": (lambda: Momentum(0.02, 0.8), lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8)),
    "adagrad": (lambda: Adagrad(0.1), lambda p: torch.optim.Adagrad(p, lr=0.1)),
    "adam": (
        lambda: Adam(0.01, 0.85, 0.98, 1e-7),
        lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.85, 0.98), eps=1e-7),
    ),
}
ALL = [GradientDescent, Momentum, Adagrad, Adam]

shapes = st.lists(
    st.one_of(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.tuples(st.integers(0, 7))), min_size=1, max_size=4
)


def arrays(rng, shapes, scale=1.0):
    return {f"W{i}": rng.normal(size=shape) * scale for i, shape in enumerate(shapes)}


@pytest.mark.parametrize("kind", OURS_AND_THEIRS)
@settings(deadline=None, max_examples=15)
@given(shapes=shapes, seed=st.integers(0, 2**32), steps=st.integers(1, 60), scale=st.sampled_from([1e-6, 1.0, 1e4]))
def test_against_torch(kind, shapes, seed, steps, scale):
    rng = np.random.default_rng(seed)
    parameters = arrays(rng, shapes)
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    make, make_theirs = OURS_AND_THEIRS[kind]
    optimiser, their_optimiser = make(), make_theirs(list(theirs.values()))
    for _ in range(steps):
        gradients = arrays(rng, shapes, scale)
        optimiser.update(parameters, gradients)
        for name, value in theirs.items():
            value.grad = torch.tensor(gradients[name])
        their_optimiser.step()
    for name in parameters:
        np.testing.assert_allclose(parameters[name], theirs[name].detach().numpy(), rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.parametrize("kind", OURS_AND_THEIRS)
def test_large_arrays_and_odd_memory_layouts_are_updated_alike(kind):
    rng = np.random.default_rng(0)
    plain = {"W": rng.normal(size=(130, 301))}
    layouts = {
        "transposed": {"W": np.asfortranarray(plain["W"])},
        "part": {"W": np.zeros((130, 400))[:, 50:351]},
    }
    layouts["part"]["W"][...] = plain["W"]
    gradients = [rng.normal(size=(130, 301)) for _ in range(3)]
    make = OURS_AND_THEIRS[kind][0]
    optimiser = make()
    for g in gradients:
        optimiser.update(plain, {"W": g})
    for other in layouts.values():
        optimiser = make()
        for g in gradients:
            optimiser.update(other, {"W": np.asfortranarray(g)})
        np.testing.assert_array_equal(other["W"], plain["W"])


@pytest.mark.parametrize("kind", OURS_AND_THEIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_memory_can_be_taken_out_and_put_back(kind, dtype):
    rng = np.random.default_rng(1)
    straight = {name: value.astype(dtype) for name, value in arrays(rng, [(3, 4), (3, 1)]).items()}
    gradients = [arrays(rng, [(3, 4), (3, 1)]) for _ in range(9)]
    broken = {name: value.copy() for name, value in straight.items()}
    make = OURS_AND_THEIRS[kind][0]
    one, first, second = make(), make(), make()
    for g in gradients:
        one.update(straight, g)
    for g in gradients[:4]:
        first.update(broken, g)
    memory = first.state()
    second.restore(memory, broken)
    first.update({name: value.copy() for name, value in broken.items()}, gradients[0])  # does not reach the second
    for g in gradients[4:]:
        second.update(broken, g)
    for name in straight:
        assert straight[name].dtype == dtype
        np.testing.assert_array_equal(straight[name], broken[name])
    second.restore({}, broken)
    assert second.state() == {}


def test_what_does_not_fit_is_refused_and_changes_nothing():
    optimiser = Adam()
    parameters = {"W": np.ones((2, 3)), "b": np.ones((2, 1))}
    good = {name: np.ones_like(value) for name, value in parameters.items()}
    with pytest.raises(ValueError, match="b has no gradient"):
        optimiser.update(parameters, {"W": good["W"]})
    with pytest.raises(ValueError, match="no parameter for the gradient c"):
        optimiser.update(parameters, good | {"c": good["b"]})
    with pytest.raises(ValueError, match=r"gradient of b has to have its shape, \(2, 1\); got \(1, 2\)"):
        optimiser.update(parameters, good | {"b": good["b"].T})
    with pytest.raises(ValueError, match="floating-point"):
        optimiser.update({"n": np.arange(3)}, {"n": np.arange(3)})
    with pytest.raises(ValueError, match="no parameters"):
        optimiser.update({}, {})
    for rate in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="learning rate"):
            optimiser.update(parameters, good, rate)
    assert optimiser.state() == {}
    assert all((value == 1).all() for value in parameters.values())
    optimiser.update(parameters, good)
    before = optimiser.state()
    with pytest.raises(ValueError, match="c is new"):
        optimiser.update(parameters | {"c": parameters["b"]}, good | {"c": good["b"]})
    with pytest.raises(ValueError, match="not among the parameters any more"):
        optimiser.update({"W": parameters["W"]}, {"W": good["W"]})
    with pytest.raises(ValueError, match=r"W was float64 of shape \(2, 3\) .* is float64 of shape \(3, 2\) now"):
        optimiser.update(parameters | {"W": parameters["W"].T}, good | {"W": good["W"].T})
    with pytest.raises(ValueError, match="float32"):
        optimiser.update(parameters | {"W": parameters["W"].astype(np.float32)}, good)
    for name, value in optimiser.state().items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(ValueError, match="no memory of Momentum"):
        Momentum(0.1).restore(before, parameters)
    with pytest.raises(ValueError, match="has to be float64 of shape"):
        Adam().restore(before, {name: value.T for name, value in parameters.items()})


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
def test_rates_are_positive_numbers(kind, rate):
    with pytest.raises(ValueError, match="learning rate has to be a positive number"):
        kind(rate)


def test_settings_are_checked_and_shown():
    for options in ({"beta1": 1.0}, {"beta2": -0.1}, {"epsilon": 0.0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            Adam(**options)
    with pytest.raises(ValueError, match="momentum"):
        Momentum(0.1, 1.0)
    assert repr(Adam(0.01)) == "Adam(rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-08)"


def test_the_rate_of_an_update_can_be_given():
    parameters = {"w": np.array([1.0])}
    optimiser = GradientDescent(0.5)
    optimiser.update(parameters, {"w": np.array([1.0])}, rate=0.25)
    assert parameters["w"] == 0.75
    optimiser.update(parameters, {"w": np.array([1.0])}, rate=0.0)
    assert parameters["w"] == 0.75
    optimiser.update(parameters, {"w": np.array([1.0])})
    assert parameters["w"] == 0.25


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0.01, 0.99))
def test_schedules(over, share):
    assert optimisers.constant(over) == 1
    assert optimisers.linear(over) == pytest.approx(1 - over)
    assert optimisers.cosine(over) == pytest.approx(np.cos(np.pi * over / 2) ** 2, abs=1e-15)
    warm = optimisers.warmup(optimisers.linear, share)
    assert 0 <= warm(over) <= 1
    assert warm(over) == pytest.approx(min(over / share, (1 - over) / (1 - share)), abs=1e-12)
    assert optimisers.warmup(share=share)(1.0) == 1
    for bad in (-0.1, 1.1, np.nan):
        for schedule in (optimisers.constant, optimisers.linear, optimisers.cosine, warm):
            with pytest.raises(ValueError, match="fraction"):
                schedule(bad)


def test_a_warmup_takes_a_share():
    for share in (0, 1, -1):
        with pytest.raises(ValueError, match="warms up"):
            optimisers.warmup(share=share)
