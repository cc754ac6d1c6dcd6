"""The recurrent network: both passes against other routes, masks, carried states, types, bad input."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unrolled import padding, rnn
from unrolled.activations import ACTIVATIONS
from unrolled.gradients import complex_step
from unrolled.losses import softmax_cross_entropy

LAYER = ("Waa", "Wax", "ba")


class Problem:
    """A network with everything that it reads, all of it random."""

    def __init__(self, seed, T, n_x, n_a, n_y, m, ids=False, loss="softmax", g1="tanh", masked=False, reduction="sum"):
        rng = np.random.default_rng(seed)
        shapes = {"Waa": (n_a, n_a), "Wax": (n_a, n_x), "ba": (n_a, 1), "Wya": (n_y, n_a), "by": (n_y, 1)}
        self.parameters = {name: rng.normal(0, 0.7, shape) for name, shape in shapes.items()}
        self.x = rng.integers(0, n_x, (T, m)) if ids else rng.normal(size=(T, n_x, m))
        self.targets = rng.integers(0, n_y, (T, m)) if loss == "softmax" else rng.random((T, n_y, m))
        self.a0 = rng.normal(0, 0.5, (n_a, m))
        self.upstream = rng.normal(size=(T, n_a, m))
        self.upstream_y = rng.normal(size=(T, n_y, m))
        self.mask = None
        if masked:
            self.mask = rng.random((T, m)) < 0.6
            self.mask[rng.integers(T), rng.integers(m)] = True
        self.g1, self.loss, self.reduction, self.ids = g1, loss, reduction, ids

    @property
    def layer(self):
        return {"g1": self.g1, "mask": self.mask}

    @property
    def options(self):
        return self.layer | {"loss": self.loss, "reduction": self.reduction}

    @property
    def variables(self):
        """Everything that can be differentiated with respect to."""
        return self.parameters | {"a0": self.a0} | ({} if self.ids else {"x": self.x})

    def step(self):
        return rnn.cost_and_gradients(self.parameters, self.x, self.targets, self.a0, **self.options)

    def cost(self, at):
        parameters = {name: at[name] for name in self.parameters}
        return rnn.cost(parameters, at.get("x", self.x), self.targets, at["a0"], **self.options)


sizes = {
    "seed": st.integers(0, 2**32),
    "T": st.integers(1, 6),
    "n_x": st.integers(1, 5),
    "n_a": st.integers(1, 5),
    "n_y": st.integers(1, 5),
    "m": st.integers(1, 4),
    "ids": st.booleans(),
    "g1": st.sampled_from(["tanh", "relu", "sigmoid", "identity"]),
    "masked": st.booleans(),
}
problems = st.builds(
    Problem, **sizes, loss=st.sampled_from(["softmax", "sigmoid"]), reduction=st.sampled_from(["sum", "mean"])
)


def assert_close(found, expected, rtol, name=""):
    """Each element to rtol, or, where terms cancel, to rtol of the largest element."""
    assert np.shape(found) == np.shape(expected), name
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * max(np.abs(expected).max(), 1e-2), err_msg=name)


def small(seed=0, **options):
    return Problem(seed, **({"T": 4, "n_x": 3, "n_a": 5, "n_y": 6, "m": 2} | options))


# Forward


@given(problems)
def test_forward_against_the_equations(problem):
    p, x, a = problem.parameters, problem.x, [problem.a0]
    if problem.ids:
        x = np.eye(p["Wax"].shape[1])[x].swapaxes(1, 2)  # one-hot columns
    for t in range(len(x)):
        after = ACTIVATIONS[problem.g1].function(p["Waa"] @ a[t] + p["Wax"] @ x[t] + p["ba"])
        a.append(after if problem.mask is None else np.where(problem.mask[t], after, a[t]))
    found, scores = rnn.forward(p, problem.x, problem.a0, g2="identity", **problem.layer)
    assert_close(found, np.array(a), 1e-13)
    np.testing.assert_array_equal(found, rnn.layer_forward(p, problem.x, problem.a0, **problem.layer))
    assert_close(scores, np.array([p["Wya"] @ a[t + 1] + p["by"] for t in range(len(x))]), 1e-13)
    np.testing.assert_array_equal(scores, rnn.output_scores(p, found[1:]))


def test_g2():
    problem = small()
    p, x = problem.parameters, problem.x
    z_y = rnn.forward(p, x, g2="identity")[1]
    softmax, sigmoid = rnn.forward(p, x)[1], rnn.forward(p, x, g2="sigmoid")[1]
    np.testing.assert_allclose(softmax, np.exp(z_y) / np.exp(z_y).sum(axis=1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-z_y)), rtol=1e-14)


def test_the_initial_state_is_zero_when_none_is_given():
    problem = small()
    a = rnn.layer_forward(problem.parameters, problem.x)
    assert a.shape == (5, 5, 2)
    assert (a[0] == 0).all()
    np.testing.assert_array_equal(a, rnn.layer_forward(problem.parameters, problem.x, np.zeros((5, 2))))


@given(st.builds(Problem, **sizes), st.integers(1, 5))
def test_a_text_in_two_pieces_with_the_state_carried_over(problem, cut):
    assume(cut < len(problem.x))
    p, x, g1 = problem.parameters, problem.x, problem.g1
    first, second = (None, None) if problem.mask is None else (problem.mask[:cut], problem.mask[cut:])
    whole = rnn.layer_forward(p, x, problem.a0, **problem.layer)
    left = rnn.layer_forward(p, x[:cut], problem.a0, g1, first)
    right = rnn.layer_forward(p, x[cut:], left[-1], g1, second)
    assert_close(np.concatenate([left, right[1:]]), whole, 1e-13)


@given(st.builds(Problem, **(sizes | {"ids": st.just(False), "masked": st.just(False)})))
def test_a_batch_is_its_columns_side_by_side(problem):
    whole = problem.step()
    parts = [
        rnn.cost_and_gradients(
            problem.parameters, problem.x[..., [j]], problem.targets[..., [j]], problem.a0[:, [j]], problem.g1
        )
        for j in range(problem.a0.shape[1])
    ]
    assert_close(whole.J, sum(part.J for part in parts), 1e-13)
    assert_close(whole.a, np.concatenate([part.a for part in parts], axis=2), 1e-13)
    assert_close(whole.dx, np.concatenate([part.dx for part in parts], axis=2), 1e-12)
    for name in whole.gradients:
        assert_close(whole.gradients[name], sum(part.gradients[name] for part in parts), 1e-12, name)


# Gradients


@settings(deadline=None)
@given(problems)
def test_gradients_of_the_cost_against_the_complex_step(problem):
    step = problem.step()
    found = step.gradients | {"a0": step.da0} | ({} if problem.ids else {"x": step.dx})
    expected = complex_step(problem.cost, problem.variables)
    assert found.keys() == expected.keys()
    assert (step.dx is None) == problem.ids
    for name in expected:
        assert_close(found[name], expected[name], 1e-12, name)
    # A loss is the logarithm of a ratio near 1, or a difference: its error goes with the terms, not with what is left.
    J = problem.cost(problem.variables)
    assert abs(step.J - J) <= 1e-15 * (abs(J) + 4 * problem.targets.size)


@settings(deadline=None)
@given(problems)
def test_gradients_of_the_layer_with_a_random_upstream(problem):
    a = rnn.layer_forward(problem.parameters, problem.x, problem.a0, **problem.layer)
    layer = rnn.layer_backward(problem.parameters, problem.x, a, problem.upstream, **problem.layer)

    def value(at):
        a = rnn.layer_forward(at, at.get("x", problem.x), at["a0"], **problem.layer)
        return (a[1:] * problem.upstream).sum()

    at = {name: value for name, value in problem.variables.items() if name not in ("Wya", "by")}
    found = layer.gradients | {"a0": layer.da0} | ({} if problem.ids else {"x": layer.dx})
    expected = complex_step(value, at)
    assert found.keys() == expected.keys()
    for name in expected:
        assert_close(found[name], expected[name], 1e-12, name)


@settings(deadline=None)
@given(problems)
def test_gradients_of_the_output_with_a_random_upstream(problem):
    p, a = problem.parameters, problem.upstream
    gradients, da = rnn.output_backward(p, a, problem.upstream_y)
    expected = complex_step(
        lambda at: (rnn.output_scores(at, at["a"]) * problem.upstream_y).sum(), {"Wya": p["Wya"], "by": p["by"], "a": a}
    )
    for name, found in (gradients | {"a": da}).items():
        assert_close(found, expected[name], 1e-12, name)


# How large the scores are: those of the usual kind, those whose exponentials overflow or vanish without the largest
# score subtracted, and in the last place a right answer whose exponential alone vanishes.
SCORES = [(1, 0), (300, 0), (1e4, 0), (1, 800), (1, -800), (1, [[-900], [0], [0], [1], [2], [0]])]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("spread", "shift"), SCORES)
def test_the_output_with_its_loss_is_the_output_and_the_loss(spread, shift, masked):
    problem = small(masked=masked)
    a, targets = problem.upstream, problem.targets
    targets[0, 0] = 0
    parameters = {"Wya": spread * problem.parameters["Wya"], "by": shift + problem.parameters["by"]}
    real = np.ones(targets.shape, bool) if problem.mask is None else problem.mask
    losses, gradients, da = rnn.output_losses_and_gradients(parameters, a, targets, problem.mask, scale=0.25)
    z_y = rnn.output_scores(parameters, a)
    expected, dz_y = softmax_cross_entropy(z_y, targets)
    gradients_apart, da_apart = rnn.output_backward(parameters, a, 0.25 * dz_y * real[:, None, :])
    size = np.abs(z_y).max()  # of the terms that are subtracted from each other
    np.testing.assert_allclose(losses, expected * real, rtol=1e-12, atol=1e-15 * size)
    for name, found in (gradients | {"a": da}).items():
        right = (gradients_apart | {"a": da_apart})[name]
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-15 * (1 + size) * (1 + np.abs(right).max()))


def test_moderate_scores_take_the_short_way_and_no_others_do():
    problem = small()
    for spread, shift in SCORES:
        parameters = {"Wya": spread * problem.parameters["Wya"], "by": shift + problem.parameters["by"]}
        a, targets = problem.upstream.swapaxes(1, 2).copy(), 0 * problem.targets
        found = rnn._softmax_of_moderate_scores(parameters, a, targets, None, 1.0)
        assert (found is not None) == ((spread, shift) == SCORES[0])


def torch_cost(problem):
    """J and all gradients by torch's operations and torch's automatic differentiation."""
    v = {name: torch.tensor(value, requires_grad=True) for name, value in problem.variables.items()}
    n_x = problem.parameters["Wax"].shape[1]
    x = v.get("x")
    if x is None:
        x = torch.nn.functional.one_hot(torch.tensor(problem.x), n_x).double().transpose(1, 2)
    g1 = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda z: z}[problem.g1]
    mask = torch.ones(problem.x.shape[0], problem.a0.shape[1], dtype=torch.bool)
    mask = mask if problem.mask is None else torch.tensor(problem.mask)
    a, z_y = v["a0"], []
    for t in range(len(x)):
        a = torch.where(mask[t], g1(v["Waa"] @ a + v["Wax"] @ x[t] + v["ba"]), a)
        z_y.append(v["Wya"] @ a + v["by"])
    z_y, targets = torch.stack(z_y), torch.tensor(problem.targets)
    if problem.loss == "softmax":
        losses = torch.nn.functional.cross_entropy(z_y, targets, reduction="none")
    else:
        losses = torch.nn.functional.binary_cross_entropy_with_logits(z_y, targets, reduction="none").sum(dim=1)
    J = losses[mask].sum() if problem.reduction == "sum" else losses[mask].mean()
    J.backward()
    return J.item(), {name: value.grad.numpy() for name, value in v.items()}


@settings(deadline=None)
@given(problems)
def test_against_torch(problem):
    step = problem.step()
    J, expected = torch_cost(problem)
    assert_close(step.J, J, 1e-13)
    found = step.gradients | {"a0": step.da0} | ({} if problem.ids else {"x": step.dx})
    for name in expected:
        assert_close(found[name], expected[name], 1e-13, name)


@pytest.mark.parametrize("n_x", [3, 128, 129, 1000])
@pytest.mark.parametrize("masked", [False, True])
def test_ids_are_one_hot_columns(n_x, masked):
    problem = small(n_x=n_x, T=9, m=20, ids=True, masked=masked)
    by_id = problem.step()
    problem.x = np.ascontiguousarray(np.eye(n_x)[problem.x].swapaxes(1, 2))
    by_column = problem.step()
    assert_close(by_id.J, by_column.J, 1e-14)
    for name in by_id.gradients:
        assert_close(by_id.gradients[name], by_column.gradients[name], 1e-13, name)
    assert_close(by_id.da0, by_column.da0, 1e-13)
    assert by_id.dx is None


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.uint64])
def test_ids_of_every_integer_type(dtype):
    problem = small(ids=True)
    expected = problem.step()
    problem.x, problem.targets = problem.x.astype(dtype), problem.targets.astype(dtype)
    assert problem.step().J == expected.J


def test_the_cost_of_a_network_without_weights_is_that_of_the_uniform_model():
    parameters = {name: 0 * value for name, value in rnn.create(np.random.default_rng(0), 4, 3, 7).items()}
    ids = np.zeros((5, 2), dtype=int)
    assert rnn.cost(parameters, ids, ids) == pytest.approx(10 * np.log(7), rel=1e-15)
    assert rnn.cost(parameters, ids, ids, reduction="mean") == pytest.approx(np.log(7), rel=1e-15)


def test_many_to_one_by_its_halves():
    problem = small()
    p, x = problem.parameters, problem.x

    def score(at):
        return rnn.output_scores(at, rnn.layer_forward(at, x)[-1:])[0, 2].sum()

    a = rnn.layer_forward(p, x)
    dz_y = np.zeros((1, 6, 2))
    dz_y[0, 2] = 1
    output_gradients, da_last = rnn.output_backward(p, a[-1:], dz_y)
    da = np.concatenate([np.zeros((3, 5, 2)), da_last])
    found = rnn.layer_backward(p, x, a, da).gradients | output_gradients
    expected = complex_step(score, p)
    for name in p:
        assert_close(found[name], expected[name], 1e-12, name)


def test_the_gradient_can_itself_be_differentiated_by_the_complex_step():
    problem = small(T=3, n_a=2, n_y=3)
    x, targets = problem.x, problem.targets

    def by_Waa(Waa):
        return rnn.cost_and_gradients(problem.parameters | {"Waa": Waa}, x, targets).gradients["Waa"]

    hessian = complex_step(by_Waa, problem.parameters["Waa"]).reshape(4, 4)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-12, atol=1e-13)
    assert np.abs(hessian).max() > 1e-3


# Masks


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
@given(seed=st.integers(0, 2**32), lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), extra=st.integers(0, 3))
@settings(deadline=None, max_examples=25)
def test_padding_changes_nothing_whatever_it_holds(ids, loss, seed, lengths, extra):
    T = max(lengths) + extra
    problem = Problem(seed, T, 4, 3, 5, len(lengths), ids=ids, loss=loss)
    problem.mask = padding.mask(lengths, T)
    whole = problem.step()
    gap = ~problem.mask
    if ids:
        problem.x[gap] = -7
    else:
        problem.x.swapaxes(1, 2)[gap] = np.nan
    if loss == "softmax":
        problem.targets[gap] = -100
    else:
        problem.targets.swapaxes(1, 2)[gap] = np.inf
    again = problem.step()
    alone = [
        rnn.cost_and_gradients(
            problem.parameters, problem.x[:n, ..., [j]], problem.targets[:n, ..., [j]], problem.a0[:, [j]], loss=loss
        )
        for j, n in enumerate(lengths)
    ]
    assert again.J == whole.J
    assert_close(whole.J, sum(step.J for step in alone), 1e-13)
    assert_close(whole.a[-1], np.concatenate([step.a[-1] for step in alone], axis=1), 1e-13)
    assert_close(whole.da0, np.concatenate([step.da0 for step in alone], axis=1), 1e-12)
    for name in problem.parameters:
        np.testing.assert_array_equal(again.gradients[name], whole.gradients[name])
        assert_close(whole.gradients[name], sum(step.gradients[name] for step in alone), 1e-12, name)
    if not ids:
        assert (again.dx.swapaxes(1, 2)[gap] == 0).all()


def test_the_mean_counts_what_is_not_masked():
    problem = small(masked=True)
    mean = rnn.cost(problem.parameters, problem.x, problem.targets, problem.a0, mask=problem.mask, reduction="mean")
    assert mean * problem.mask.sum() == pytest.approx(problem.step().J, rel=1e-14)


def test_a_mask_that_hides_all_leaves_the_state_alone():
    problem = small()
    nothing = np.zeros((4, 2), dtype=bool)
    step = rnn.cost_and_gradients(problem.parameters, problem.x, problem.targets, problem.a0, mask=nothing)
    assert step.J == 0
    assert all((value == 0).all() for value in step.gradients.values())
    assert (step.a == problem.a0).all()
    with pytest.raises(ValueError, match="mean over no predictions"):
        rnn.cost(problem.parameters, problem.x, problem.targets, mask=nothing, reduction="mean")


# Memory and types


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
@pytest.mark.parametrize("g1", ACTIVATIONS)
@pytest.mark.parametrize("masked", [False, True])
def test_float32_stays_float32(ids, loss, g1, masked):
    problem = small(ids=ids, loss=loss, g1=g1, masked=masked, reduction="mean")
    double = problem.step()
    problem.parameters = {name: value.astype(np.float32) for name, value in problem.parameters.items()}
    problem.a0 = problem.a0.astype(np.float32)
    problem.x = problem.x if ids else problem.x.astype(np.float32)
    single = problem.step()
    arrays = [single.J, single.da0, single.a, *single.gradients.values()] + ([] if ids else [single.dx])
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    y_hat = rnn.forward(problem.parameters, problem.x, g1=g1)[1]
    assert y_hat.dtype == np.float32
    for name in double.gradients:
        assert_close(single.gradients[name], double.gradients[name], 1e-4, name)


def everything(problem):
    """All arrays that the module hands out."""
    step = problem.step()
    a, y_hat = rnn.forward(problem.parameters, problem.x, problem.a0, problem.g1, mask=problem.mask)
    z_y = rnn.output_scores(problem.parameters, a[1:])
    layer = rnn.layer_backward(problem.parameters, problem.x, a, problem.upstream, problem.g1, problem.mask)
    output, da = rnn.output_backward(problem.parameters, a[1:], problem.upstream_y)
    found = [step.J, *step.gradients.values(), step.da0, step.a, a, y_hat, z_y, da]
    found += [*layer.gradients.values(), layer.da0, *output.values()]
    return found + ([] if problem.ids else [step.dx, layer.dx])


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_results_are_new_and_do_not_depend_on_what_was_computed_before(ids, masked):
    problem = small(ids=ids, masked=masked)
    first = everything(problem)
    copies = [np.copy(array) for array in first]
    for other in (small(1, n_a=9, T=8, m=5, n_y=17), small(2, ids=True), small(3, masked=True, loss="sigmoid")):
        everything(other)
    for array, copy, again in zip(first, copies, everything(problem), strict=True):
        np.testing.assert_array_equal(array, copy)
        np.testing.assert_array_equal(again, copy)
    arrays = [array for array in first if isinstance(array, np.ndarray)]
    for i, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[i + 1 :])


def test_threads_do_not_disturb_each_other():
    problems = [small(seed, T=30, n_a=40, m=8, ids=True) for seed in range(4)]
    expected = [problem.step().gradients["Waa"] for problem in problems]
    wrong = []

    def work(i):
        for _ in range(30):
            if not np.array_equal(problems[i].step().gradients["Waa"], expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(problems)
@settings(deadline=None)
def test_arguments_are_not_changed(problem):
    arrays = [*problem.variables.values(), problem.x, problem.targets, problem.upstream, problem.upstream_y]
    arrays += [] if problem.mask is None else [problem.mask]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False  # an attempt to write would raise
    everything(problem)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@given(problems)
@settings(deadline=None, max_examples=40)
def test_memory_order_does_not_matter(problem):
    expected = everything(problem)

    def strange(array):
        """The same numbers, every other element of a larger array in Fortran's order."""
        wide = np.zeros(tuple(2 * n for n in array.shape), array.dtype, order="F")
        view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
        view[...] = array
        return view

    problem.parameters = {name: strange(value) for name, value in problem.parameters.items()}
    for name in ("x", "targets", "a0", "upstream", "upstream_y"):
        setattr(problem, name, strange(getattr(problem, name)))
    for found, wanted in zip(everything(problem), expected, strict=True):
        assert_close(found, wanted, 1e-13)


def test_overflow_is_no_error_of_the_caller():
    """A network that explodes gives an infinite cost; the arguments themselves are in order."""
    parameters = rnn.create(np.random.default_rng(0), 2, 3, 4, recurrent="identity", gain=1e200)
    x, targets = np.ones((5, 2, 1)), np.zeros((5, 1), dtype=int)
    with np.errstate(all="ignore"):
        assert not np.isfinite(rnn.cost(parameters, x, targets, np.ones((3, 1)), g1="relu"))


def test_numbers_whose_squares_overflow_are_no_infinities():
    problem = small()
    p = problem.parameters | {"ba": np.full((5, 1), 1e200)}
    np.testing.assert_array_equal(rnn.layer_forward(p, problem.x)[1:], 1)


# Parameters


@pytest.mark.parametrize("recurrent", ["uniform", "orthogonal", "identity"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_create(recurrent, dtype):
    p = rnn.create(np.random.default_rng(3), 7, 50, 11, recurrent=recurrent, dtype=dtype)
    assert {name: value.shape for name, value in p.items()} == {
        "Waa": (50, 50),
        "Wax": (50, 7),
        "ba": (50, 1),
        "Wya": (11, 50),
        "by": (11, 1),
    }
    assert {value.dtype for value in p.values()} == {np.dtype(dtype)}
    assert (p["ba"] == 0).all()
    assert (p["by"] == 0).all()
    assert rnn.number_of_parameters(p) == 50 * (50 + 7 + 1) + 11 * (50 + 1)
    for name in ("Wax", "Wya") + (("Waa",) if recurrent == "uniform" else ()):
        assert np.abs(p[name]).max() <= 1 / np.sqrt(50)
        assert np.abs(p[name]).max() > 0.95 / np.sqrt(50)
        assert np.abs(p[name].mean()) < 0.02
    if recurrent == "orthogonal":
        np.testing.assert_allclose(p["Waa"].T @ p["Waa"], np.eye(50), atol=1e-6 if dtype == np.float32 else 1e-14)
    if recurrent == "identity":
        np.testing.assert_array_equal(p["Waa"], np.eye(50))
    again = rnn.create(np.random.default_rng(3), 7, 50, 11, recurrent=recurrent, dtype=dtype, gain=2)
    np.testing.assert_array_equal(again["Waa"], 2 * p["Waa"])
    np.testing.assert_array_equal(again["Wax"], p["Wax"])


def test_orthogonal_matrices_prefer_no_direction():
    rng = np.random.default_rng(0)
    mean = np.mean([rnn.create(rng, 1, 2, 1, recurrent="orthogonal")["Waa"] for _ in range(2000)], axis=0)
    assert np.abs(mean).max() < 0.08  # five standard errors; without the signs the diagonal would be negative


def test_create_refuses():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="n_a has to be at least 1; got 0"):
        rnn.create(rng, 2, 0, 3)
    with pytest.raises(ValueError, match='"uniform", "orthogonal" or "identity"; got \'glorot\''):
        rnn.create(rng, 2, 2, 3, recurrent="glorot")


# Bad input


P = small().parameters
X = small().x
IDS, TARGETS = np.zeros((4, 2), dtype=int), np.zeros((4, 2), dtype=int)


def without(name):
    return {other: value for other, value in P.items() if other != name}


def spoiled(name, value, index=(0, 0)):
    array = P[name].copy()
    array[index] = value
    return P | {name: array}


BAD = {
    "missing": (without("Wax"), X, {}, ValueError, r"the parameter Wax is missing; there are only Waa, ba, Wya, by"),
    "Waa": (
        P | {"Waa": np.zeros((5, 4))},
        X,
        {},
        ValueError,
        r"Waa has the shape \(5, 4\).*\(n_a, n_a\) = \(n_a, n_a\)",
    ),
    "Wax": (P | {"Wax": np.zeros((3, 5))}, X, {}, ValueError, r"Wax has the shape \(3, 5\).*\(n_a, n_x\) = \(5, n_x\)"),
    "ba": (P | {"ba": np.zeros(5)}, X, {}, ValueError, r"ba has the shape \(5,\).*\(n_a, 1\) = \(5, 1\)"),
    "Wya": (P | {"Wya": P["Wya"].T}, X, {}, ValueError, r"Wya has the shape \(5, 6\).*\(n_y, n_a\) = \(n_y, 5\)"),
    "by": (P | {"by": np.zeros((5, 1))}, X, {}, ValueError, r"by has the shape \(5, 1\).*\(n_y, 1\) = \(6, 1\)"),
    "empty matrix": (P | {"Wax": np.zeros((5, 0))}, X, {}, ValueError, "Wax is empty"),
    "integers": (P | {"ba": np.zeros((5, 1), dtype=int)}, X, {}, TypeError, "ba holds int64; float64 or float32"),
    "float16": (P | {"ba": P["ba"].astype(np.float16)}, X, {}, TypeError, "ba holds float16"),
    "mixed": (P | {"ba": P["ba"].astype(np.float32)}, X, {}, TypeError, r"mixed \(Waa float64.*ba float32.*astype"),
    "mixed x": (P, X.astype(np.float32), {}, TypeError, "mixed .*x float32"),
    "mixed a0": (P, X, {"a0": np.zeros((5, 2), np.float32)}, TypeError, "mixed .*a0 float32"),
    "NaN": (spoiled("Waa", np.nan, (2, 3)), X, {}, ValueError, r"Waa is not finite: Waa\[2, 3\] is nan"),
    "inf": (spoiled("ba", -np.inf, (4, 0)), X, {}, ValueError, r"ba is not finite: ba\[4, 0\] is -inf"),
    "NaN in Wya": (spoiled("Wya", np.nan), X, {}, ValueError, r"Wya\[0, 0\] is nan"),
    "NaN in by": (spoiled("by", np.nan), X, {}, ValueError, r"by\[0, 0\] is nan"),
    "NaN in x": (P, np.where(np.arange(2) == 1, np.nan, X), {}, ValueError, r"x\[0, 0, 1\] is nan"),
    "NaN in a0": (P, X, {"a0": np.full((5, 2), np.nan)}, ValueError, r"a0\[0, 0\] is nan"),
    "n_x": (P, np.zeros((4, 2, 2)), {}, ValueError, r"x has the shape \(4, 2, 2\).*\(T_x, n_x, m\) with n_x = 3"),
    "one column": (P, np.zeros((4, 3)), {}, ValueError, r"\(4, 3\).*one sequence is one column, x\[:, :, None\]"),
    "one column of ids": (P, IDS[:, 0], {}, ValueError, r"\(T_x, m\); got \(4,\); .* x\[:, None\]"),
    "integers as columns": (P, X.astype(int), {}, ValueError, r"x are ids.*got \(4, 3, 2\); .* have to be floats"),
    "booleans": (P, X > 0, {}, TypeError, r"floats \(T_x, n_x, m\) or integer ids \(T_x, m\); got bool"),
    "strings": (P, np.array([["to"], ["be"]]), {}, TypeError, "got <U2"),
    "id too large": (P, IDS + 3, {}, ValueError, "the id 3 in x is out of range: Wax has columns for the ids 0 .. 2"),
    "negative id": (P, IDS - 1, {}, ValueError, "the id -1 in x is out of range"),
    "no steps": (P, X[:0], {}, ValueError, r"x is empty, with the shape \(0, 3, 2\)"),
    "no steps of ids": (P, IDS[:0], {}, ValueError, r"x is empty, with the shape \(0, 2\)"),
    "no columns": (P, X[..., :0], {}, ValueError, "x is empty"),
    "a0": (P, X, {"a0": np.zeros((2, 5))}, ValueError, r"a0 has the shape \(2, 5\).*\(n_a, m\) = \(5, 2\)"),
    "a0 vector": (P, X, {"a0": np.zeros(5)}, ValueError, r"a0 has the shape \(5,\)"),
    "mask shape": (P, X, {"mask": np.ones((2, 4), bool)}, ValueError, r"mask has the shape \(2, 4\).*m\) = \(4, 2\)"),
    "mask type": (P, X, {"mask": np.ones((4, 2))}, TypeError, "a mask has to be boolean; got float64"),
    "g1": (P, X, {"g1": "gelu"}, ValueError, "g1 is one of 'tanh', 'sigmoid', 'relu', 'identity'; got 'gelu'"),
    "loss": (P, X, {"loss": "hinge"}, ValueError, "loss is one of 'softmax', 'sigmoid'; got 'hinge'"),
    "reduction": (P, X, {"reduction": "none"}, ValueError, "reduction is one of 'sum', 'mean'; got 'none'"),
    "targets": (P, X, {"targets": TARGETS.T}, ValueError, r"targets has the shape \(2, 4\).*\(T_x, m\) = \(4, 2\)"),
    "float targets": (P, X, {"targets": 1.0 * TARGETS}, TypeError, "targets have to be integers"),
    "target range": (P, X, {"targets": TARGETS + 6}, ValueError, "target 6 is out of range"),
    "sigmoid targets": (P, X, {"loss": "sigmoid", "targets": TARGETS}, ValueError, r"n_y, m\) = \(4, 6, 2\)"),
    "sigmoid range": (P, X, {"loss": "sigmoid", "targets": np.full((4, 6, 2), 1.1)}, ValueError, r"\[0, 1\]"),
}


@pytest.mark.parametrize("function", [rnn.cost, rnn.cost_and_gradients])
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(function, case):
    parameters, x, options, error, message = BAD[case]
    with pytest.raises(error, match=message):
        function(parameters, x, **({"targets": TARGETS} | options))


@pytest.mark.parametrize("case", [case for case in BAD if BAD[case][2].keys() <= {"a0", "mask", "g1"}])
def test_bad_input_of_forward_is_named(case):
    parameters, x, options, error, message = BAD[case]
    with pytest.raises(error, match=message):
        rnn.forward(parameters, x, **options)


def test_bad_input_of_the_halves_is_named():
    a = rnn.layer_forward(P, X)
    with pytest.raises(ValueError, match="g2 is one of 'softmax', 'sigmoid', 'identity'; got 'argmax'"):
        rnn.forward(P, X, g2="argmax")
    with pytest.raises(ValueError, match=r"a has the shape \(4, 5, 2\).*\(T_x \+ 1, n_a, m\) = \(5, 5, 2\)"):
        rnn.layer_backward(P, X, a[1:], a[1:])
    with pytest.raises(ValueError, match=r"da has the shape \(5, 5, 2\).*\(T_x, n_a, m\) = \(4, 5, 2\)"):
        rnn.layer_backward(P, X, a, a)
    with pytest.raises(ValueError, match=r"da is not finite: da\[0, 0, 0\] is nan"):
        rnn.layer_backward(P, X, a, np.nan * a[1:])
    with pytest.raises(TypeError, match=r"mixed .*da float32"):
        rnn.layer_backward(P, X, a, a[1:].astype(np.float32))
    with pytest.raises(ValueError, match=r"a has the shape \(5, 2\); it has to be \(T, n_a, m\) with n_a = 5"):
        rnn.output_scores(P, a[1])
    with pytest.raises(ValueError, match=r"a has the shape \(4, 2, 5\)"):
        rnn.output_scores(P, a[1:].swapaxes(1, 2))
    with pytest.raises(ValueError, match=r"dz_y has the shape \(4, 5, 2\).*\(T, n_y, m\) = \(4, 6, 2\)"):
        rnn.output_backward(P, a[1:], a[1:])
    ids = np.zeros((4, 2), int)
    with pytest.raises(ValueError, match=r"targets has the shape \(4, 1\); it has to be \(T, m\) = \(4, 2\)"):
        rnn.output_losses_and_gradients(P, a[1:], ids[:, :1])
    with pytest.raises(ValueError, match=r"target 6 is out of range: the scores have V = 6 rows"):
        rnn.output_losses_and_gradients(P, a[1:], ids + 6)
    with pytest.raises(TypeError, match=r"targets have to be integers"):
        rnn.output_losses_and_gradients(P, a[1:], ids + 0.5)
    with pytest.raises(ValueError, match=r"mask has the shape \(2, 4\)"):
        rnn.output_losses_and_gradients(P, a[1:], ids, np.ones((2, 4), bool))


def test_the_layer_alone_needs_only_its_own_parameters():
    layer = {name: P[name] for name in LAYER}
    np.testing.assert_array_equal(rnn.layer_forward(layer, X), rnn.layer_forward(P, X))
    with pytest.raises(ValueError, match="the parameter Wya is missing"):
        rnn.forward(layer, X)
    np.testing.assert_array_equal(rnn.layer_forward(P | {"E": "no matrix"}, X), rnn.layer_forward(P, X))
