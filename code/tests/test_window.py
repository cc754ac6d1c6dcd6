"""The window model: windows, both passes, training, files."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import window
from unrolled.gradients import central_difference, complex_step
from unrolled.vocabulary import Vocabulary
from unrolled.window import TrainingError, WindowModel, windows

LETTERS = Vocabulary(list("abcdefgh"))
SENTENCES = [list("abcabd"), list("abch"), list("g"), list("feabc"), list("abcabcabd")] * 8


@st.composite
def problems(draw, dtype=np.float64):
    size, context = draw(st.integers(3, 9)), draw(st.integers(1, 4))
    embedding, hidden, m = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 6))
    direct = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = {
        "E": (embedding, size + 1),
        "Wh": (hidden, context * embedding),
        "bh": (hidden, 1),
        "Wy": (size, hidden),
        "by": (size, 1),
    }
    if direct:
        shapes["Wd"] = (size, context * embedding)
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return parameters, rng.integers(0, size + 1, (context, m)), rng.integers(0, size, m)


def model(seed=0, **options):
    options = {"context": 2, "embedding": 3, "hidden": 4} | options
    return WindowModel.create(np.random.default_rng(seed), LETTERS, **options)


# Windows


def test_windows_by_hand():
    contexts, targets = windows(LETTERS, [["a", "b", "?"], ["c"]], 2)
    a, b, c = (int(LETTERS.encode([letter])[0]) for letter in "abc")
    start, end, unknown = LETTERS.start, LETTERS.end, LETTERS.unknown
    assert targets.tolist() == [a, b, unknown, end, c, end]
    assert contexts.T.tolist() == [[start, start], [start, a], [a, b], [b, unknown], [start, start], [start, c]]


@given(st.lists(st.lists(st.sampled_from("abcdefgh?"), max_size=6), min_size=1, max_size=5), st.integers(1, 8))
def test_windows_against_a_plain_loop(sentences, context):
    contexts, targets = windows(LETTERS, sentences, context)
    expected = []
    for sentence in sentences:
        ids = [LETTERS.start] * context + LETTERS.encode(sentence).tolist() + [LETTERS.end]
        expected += [(ids[i - context : i], ids[i]) for i in range(context, len(ids))]
    assert contexts.shape == (context, len(expected))
    assert contexts.T.tolist() == [before for before, _ in expected]
    assert targets.tolist() == [word for _, word in expected]


def test_windows_refuses():
    with pytest.raises(ValueError, match="at least 1 word"):
        windows(LETTERS, SENTENCES, 0)
    with pytest.raises(ValueError, match="no sentences"):
        windows(LETTERS, [], 2)


# Both passes


@settings(deadline=None)
@given(problems())
def test_gradients_against_the_complex_step(problem):
    parameters, contexts, targets = problem
    J, gradients = window.cost_and_gradients(parameters, contexts, targets)
    np.testing.assert_allclose(J, window.cost(parameters, contexts, targets), rtol=1e-14)
    expected = complex_step(lambda p: window.cost(p, contexts, targets), parameters)
    assert set(gradients) == set(parameters)
    for name in parameters:
        np.testing.assert_allclose(gradients[name], expected[name], rtol=1e-12, atol=1e-15, err_msg=name)


@settings(deadline=None, max_examples=25)
@given(problems())
def test_gradients_against_central_differences(problem):
    parameters, contexts, targets = problem
    _, gradients = window.cost_and_gradients(parameters, contexts, targets)
    expected = central_difference(lambda p: window.cost(p, contexts, targets), parameters)
    for name in parameters:
        assert np.linalg.norm(gradients[name] - expected[name]) <= 1e-7 * np.linalg.norm(expected[name]) + 1e-10, name


@settings(deadline=None)
@given(problems())
def test_cost_and_gradients_against_torch(problem):
    parameters, contexts, targets = problem
    J, gradients = window.cost_and_gradients(parameters, contexts, targets)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    x = torch.nn.functional.embedding(torch.tensor(contexts.T), p["E"].T).flatten(1)  # torch's rows
    z = torch.tanh(x @ p["Wh"].T + p["bh"].T) @ p["Wy"].T + p["by"].T
    if "Wd" in p:
        z = z + x @ p["Wd"].T
    theirs = torch.nn.functional.cross_entropy(z, torch.tensor(targets))
    theirs.backward()
    np.testing.assert_allclose(J, theirs.item(), rtol=1e-13, atol=1e-14)
    for name in parameters:
        np.testing.assert_allclose(gradients[name], p[name].grad.numpy(), rtol=1e-12, atol=1e-14, err_msg=name)


@given(problems(), st.integers(0, 2**32))
def test_embedding_gradient_against_add_at(problem, seed):
    parameters, contexts, _ = problem
    (k, m), (embedding, number) = contexts.shape, parameters["E"].shape
    dx = np.random.default_rng(seed).normal(size=(k * embedding, m))
    expected = np.zeros((embedding, number))
    for slot in range(k):
        np.add.at(expected.T, contexts[slot], dx[slot * embedding : (slot + 1) * embedding].T)
    np.testing.assert_allclose(window.add_columns(dx, contexts, number), expected, rtol=1e-12, atol=1e-14)


@given(problems())
def test_a_batch_is_the_mean_of_its_columns(problem):
    parameters, contexts, targets = problem
    J, gradients = window.cost_and_gradients(parameters, contexts, targets)
    each = [window.cost_and_gradients(parameters, contexts[:, [i]], targets[[i]]) for i in range(targets.size)]
    np.testing.assert_allclose(J, np.mean([one for one, _ in each]), rtol=1e-12)
    for name in parameters:
        np.testing.assert_allclose(gradients[name], np.mean([g[name] for _, g in each], axis=0), rtol=1e-10, atol=1e-14)


@given(problems())
def test_float32_is_kept(problem):
    parameters, contexts, targets = problem
    parameters = {name: value.astype(np.float32) for name, value in parameters.items()}
    J, gradients = window.cost_and_gradients(parameters, contexts, targets)
    assert J.dtype == np.float32
    assert {value.dtype for value in gradients.values()} == {np.dtype(np.float32)}


def test_the_passes_leave_the_parameters_alone():
    m = model(direct=True)
    before = {name: value.copy() for name, value in m.parameters.items()}
    window.cost_and_gradients(m.parameters, *windows(LETTERS, SENTENCES, 2))
    m.perplexity(SENTENCES)
    for name in before:
        np.testing.assert_array_equal(m.parameters[name], before[name])


@pytest.mark.parametrize(("wrong", "named"), [(-1, "-1"), (LETTERS.size + 1, str(LETTERS.size + 1))])
def test_ids_out_of_range_are_named(wrong, named):
    m = model()
    contexts, targets = windows(LETTERS, SENTENCES, 2)
    contexts[1, 3] = wrong
    with pytest.raises(ValueError, match=f"id {named} is out of range"):
        window.cost_and_gradients(m.parameters, contexts, targets)
    with pytest.raises(ValueError, match=r"ids of shape \(k, m\)"):
        window.look_up(m.parameters["E"], contexts.astype(float))


# Counting, creating


@pytest.mark.parametrize("direct", [False, True])
def test_the_number_of_parameters_is_counted(direct):
    m = model(context=3, direct=direct)
    assert m.number_of_parameters == window.number_of_parameters(LETTERS.size, 3, 3, 4, direct=direct)
    without = sum(value.size for name, value in m.parameters.items() if not name.startswith("b"))
    assert without == window.number_of_parameters(LETTERS.size, 3, 3, 4, direct=direct, biases=False)


def test_create_is_a_function_of_its_generator_and_type():
    one, two, other = model(seed=1), model(seed=1), model(seed=2)
    assert all(np.array_equal(one.parameters[name], two.parameters[name]) for name in one.parameters)
    assert not np.array_equal(one.parameters["E"], other.parameters["E"])
    assert {value.dtype for value in model(dtype=np.float32).parameters.values()} == {np.dtype(np.float32)}
    assert one.context == 2


def test_frequencies_make_the_first_guess_the_unigram_model():
    counts = np.arange(LETTERS.size) * 1000.0
    m = model(frequencies=counts)
    m.parameters["Wy"][:] = 0
    smoothed = (counts + 0.5) / (counts + 0.5).sum()
    np.testing.assert_allclose(m.distribution(["a"]), smoothed, rtol=1e-12)
    for bad in (counts[1:], -counts, 0 * counts, counts * np.nan):
        with pytest.raises(ValueError, match="frequencies are V"):
            model(frequencies=bad)


@pytest.mark.parametrize("name", ["context", "embedding", "hidden"])
def test_create_refuses_sizes_below_one(name):
    with pytest.raises(ValueError, match=f"{name} has to be at least 1; got 0"):
        model(**{name: 0})


def test_parameters_that_do_not_fit_are_named():
    good = model(direct=True).parameters
    with pytest.raises(ValueError, match=r"Wy has to have shape \(10, 4\)"):
        WindowModel(LETTERS, good | {"Wy": good["Wy"].T})
    with pytest.raises(ValueError, match="parameter bh is missing"):
        WindowModel(LETTERS, {name: value for name, value in good.items() if name != "bh"})
    with pytest.raises(ValueError, match="no multiple of the 3 rows"):
        WindowModel(LETTERS, good | {"Wh": good["Wh"][:, :-1]})
    with pytest.raises(ValueError, match="by has to be a matrix"):
        WindowModel(LETTERS, good | {"by": good["by"][:, 0]})
    with pytest.raises(ValueError, match="type of E"):
        WindowModel(LETTERS, good | {"by": good["by"].astype(np.float32)})
    with pytest.raises(ValueError, match="no parameter Waa"):
        WindowModel(LETTERS, good | {"Waa": good["by"]})


# Asking


def test_log_probabilities_agree_with_distributions():
    m = model()
    sentence = ["a", "?", "b"]
    text = [*sentence, "</s>"]
    expected = [np.log(m.distribution(sentence[:i])[m.vocabulary.encode([text[i]])[0]]) for i in range(4)]
    np.testing.assert_allclose(m.log_probabilities([sentence]), expected, rtol=1e-12)
    np.testing.assert_allclose(m.log_probabilities([sentence] * 3, batch=5), np.tile(expected, 3), rtol=1e-12)
    np.testing.assert_allclose(m.sentence_log_probabilities([sentence, ["a"]])[0], np.sum(expected), rtol=1e-12)
    assert m.perplexity([sentence]) == pytest.approx(np.exp(-np.mean(expected)), rel=1e-12)


def test_distributions_sum_to_one_in_every_kind_of_context():
    m = model()
    for context in ([], ["<s>"], ["<s>", "a"], ["a"], ["?", "?"], list("abcdefgh")):
        p = m.distribution(context)
        assert p.shape == (LETTERS.size,)
        assert p.sum() == pytest.approx(1, rel=1e-13)
    np.testing.assert_array_equal(m.distribution([]), m.distribution(["<s>"]))


def test_without_sentences():
    m = model()
    assert m.log_probabilities([]).shape == (0,)
    assert m.sentence_log_probabilities([]).shape == (0,)
    with pytest.raises(ValueError, match="no log-probabilities"):
        m.perplexity([])


# Training


@pytest.mark.parametrize("direct", [False, True])
def test_training_learns(direct):
    m = model(direct=direct, dtype=np.float32)
    before = m.perplexity(SENTENCES)
    losses = m.train(SENTENCES, np.random.default_rng(0), epochs=60, batch=8, rate=1.0)
    assert losses.shape == (round(60 * sum(len(s) + 1 for s in SENTENCES) / 8),)
    assert losses[0] == pytest.approx(np.log(LETTERS.size), rel=0.2)
    assert m.perplexity(SENTENCES) < 2.5 < before
    assert {value.dtype for value in m.parameters.values()} == {np.dtype(np.float32)}


def test_training_is_a_function_of_its_generator():
    runs = [model() for _ in range(3)]
    losses = [
        m.train(SENTENCES, np.random.default_rng(seed), epochs=2) for m, seed in zip(runs, (5, 5, 6), strict=True)
    ]
    np.testing.assert_array_equal(losses[0], losses[1])
    assert not np.array_equal(losses[0], losses[2])


def test_one_step_is_the_update_rule():
    m = model()
    before = {name: value.copy() for name, value in m.parameters.items()}
    contexts, targets = windows(LETTERS, SENTENCES, 2)
    _, gradients = window.cost_and_gradients(before, contexts, targets)
    m.train(SENTENCES, np.random.default_rng(0), epochs=1, batch=10**6, rate=0.5)
    for name in before:
        np.testing.assert_allclose(m.parameters[name], before[name] - 0.5 * gradients[name], rtol=1e-10, atol=1e-14)


def test_the_rate_is_a_schedule():
    seen = []
    model().train(SENTENCES, np.random.default_rng(0), epochs=1, batch=50, rate=lambda over: seen.append(over) or 0.1)
    assert seen[0] == 0
    np.testing.assert_allclose(np.diff(seen), 1 / len(seen))


def test_training_leaves_the_arrays_it_was_given_alone():
    given_arrays = model().parameters
    before = {name: value.copy() for name, value in given_arrays.items()}
    WindowModel(LETTERS, given_arrays).train(SENTENCES, np.random.default_rng(0))
    for name in before:
        np.testing.assert_array_equal(given_arrays[name], before[name])


def test_a_nan_stops_training_and_the_last_good_step_is_kept():
    m = model()
    with pytest.raises(TrainingError, match=r"step \d+: .* not finite") as error:
        m.train(SENTENCES, np.random.default_rng(0), epochs=50, rate=lambda over: np.inf if over > 0.5 else 0.1)
    assert "dWy" in str(error.value) or "Wy" in str(error.value)
    assert all(np.isfinite(value).all() for value in m.parameters.values())
    assert m.perplexity(SENTENCES) < 9  # what half of the training had reached


def test_a_nan_in_the_first_loss_names_step_and_parameter():
    m = model()
    m.parameters["Wh"][0, 0] = np.nan
    with pytest.raises(TrainingError, match=r"step 0: loss, dWh"):
        m.train(SENTENCES, np.random.default_rng(0))


def test_large_numbers_are_no_infinities():
    window._stop_unless_finite(0, {"loss": np.float32(3.0), "dE": np.full((3, 4), 1e30, dtype=np.float32)})
    with pytest.raises(TrainingError, match="step 7: dWh is not finite"):
        window._stop_unless_finite(7, {"dE": np.full(3, 1e30, dtype=np.float32), "dWh": np.array([1.0, -np.inf])})


def test_an_interrupt_keeps_the_last_good_step():
    m, reference = model(), model()

    def rate(over):
        if over >= 0.5:
            raise KeyboardInterrupt
        return 0.2

    with pytest.raises(KeyboardInterrupt):
        m.train(SENTENCES, np.random.default_rng(3), epochs=4, batch=50, rate=rate)
    total = round(4 * sum(len(s) + 1 for s in SENTENCES) / 50)
    done = int(np.ceil(total / 2))
    tokens = sum(len(s) + 1 for s in SENTENCES)
    reference.train(SENTENCES, np.random.default_rng(3), epochs=done * 50 / tokens, batch=50, rate=lambda over: 0.2)
    for name in m.parameters:
        np.testing.assert_array_equal(m.parameters[name], reference.parameters[name])


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"epochs": -1}, {"batch": 0}, {"rate": 0.0}, {"rate": float("nan")}])
def test_training_refuses(bad):
    with pytest.raises(ValueError, match="has to be"):
        model().train(SENTENCES, np.random.default_rng(0), **bad)


# Files


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_model_is_the_same_model(tmp_path, direct, dtype):
    vocabulary = Vocabulary(["a", "\n", " ", "ü", "ends-in-nul\0"])
    m = WindowModel.create(np.random.default_rng(0), vocabulary, direct=direct, dtype=dtype)
    m.save(tmp_path / "model.npz")
    again = WindowModel.load(tmp_path / "model.npz")
    assert again.vocabulary == m.vocabulary
    assert set(again.parameters) == set(m.parameters)
    for name in m.parameters:
        assert again.parameters[name].dtype == dtype
        np.testing.assert_array_equal(again.parameters[name], m.parameters[name])
