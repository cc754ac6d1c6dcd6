"""The recurrent language model: texts, gradients, probabilities, training, files."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import language_model, optimisers, training
from unrolled.gradients import clip_by_global_norm, complex_step
from unrolled.language_model import RecurrentModel, read_and_predict
from unrolled.vocabulary import Vocabulary

LETTERS = Vocabulary(list("abcdefgh"))
SENTENCES = [list("abcabd"), list("abch"), list("g"), list("feabc"), list("abcabcabd")] * 8
OPTIONS = {
    "one-hot": {},
    "embedding": {"embedding": 3},
    "tied": {"tied": True},
    "tied, projected": {"tied": True, "embedding": 3},
}
UNITS = {
    "gru": {"unit": "gru"},
    "gru-reset-after, embedding": {"unit": "gru-reset-after", "embedding": 3},
    "lstm, tied": {"unit": "lstm", "tied": True},
    "two layers": {"layers": 2, "embedding": 5},
    "three layers of lstm, tied, projected": {"unit": "lstm", "layers": 3, "tied": True, "embedding": 3},
}
ALL = OPTIONS | UNITS


def model(seed=0, **options):
    m = RecurrentModel.create(np.random.default_rng(seed), LETTERS, **{"hidden": 4, **options})
    rng = np.random.default_rng([seed, 1])
    for name, value in m.parameters.items():  # biases and small embeddings would hide mistakes
        value += rng.normal(0, 0.3, value.shape) if name in ("ba", "by", "E") else 0
    return m


@st.composite
def problems(draw, choices=OPTIONS):
    options = choices[draw(st.sampled_from(sorted(choices)))]
    seed = draw(st.integers(0, 2**32))
    m = model(seed, **options)
    rng = np.random.default_rng(seed)
    T, columns = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    x = rng.integers(0, LETTERS.size + 1, (T, columns))
    y = rng.integers(0, LETTERS.size, (T, columns))
    a0 = rng.normal(size=(m.layer.n_s, columns)) if draw(st.booleans()) else None
    mask = None
    if draw(st.booleans()):
        mask = rng.random((T, columns)) < 0.7
        mask[0, 0] = True
    rate = draw(st.sampled_from([0.0, 0.4]))
    dropped = language_model.draw_dropout(rng, m.parameters, T, columns, rate, m.layer) if rate else None
    batch = {"x": x, "targets": y, "a0": a0, "mask": mask, "dropped": dropped}
    return m.parameters, batch | ({} if choices is OPTIONS else {"layer": m.layer})


# Both passes


@settings(deadline=None, max_examples=40)
@given(problems(ALL))
def test_gradients_against_the_complex_step(problem):
    parameters, batch = problem
    result = language_model.cost_and_gradients(parameters, **batch)
    np.testing.assert_allclose(result.J, language_model.cost(parameters, **batch), rtol=1e-13)
    expected = complex_step(lambda p: language_model.cost(p, **batch), parameters)
    assert set(result.gradients) == set(parameters)
    for name in parameters:
        np.testing.assert_allclose(result.gradients[name], expected[name], rtol=1e-12, atol=1e-13, err_msg=name)
    if batch["a0"] is not None:
        expected = complex_step(lambda a0: language_model.cost(parameters, **{**batch, "a0": a0}), batch["a0"])
        np.testing.assert_allclose(result.ds0, expected, rtol=1e-12, atol=1e-13)


@settings(deadline=None, max_examples=40)
@given(problems())
def test_gradients_against_torch(problem):
    parameters, batch = problem
    result = language_model.cost_and_gradients(parameters, **batch)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    x, targets, dropped = torch.tensor(batch["x"]), torch.tensor(batch["targets"]), batch["dropped"]
    T, m = x.shape
    mask = torch.ones(T, m, dtype=bool) if batch["mask"] is None else torch.tensor(batch["mask"])
    a = torch.zeros(m, 4, dtype=torch.float64) if batch["a0"] is None else torch.tensor(batch["a0"]).T
    weights = p["Wya"] if "Wya" in p else p["E"][:, : LETTERS.size].T
    losses = []
    for t in range(T):  # torch's rows
        if "E" in p:
            e = torch.nn.functional.embedding(x[t], p["E"].T)
            if dropped is not None:
                e = e * torch.tensor(dropped.x[t]).T
            reads = torch.nn.functional.linear(e, p["Wax"])
        else:
            reads = torch.nn.functional.embedding(x[t], p["Wax"].T)
        new = torch.tanh(torch.nn.functional.linear(a, p["Waa"]) + reads + p["ba"].T)
        a = torch.where(mask[t][:, None], new, a)
        h = a if dropped is None else a * torch.tensor(dropped.a[t]).T
        h = torch.nn.functional.linear(h, p["Wea"]) if "Wea" in p else h
        z = torch.nn.functional.linear(h, weights, p["by"][:, 0])
        losses.append(torch.nn.functional.cross_entropy(z, targets[t], reduction="none")[mask[t]])
    J = torch.cat(losses).mean()
    J.backward()
    np.testing.assert_allclose(result.J, J.item(), rtol=1e-13)
    for name in parameters:
        theirs = np.zeros_like(parameters[name]) if p[name].grad is None else p[name].grad.numpy()
        np.testing.assert_allclose(result.gradients[name], theirs, rtol=1e-12, atol=1e-14, err_msg=name)
    np.testing.assert_allclose(result.a[-1].T, a.detach().numpy(), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
def test_float32_is_kept_and_parameters_are_left_alone(options):
    m = model(**options, dtype=np.float32)
    before = {name: value.copy() for name, value in m.parameters.items()}
    x, y = (ids[:20].reshape(10, 2) for ids in read_and_predict(LETTERS, SENTENCES))
    dropped = language_model.draw_dropout(np.random.default_rng(0), m.parameters, 10, 2, 0.3, m.layer)
    result = language_model.cost_and_gradients(m.parameters, x, y, dropped=dropped, layer=m.layer)
    types = {g.dtype for g in result.gradients.values()} | {result.J.dtype, result.s_last.dtype, result.ds0.dtype}
    assert types == {np.dtype(np.float32)}
    m.perplexity(SENTENCES)
    for name in before:
        np.testing.assert_array_equal(m.parameters[name], before[name])


# What is dropped


def test_dropout_keeps_the_mean_and_spares_the_recurrence():
    m = model(embedding=3)
    dropped = language_model.draw_dropout(np.random.default_rng(0), m.parameters, 200, 50, 0.25)
    assert dropped.x.shape == (200, 3, 50)
    assert dropped.a.shape == (200, 4, 50)
    assert dropped.between is None
    for kept in dropped[:2]:
        assert set(np.unique(kept)) == {0, 1 / 0.75}
        share = (kept == 0).mean()
        assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / kept.size)
    assert language_model.draw_dropout(np.random.default_rng(0), model().parameters, 2, 3, 0.5).x is None
    x = np.ones((200, 50), dtype=np.int64)
    without_input = dropped._replace(x=np.ones_like(dropped.x))
    np.testing.assert_array_equal(
        language_model.states(m.parameters, x, dropped=without_input)[1], language_model.states(m.parameters, x)[1]
    )


# Texts


def test_what_is_read_and_predicted():
    x, y = read_and_predict(LETTERS, [["a", "b", "?"], [], ["c"]])
    a, b, c = (int(LETTERS.encode([letter])[0]) for letter in "abc")
    start, end, unknown = LETTERS.start, LETTERS.end, LETTERS.unknown
    assert x.tolist() == [start, a, b, unknown, start, start, c]
    assert y.tolist() == [a, b, unknown, end, end, c, end]
    with pytest.raises(ValueError, match="no sentences"):
        read_and_predict(LETTERS, [])
    for special in ("<s>", "</s>"):
        with pytest.raises(ValueError, match="may not be in the text"):
            read_and_predict(LETTERS, [["a"], ["a", special]])


# Counting, creating


@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
def test_the_number_of_parameters_is_counted(options):
    m = model(**options)
    assert m.number_of_parameters == language_model.number_of_parameters(LETTERS.size, 4, **options)
    assert m.number_of_parameters == sum(value.size for value in m.parameters.values())
    assert m.hidden == 4


def test_tied_embeddings_of_the_length_of_the_state_need_no_projection():
    assert set(model(tied=True).parameters) == {"Waa", "Wax", "ba", "E", "by"}
    assert set(model(tied=True, embedding=4).parameters) == {"Waa", "Wax", "ba", "E", "by"}
    assert set(model(tied=True, embedding=3).parameters) == {"Waa", "Wax", "ba", "E", "by", "Wea"}


def test_create_is_a_function_of_its_generator_and_type():
    one, two, other = (RecurrentModel.create(np.random.default_rng(seed), LETTERS, 5, 3) for seed in (1, 1, 2))
    assert all(np.array_equal(one.parameters[name], two.parameters[name]) for name in one.parameters)
    assert not np.array_equal(one.parameters["E"], other.parameters["E"])
    identity = RecurrentModel.create(np.random.default_rng(1), LETTERS, 5, recurrent="identity", dtype=np.float32)
    np.testing.assert_array_equal(identity.parameters["Waa"], np.eye(5))
    assert identity.parameters["Waa"].dtype == np.float32


def test_frequencies_make_the_first_guess_the_unigram_model():
    counts = np.arange(LETTERS.size) * 1000.0
    m = RecurrentModel.create(np.random.default_rng(0), LETTERS, 4, frequencies=counts)
    m.parameters["Wya"][:] = 0
    smoothed = (counts + 0.5) / (counts + 0.5).sum()
    np.testing.assert_allclose(m.distribution(["a"]), smoothed, rtol=1e-12)
    for bad in (counts[1:], -counts, 0 * counts, counts * np.nan):
        with pytest.raises(ValueError, match="frequencies are V"):
            model(frequencies=bad)


def test_create_refuses():
    with pytest.raises(ValueError, match="n_a has to be at least 1; got 0"):
        model(hidden=0)
    with pytest.raises(ValueError, match="embedding has to be at least 1, or None; got 0"):
        model(embedding=0)
    with pytest.raises(ValueError, match="dropout is a probability"):
        model(dropout=1.0)


def test_parameters_that_do_not_fit_are_named():
    good = model(embedding=3).parameters
    projected = model(tied=True, embedding=3).parameters
    with pytest.raises(ValueError, match=r"Wya has to have shape \(10, 4\) for V = 10, n_a = 4 and n_e = 3; got"):
        RecurrentModel(LETTERS, good | {"Wya": good["Wya"].T})
    with pytest.raises(ValueError, match="parameter ba is missing"):
        RecurrentModel(LETTERS, {name: value for name, value in good.items() if name != "ba"})
    with pytest.raises(ValueError, match="parameter Wya is missing"):
        RecurrentModel(LETTERS, {name: value for name, value in model().parameters.items() if name != "Wya"})
    with pytest.raises(ValueError, match="by has to be a matrix"):
        RecurrentModel(LETTERS, good | {"by": good["by"][:, 0]})
    with pytest.raises(ValueError, match="type of Waa"):
        RecurrentModel(LETTERS, good | {"by": good["by"].astype(np.float32)})
    with pytest.raises(ValueError, match="no parameter Wea"):
        RecurrentModel(LETTERS, good | {"Wea": good["by"]})
    with pytest.raises(ValueError, match=r"length 3 need a projection Wea \(3, 4\)"):
        RecurrentModel(LETTERS, {name: value for name, value in projected.items() if name != "Wea"})


# Asking


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(sorted(OPTIONS)),
    st.lists(st.lists(st.sampled_from("abcdefgh?"), max_size=6), min_size=1, max_size=7),
    st.integers(1, 4),
)
def test_log_probabilities_against_a_slow_loop(name, sentences, side_by_side):
    m = model(**OPTIONS[name], dropout=0.5)  # which must not matter here
    alone, ids, a0 = [], m.vocabulary.encode, None
    carried = []
    for sentence in sentences:
        for i, word in enumerate([*sentence, "</s>"]):
            alone.append(np.log(m.distribution(sentence[:i])[ids([word])[0]]))
        for word, target in zip(["<s>", *sentence], [*sentence, "</s>"], strict=True):
            a = language_model.states(m.parameters, ids([word])[:, None], a0)[1]
            z = language_model.scores(m.parameters, a[-1:])[0, :, 0]
            carried.append(z[ids([target])[0]] - np.log(np.exp(z).sum()))
            a0 = a[-1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_model, "_SIDE_BY_SIDE", side_by_side)
        patch.setattr(language_model, "_SCORES_AT_ONCE", 55)  # time is cut into pieces as well
        np.testing.assert_allclose(m.log_probabilities(sentences), alone, rtol=1e-12)
        np.testing.assert_allclose(m.log_probabilities(sentences, carry=True), carried, rtol=1e-12)
    np.testing.assert_allclose(m.log_probabilities(iter(sentences)), alone, rtol=1e-12)
    ends = np.cumsum([len(sentence) + 1 for sentence in sentences])
    expected = [part.sum() for part in np.split(np.array(alone), ends[:-1])]
    np.testing.assert_allclose(m.sentence_log_probabilities(sentences), expected, rtol=1e-12)
    assert m.perplexity(sentences) == pytest.approx(np.exp(-np.mean(alone)), rel=1e-12)
    assert m.perplexity(sentences, carry=True) == pytest.approx(np.exp(-np.mean(carried)), rel=1e-12)


@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
def test_distributions_sum_to_one_in_every_kind_of_context(options):
    m = model(**options)
    for context in ([], ["<s>"], ["<s>", "a"], ["a"], ["?", "?"], list("abcdefgh") * 20):
        p = m.distribution(context)
        assert p.shape == (LETTERS.size,)
        assert p.sum() == pytest.approx(1, rel=1e-13)
        assert (p > 0).all()
    np.testing.assert_array_equal(m.distribution(), m.distribution(["<s>"]))


def test_probabilities_of_all_short_sentences_sum_to_less_than_one():
    m = RecurrentModel.create(np.random.default_rng(0), Vocabulary(["a", "b"]), 3)
    symbols = ["a", "b", "<unk>"]
    total, sentences = 0.0, [[]]
    for _ in range(5):
        total += np.exp(m.sentence_log_probabilities(sentences)).sum()
        sentences = [[*sentence, symbol] for sentence in sentences for symbol in symbols]
    # What is missing is the probability of being longer: each of these beginnings has one.
    x = m.vocabulary.encode_sentences(sentences).reshape(len(sentences), -1)[:, :-1].T
    a = language_model.states(m.parameters, x[:-1])[1]
    z = language_model.scores(m.parameters, a[1:])
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    longer = np.exp(np.take_along_axis(log_p, x[1:, None], axis=1).sum(axis=0)).sum()
    assert total + longer == pytest.approx(1, rel=1e-12)


def test_without_sentences():
    m = model()
    assert m.log_probabilities([]).shape == (0,)
    assert m.sentence_log_probabilities([]).shape == (0,)
    with pytest.raises(ValueError, match="no log-probabilities"):
        m.perplexity([])


# Sampling


def test_samples_follow_the_distribution():
    m = model(hidden=6)
    rng = np.random.default_rng(0)
    first = [m.sample(rng, maximum_length=1) for _ in range(3000)]
    counts = np.zeros(LETTERS.size)
    for words in first:
        counts[m.vocabulary.encode(words or ["</s>"])[0]] += 1
    p = m.distribution([])
    assert (abs(counts / 3000 - p) < 4.5 * np.sqrt(p * (1 - p) / 3000)).all()


def test_samples_from_few_words():
    m = model()
    greedy = m.sample(np.random.default_rng(0), temperature=0, maximum_length=10)
    for options in ({"top_k": 1}, {"nucleus": 1e-9}, {"temperature": 1e-9}):
        assert m.sample(np.random.default_rng(1), maximum_length=10, **options) == greedy
    text, words = [], ["a", "b"]
    for _ in range(6):
        best = int(np.argmax(m.distribution(words)))
        if best == LETTERS.end:
            break
        words.append(LETTERS.symbols[best])
        text.append(words[-1])
    assert m.sample(np.random.default_rng(1), top_k=1, context=["a", "b"], maximum_length=6) == text
    assert m.sample(np.random.default_rng(1), maximum_length=0) == []
    assert m.sample(np.random.default_rng(5)) == m.sample(np.random.default_rng(5))
    for bad in ({"temperature": -1}, {"top_k": 0}, {"nucleus": 0}, {"maximum_length": -1}):
        with pytest.raises(ValueError, match=r"temperature|k has to be|mass|maximum_length"):
            m.sample(np.random.default_rng(0), **bad)


# Training


QUICK = {name: options for name, options in ALL.items() if options.get("layers", 1) < 3}  # deeper ones need longer


@pytest.mark.parametrize("options", QUICK.values(), ids=QUICK)
def test_training_learns(options):
    m = RecurrentModel.create(np.random.default_rng(0), LETTERS, 12, dropout=0.1, dtype=np.float32, **options)
    before = m.perplexity(SENTENCES)
    history = m.train(SENTENCES, np.random.default_rng(0), epochs=60, streams=4, length=8, rate=2e-2)
    assert len(history.costs) == round(60 * np.ceil(sum(len(s) + 1 for s in SENTENCES) // 4 / 8))
    assert history.costs[0] == pytest.approx(np.log(LETTERS.size), rel=0.2)
    assert m.perplexity(SENTENCES, carry=True) < 2
    assert m.perplexity(SENTENCES) < 3 < before
    assert {value.dtype for value in m.parameters.values()} == {np.dtype(np.float32)}


def test_training_is_the_loop_of_segments():
    m = model()
    p = {name: value.copy() for name, value in m.parameters.items()}
    history = m.train(
        SENTENCES, np.random.default_rng(0), steps=9, streams=3, length=50, rate=1e-2, schedule=lambda over: 1.0
    )
    x, y = (training.streams(ids, 3) for ids in read_and_predict(LETTERS, SENTENCES))
    optimiser, costs, a0 = optimisers.Adam(1e-2), [], None
    for k in range(9):
        start = k * 50 % (-(-len(x) // 50) * 50)
        a0 = None if start == 0 else a0
        result = language_model.cost_and_gradients(p, x[start : start + 50], y[start : start + 50], a0)
        optimiser.update(p, clip_by_global_norm(result.gradients, 1.0)[0])
        costs.append(result.J)
        a0 = result.a[-1]
    np.testing.assert_array_equal(history.costs, costs)
    for name in p:
        np.testing.assert_array_equal(m.parameters[name], p[name])


def test_training_can_be_resumed_and_measures(tmp_path):
    results = []
    for steps in ((40,), (20, 40)):
        for until in steps:
            m = model(dropout=0.3, embedding=3)
            history = m.train(
                SENTENCES,
                np.random.default_rng(0),
                steps=until,
                streams=4,
                length=8,
                schedule=optimisers.constant,
                valid=SENTENCES[:5],
                every=10,
                patience=50,
                checkpoint=tmp_path / f"{len(steps)}.npz",
            )
        results.append((m.parameters, history))
    (one, history), (other, again) = results
    np.testing.assert_array_equal(history.costs, again.costs)
    np.testing.assert_array_equal(history.evaluations, again.evaluations)
    assert history.evaluated_at.tolist() == [10, 20, 30, 40]
    assert history.evaluations[-1] == pytest.approx(-m.log_probabilities(SENTENCES[:5]).mean(), rel=1e-12)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_training_leaves_the_arrays_it_was_given_alone():
    arrays = model().parameters
    before = {name: value.copy() for name, value in arrays.items()}
    m = RecurrentModel(LETTERS, arrays)
    options = {"optimiser": optimisers.GradientDescent(1e308), "schedule": optimisers.constant}
    with pytest.raises(training.TrainingError, match="step 1: "):
        m.train(SENTENCES, np.random.default_rng(0), steps=5, streams=4, **options)
    for name in before:
        np.testing.assert_array_equal(arrays[name], before[name])
        assert np.isfinite(m.parameters[name]).all()


def test_training_refuses():
    for options, message in [
        ({"epochs": 0}, "epochs has to be positive"),
        ({"steps": 0}, "steps and every"),
        ({"streams": 0}, "number of streams"),
        ({"streams": 10**6}, "number of streams"),
        ({"length": 0}, "at least 1 step"),
        ({"rate": 0}, "learning rate"),
    ]:
        with pytest.raises(ValueError, match=message):
            model().train(SENTENCES, np.random.default_rng(0), **{"streams": 4, **options})
    with pytest.raises(ValueError, match="no sentences"):
        model().train([], np.random.default_rng(0))


@pytest.mark.parametrize("options", UNITS.values(), ids=UNITS)
def test_any_layer_reads_in_pieces_as_it_reads_at_once(options):
    m = model(**options)
    x = np.random.default_rng(0).integers(0, LETTERS.size + 1, (9, 2))
    whole = language_model.read(m.parameters, x, layer=m.layer)[1]
    first = language_model.read(m.parameters, x[:4], layer=m.layer)[1]
    second = language_model.read(m.parameters, x[4:], first.s_last, layer=m.layer)[1]
    np.testing.assert_allclose(second.outputs, whole.outputs[4:], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(second.s_last, whole.s_last, rtol=1e-12, atol=1e-14)
    words = list("abcab")
    drawn = m.sample(np.random.default_rng(1), context=words, maximum_length=5)
    logs = m.log_probabilities([[*words, *drawn]])
    for k, word in enumerate([*words, *drawn]):
        p = m.distribution([*words, *drawn][:k])[LETTERS.encode([word])[0]]
        assert logs[k] == pytest.approx(np.log(p), rel=1e-11)


def test_dropout_between_layers_is_drawn_for_all_but_the_lowest():
    m = model(layers=3, unit="gru")
    dropped = language_model.draw_dropout(np.random.default_rng(0), m.parameters, 6, 2, 0.5, m.layer)
    assert [kept.shape for kept in dropped.between] == [(6, 4, 2)] * 2


def test_units_and_layers_that_are_none_are_named():
    with pytest.raises(ValueError, match="unit is one of"):
        model(unit="elman")
    with pytest.raises(ValueError, match="layers has to be at least 1; got 0"):
        model(layers=0)
    m = model(unit="lstm", layers=2)
    with pytest.raises(ValueError, match=r"the parameter 1\.Waa is missing"):
        RecurrentModel(LETTERS, {k: v for k, v in m.parameters.items() if k != "1.Waa"}, unit="lstm", layers=2)
    with pytest.raises(ValueError, match=r"2\.Wax has to have shape \(16, 4\)"):
        RecurrentModel(LETTERS, m.parameters | {"2.Wax": np.zeros((16, 3))}, unit="lstm", layers=2)
    with pytest.raises(ValueError, match=r"1\.Waa has to have shape \(12, 4\)"):
        RecurrentModel(LETTERS, m.parameters, unit="gru", layers=2)


# Files


@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_model_is_the_same_model(tmp_path, options, dtype):
    vocabulary = Vocabulary(["a", "\n", " ", "ü", "ends-in-nul\0"])
    m = RecurrentModel.create(np.random.default_rng(0), vocabulary, 4, dropout=0.25, dtype=dtype, **options)
    m.save(tmp_path / "model.npz")
    again = RecurrentModel.load(tmp_path / "model.npz")
    assert again.vocabulary == m.vocabulary
    assert again.dropout == 0.25
    assert again.layer == m.layer
    assert set(again.parameters) == set(m.parameters)
    for name in m.parameters:
        assert again.parameters[name].dtype == dtype
        np.testing.assert_array_equal(again.parameters[name], m.parameters[name])
