"""The recurrent network: both passes against other routes, masks, carried states, bad input."""

import numpy as np
import pytest

from unrolled import rnn
from unrolled.gradients import complex_step


@pytest.mark.parametrize("g1", ["tanh", "relu", "sigmoid", "identity"])
@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradients_against_the_complex_step(g1, loss, ids, masked, reduction):
    rng = np.random.default_rng(1)
    T, n_x, n_a, n_y, m = 5, 4, 3, 6, 2
    p = {name: value + rng.normal(size=value.shape) / 5 for name, value in rnn.create(rng, n_x, n_a, n_y).items()}
    x = rng.integers(0, n_x, (T, m)) if ids else rng.normal(size=(T, n_x, m))
    targets = rng.integers(0, n_y, (T, m)) if loss == "softmax" else rng.random((T, n_y, m))
    a0 = rng.normal(size=(n_a, m))
    options = {"g1": g1, "loss": loss, "reduction": reduction, "mask": rng.random((T, m)) < 0.6 if masked else None}
    step = rnn.cost_and_gradients(p, x, targets, a0, **options)
    found = step.gradients | {"a0": step.da0} | ({} if ids else {"x": step.dx})

    def cost(at):
        return rnn.cost({name: at[name] for name in p}, at.get("x", x), targets, at["a0"], **options)

    expected = complex_step(cost, p | {"a0": a0} | ({} if ids else {"x": x}))
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-14, err_msg=name)
