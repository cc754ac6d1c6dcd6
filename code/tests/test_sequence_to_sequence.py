"""Encoder, decoder and attention: against torch, the complex step, one pair by itself, and searches of every width."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import bidirectional, decoding, deep, padding, recurrence, sequence_to_sequence
from unrolled.gradients import complex_step
from unrolled.sequence_to_sequence import Batch, SequenceToSequence, Translator, TranslatorFileError
from unrolled.vocabulary import Vocabulary

V_X, V_Y = 5, 4
UNITS = ["rnn", "gru", "gru-reset-after", "lstm"]


def network(encoder="one", unit="gru", attention=None, n_a=3, n_dec=3, n_e=2, **more):
    """A small network of the kind asked for."""
    one = recurrence.Layer(unit, 2, n_a)
    encoders = {
        "one": one,
        "both": bidirectional.Layer(unit, 2, n_a),
        "two": deep.Stack((one, recurrence.Layer(unit, n_a, n_a))),
        "both below one": deep.Stack((bidirectional.Layer(unit, 2, n_a), recurrence.Layer("rnn", 2 * n_a, n_a))),
    }
    n_x = n_e + (encoders[encoder].n_out if attention else 0)
    decoder = recurrence.Layer(unit, n_x, n_dec)
    if encoder == "two":
        decoder = deep.Stack((decoder, recurrence.Layer(unit, n_dec, n_dec)))
    return SequenceToSequence(encoders[encoder], decoder, V_X, V_Y, attention, **more)


def draw(net, seed, scale=0.7):
    """Random parameters, biases too."""
    rng = np.random.default_rng(seed)
    return {name: value + scale * rng.normal(size=value.shape) for name, value in net.create(rng).items()}


def pairs_of(rng, m, longest=5):
    """Random sources and targets of different lengths; a target may be empty."""
    sources = [rng.integers(V_X, size=rng.integers(1, longest + 1)) for _ in range(m)]
    targets = [rng.integers(2, V_Y, size=rng.integers(0, longest)) for _ in range(m)]
    return sources, targets


def assert_close(found, expected, rtol):
    """Equal within rtol of the largest number of all: small entries are sums of larger ones."""
    assert set(found) == set(expected)
    largest = max(np.abs(value).max() for value in expected.values())
    for name, value in expected.items():
        assert found[name].shape == value.shape, name
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=rtol * max(largest, 1), err_msg=name)


KINDS = [
    ("one", unit, attention, 3, bridge) for unit in UNITS for attention in (None, 2) for bridge in (None, True)
] + [
    ("both", "gru", None, 3, None),
    ("both", "lstm", 3, 3, None),
    ("both", "rnn", 3, 6, None),
    ("two", "gru", 2, 3, None),
    ("two", "lstm", None, 3, None),
    ("both below one", "gru", 2, 2, None),
]


@pytest.mark.parametrize(("encoder", "unit", "attention", "n_dec", "bridge"), KINDS)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_every_gradient_against_the_complex_step(encoder, unit, attention, n_dec, bridge, reduction):
    net = network(encoder, unit, attention, n_dec=n_dec, bridge=bridge)
    parameters = draw(net, 1)
    pairs = sequence_to_sequence.batch(*pairs_of(np.random.default_rng(2), 3), start=V_Y)
    step = net.cost_and_gradients(parameters, pairs, reduction)
    assert list(step.gradients) == list(parameters)
    assert np.isclose(step.J, net.cost(parameters, pairs, reduction), rtol=1e-14)
    stepped = complex_step(lambda p: net.cost(p, pairs, reduction), parameters)
    assert_close(step.gradients, stepped, 1e-12)


# The same by torch: one pair at a time, no batch and no mask, the formulas of the module's text, under autograd.


def sigmoid(z):
    return torch.sigmoid(z)


def torch_step(unit, p, name, s, x):
    """One step of a unit on columns (n, 1), from the units' formulas."""
    W, U, b = p[f"{name}.Waa"], p[f"{name}.Wax"], p[f"{name}.ba"]
    n = W.shape[1]
    if unit == "rnn":
        return torch.tanh(W @ s + U @ x + b)
    if unit == "gru":
        g = sigmoid(W[: 2 * n] @ s + U[: 2 * n] @ x + b[: 2 * n])
        u, r = g[:n], g[n:]
        return u * torch.tanh(W[2 * n :] @ (r * s) + U[2 * n :] @ x + b[2 * n :]) + (1 - u) * s
    a, c = s[:n], s[n:]
    z = W @ a + U @ x + b
    f, u, o = (sigmoid(z[i * n : (i + 1) * n]) for i in range(3))
    c = u * torch.tanh(z[3 * n :]) + f * c
    return torch.cat([o * torch.tanh(c), c])


def torch_cost(net, unit, p, sources, targets):
    """The sum of all losses, pair by pair."""
    total, n_enc, n_dec = 0, net.encoder.n_out, net.decoder.n_out
    for source, target in zip(sources, targets, strict=True):
        s, h = torch.zeros(net.encoder.n_s, 1, dtype=torch.float64), []
        for word in source:
            s = torch_step(unit, p, "encoder", s, p["Ex"][:, [int(word)]])
            h.append(s[:n_enc])
        h = torch.cat(h, dim=1)  # (n_h, T_x)
        if net.bridged:
            s = torch.tanh(p["Wss"] @ s + p["bs"])
        read = [V_Y, *map(int, target)]
        for word, right in zip(read, [*read[1:], 1], strict=True):
            x = p["Ey"][:, [word]]
            if net.attention:
                e = p["Wep"] @ torch.tanh(p["Wps"] @ s + p["Wph"] @ h + p["bp"])
                x = torch.cat([x, h @ torch.softmax(e, dim=1).T])
            s = torch_step(unit, p, "decoder", s, x)
            z = p["Wya"] @ s[:n_dec] + p["by"]
            total = total + torch.nn.functional.cross_entropy(z.T, torch.tensor([right]))
    return total


@settings(deadline=None, max_examples=25)
@given(
    unit=st.sampled_from(["rnn", "gru", "lstm"]),
    attention=st.sampled_from([None, 1, 4]),
    n_a=st.integers(1, 4),
    n_dec=st.integers(1, 4),
    bridge=st.sampled_from([None, True]),
    m=st.integers(1, 4),
    seed=st.integers(0, 10**6),
)
def test_cost_and_gradients_of_torch_pair_by_pair(unit, attention, n_a, n_dec, bridge, m, seed):
    net = network("one", unit, attention, n_a, n_dec, bridge=bridge)
    parameters, rng = draw(net, seed), np.random.default_rng(seed)
    sources, targets = pairs_of(rng, m)
    theirs = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    total = torch_cost(net, unit, theirs, sources, targets)
    total.backward()
    step = net.cost_and_gradients(parameters, sequence_to_sequence.batch(sources, targets, V_Y), "sum")
    assert np.isclose(step.J, total.item(), rtol=1e-12)
    zero = {name: np.zeros_like(value) for name, value in parameters.items()}
    gradients = {n: zero[n] if p.grad is None else p.grad.numpy() for n, p in theirs.items()}
    assert_close(step.gradients, gradients, 1e-12)


@settings(deadline=None, max_examples=30)
@given(
    kind=st.sampled_from(["one", "both", "two"]),
    attention=st.sampled_from([None, 3]),
    m=st.integers(1, 4),
    more_x=st.integers(0, 3),
    more_y=st.integers(0, 3),
    seed=st.integers(0, 10**6),
)
def test_padding_changes_neither_cost_nor_gradient(kind, attention, m, more_x, more_y, seed):
    net = network(kind, "gru", attention)
    parameters, rng = draw(net, seed), np.random.default_rng(seed)
    pairs = sequence_to_sequence.batch(*pairs_of(rng, m), start=V_Y)
    filled = []
    for ids, mask, size, more in (
        (pairs.x, pairs.mask_x, V_X, more_x),
        (pairs.fed, pairs.mask_y, V_Y + 1, more_y),
        (pairs.y, pairs.mask_y, V_Y, more_y),
    ):
        other = rng.integers(size, size=(len(ids) + more, m))
        mask = np.concatenate([mask, np.zeros((more, m), dtype=bool)])
        other[mask] = ids[mask[: len(ids)]] if more == 0 else np.concatenate([ids, other[len(ids) :]])[mask]
        filled += [other, mask]
    x, mask_x, fed, _, y, mask_y = filled
    one, other = (net.cost_and_gradients(parameters, b) for b in (pairs, Batch(x, mask_x, fed, y, mask_y)))
    assert np.isclose(one.J, other.J, rtol=1e-12)
    assert_close(other.gradients, one.gradients, 1e-12)


@settings(deadline=None, max_examples=20)
@given(kind=st.sampled_from(["one", "both"]), attention=st.sampled_from([None, 3]), seed=st.integers(0, 10**6))
def test_a_batch_is_its_pairs_one_by_one(kind, attention, seed):
    net = network(kind, "gru", attention)
    parameters, rng = draw(net, seed), np.random.default_rng(seed)
    sources, targets = pairs_of(rng, 3)
    together = net.cost_and_gradients(parameters, sequence_to_sequence.batch(sources, targets, V_Y), "sum")
    J, total = 0.0, {name: np.zeros_like(value) for name, value in parameters.items()}
    for source, target in zip(sources, targets, strict=True):
        step = net.cost_and_gradients(parameters, sequence_to_sequence.batch([source], [target], V_Y), "sum")
        J += step.J
        total = {name: total[name] + step.gradients[name] for name in total}
    assert np.isclose(together.J, J, rtol=1e-12)
    assert_close(together.gradients, total, 1e-12)


def test_attention_weights_are_distributions_over_the_source_alone():
    net = network("both", "lstm", 3)
    parameters = draw(net, 3)
    pairs = sequence_to_sequence.batch(*pairs_of(np.random.default_rng(4), 5), start=V_Y)
    alpha = net.attention_weights(parameters, pairs)
    assert alpha.shape == (len(pairs.y), *pairs.x.shape)
    np.testing.assert_allclose(alpha.sum(axis=1), 1, rtol=1e-12)
    assert (alpha >= 0).all()
    assert (alpha[:, ~pairs.mask_x] == 0).all()
    assert (alpha[:, pairs.mask_x] > 0).all()


def test_large_energies_do_not_overflow():
    net = network("one", "gru", 3)
    parameters = draw(net, 3)
    parameters["Wep"] = np.full((1, 3), 1e4)
    pairs = sequence_to_sequence.batch(*pairs_of(np.random.default_rng(4), 5), start=V_Y)
    assert np.isfinite(net.cost_and_gradients(parameters, pairs).J)


@pytest.mark.parametrize("attention", [None, 3])
@pytest.mark.parametrize("kind", ["one", "two", "both"])
def test_the_step_of_a_search_gives_the_losses_of_teacher_forcing(kind, attention):
    net = network(kind, "gru", attention)
    parameters, rng = draw(net, 5), np.random.default_rng(6)
    pairs = sequence_to_sequence.batch(*pairs_of(rng, 4), start=V_Y)
    step, state = net.stepper(parameters), net.begin(parameters, pairs.x, pairs.mask_x)
    losses = net.losses(parameters, pairs)
    assert (losses[~pairs.mask_y] == 0).all()
    for t, (fed, y) in enumerate(zip(pairs.fed, pairs.y, strict=True)):
        logs, state = step(state, fed)
        np.testing.assert_allclose(np.exp(logs).sum(axis=0), 1, rtol=1e-12)
        real = pairs.mask_y[t]
        np.testing.assert_allclose(-logs[y, range(4)][real], losses[t][real], rtol=1e-11)
        order = rng.permutation(4)  # columns may be exchanged between steps
        swapped, _ = step(decoding.choose(state, order), fed[order])
        straight, _ = step(state, fed)
        np.testing.assert_allclose(swapped, straight[:, order], rtol=1e-11)


@settings(deadline=None, max_examples=10)
@given(attention=st.sampled_from([None, 3]), seed=st.integers(0, 10**6), power=st.sampled_from([0.0, 1.0]))
def test_a_wide_beam_is_exhaustive_and_exact_search_agrees(attention, seed, power):
    net, longest = network("one", "gru", attention), 3
    parameters = draw(net, seed)
    step = net.stepper(parameters)
    state = net.begin(parameters, np.array([[1], [3], [0]]), np.ones((3, 1), dtype=bool))
    everything = [h for h in decoding.exhaustive(step, state, V_Y, 1, longest) if h.complete]
    by_score = sorted(everything, key=lambda h: -h.log_probability / (len(h.symbols) + 1) ** power)
    (beam,) = decoding.beam_search(step, state, 1, V_Y, 1, longest, V_Y**longest, power, best=V_Y**longest)
    assert [h.symbols for h in beam] == [h.symbols for h in by_score]
    winner, _ = decoding.exact_search(step, state, V_Y, 1, longest, power)
    assert winner.symbols == by_score[0].symbols
    assert np.isclose(winner.log_probability, by_score[0].log_probability, rtol=1e-12)


# With vocabularies

WORDS = Vocabulary(["one", "two", "three"])
LETTERS = Vocabulary(["I", "V"])
ROMAN = {("one",): "I", ("two",): "I I", ("three",): "I I I", ("one", "three"): "I I I I", ("three", "two"): "V"}
SOURCES, TARGETS = list(ROMAN), [text.split() for text in ROMAN.values()]


def small_translator(**how):
    settings_ = {"hidden": 12, "embedding": 4} | how
    return Translator.create(np.random.default_rng(1), WORDS, LETTERS, **settings_)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"attention": 5},
        {"both_directions": True, "attention": 5, "unit": "lstm"},
        {"layers": 2, "both_directions": True},
        {"dtype": np.float32, "attention": 5},
    ],
)
def test_a_translator_learns_a_few_words_by_heart(how):
    translator = small_translator(**how)
    before = translator.log_probabilities(SOURCES, TARGETS).mean()
    history = translator.train(SOURCES, TARGETS, np.random.default_rng(2), steps=150, rate=2e-2)
    assert history.costs[-1] < 0.1 < history.costs[0]
    assert translator.log_probabilities(SOURCES, TARGETS).mean() > before / 3
    assert translator.translate(SOURCES) == TARGETS
    assert translator.translate(SOURCES, width=3, length_power=1.0) == TARGETS
    dtype = how.get("dtype", np.float64)
    assert {value.dtype for value in translator.parameters.values()} == {np.dtype(dtype)}


def test_hypotheses_carry_their_log_probabilities():
    translator = small_translator(attention=3)
    found = translator.hypotheses(SOURCES, width=4, best=4, longest=6)
    for source, beam in zip(SOURCES, found, strict=True):
        words = [LETTERS.decode(h.symbols) for h in beam if h.complete]
        expected = translator.log_probabilities([source] * len(words), words)
        np.testing.assert_allclose([h.log_probability for h in beam if h.complete], expected, rtol=1e-11)
    greedy = [beam[0] for beam in translator.hypotheses(SOURCES, longest=6)]
    assert [LETTERS.decode(h.symbols) for h in greedy] == translator.translate(SOURCES, longest=6)


def test_many_sources_are_searched_in_portions(monkeypatch):
    translator = small_translator(attention=3)
    whole = translator.translate(SOURCES, width=2)
    monkeypatch.setattr(sequence_to_sequence, "_SIDE_BY_SIDE", 2)
    assert translator.translate(SOURCES, width=2) == whole
    assert translator.translate([]) == []


def test_training_depends_on_the_generator_alone_and_can_be_resumed(tmp_path):
    runs = []
    for steps in ((20,), (20,), (11, 20)):
        translator = small_translator(attention=3)
        for until in steps:
            more = {"checkpoint": tmp_path / "run"} if len(steps) > 1 else {}
            schedule = {"schedule": lambda over: 1.0}
            translator.train(
                SOURCES, TARGETS, np.random.default_rng(2), steps=until, pairs_per_step=2, **more, **schedule
            )
        runs.append(translator.parameters)
    for name in runs[0]:
        assert np.array_equal(runs[0][name], runs[1][name])
        assert np.array_equal(runs[0][name], runs[2][name])


def test_attention_of_one_sentence():
    translator = small_translator(attention=3)
    alpha = translator.attention_weights(("one", "three"), ["I", "V"])
    assert alpha.shape == (3, 2)
    np.testing.assert_allclose(alpha.sum(axis=1), 1, rtol=1e-12)
    assert translator.number_of_parameters == sum(v.size for v in translator.parameters.values())
    assert "Translator from 5 to 4 symbols" in repr(translator)


def test_the_batch_shifts_what_is_fed():
    pairs = sequence_to_sequence.batch([[0], [1, 2]], [[2, 3, 2], []], start=9)
    assert pairs.x.tolist() == [[0, 1], [0, 2]]
    assert pairs.mask_x.tolist() == [[True, True], [False, True]]
    assert pairs.y[:, 0].tolist() == [2, 3, 2, 1]
    assert pairs.fed[:, 0].tolist() == [9, 2, 3, 2]
    assert (pairs.y[0, 1], pairs.fed[0, 1]) == (1, 9)
    assert pairs.mask_y.sum(axis=0).tolist() == [4, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network(n_dec=4, bridge=False), "without a bridge"),
        (lambda: network(attention=0), "attention is at least 1"),
        (lambda: SequenceToSequence(recurrence.Layer("gru", 2, 3), recurrence.Layer("gru", 2, 3), 0, 4), "V_x"),
        (lambda: SequenceToSequence(recurrence.Layer("gru", 2, 3), recurrence.Layer("gru", 2, 3), 5, 1), "V_y"),
        (
            lambda: SequenceToSequence(recurrence.Layer("gru", 2, 3), recurrence.Layer("gru", 3, 3), 5, 4, 2),
            "above n_out = 3",
        ),
        (
            lambda: SequenceToSequence(recurrence.Layer("gru", 2, 3), bidirectional.Layer("gru", 2, 3), 5, 4),
            "left to right",
        ),
        (
            lambda: SequenceToSequence(
                recurrence.Layer("gru", 2, 3), deep.Stack((bidirectional.Layer("gru", 2, 3),)), 5, 4
            ),
            "left to right",
        ),
        (lambda: small_translator(layers=0), "at least 1 layer"),
        (lambda: Translator(network(), draw(network(), 1), WORDS, WORDS), "vocabularies have"),
        (lambda: Translator(network(), {}, WORDS, LETTERS), "Ex of shape"),
    ],
)
def test_descriptions_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def good():
    return sequence_to_sequence.batch([[0, 1], [2]], [[2, 3], [3]], start=V_Y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b._replace(x=b.x + 5), r"id \d in x is out of range: its ids are 0 .. 4"),
        (lambda b: b._replace(fed=b.fed + 1), "fed is out of range"),
        (lambda b: b._replace(y=b.y * 2), "y is out of range"),
        (lambda b: b._replace(x=b.x.astype(float)), "x has to hold ids"),
        (lambda b: b._replace(x=b.x[:0], mask_x=b.mask_x[:0]), "at least one of each"),
        (lambda b: b._replace(mask_x=b.mask_x.astype(int)), "mask_x has to be boolean"),
        (lambda b: b._replace(mask_y=b.mask_y[:1]), "mask_y has to be boolean"),
        (lambda b: b._replace(fed=b.fed[:1]), "x is .T_x, m."),
        (lambda b: b._replace(mask_x=b.mask_x & [True, False]), "source 1 is empty"),
        (lambda b: b._replace(mask_y=b.mask_y & False), "no mean over no predictions"),
    ],
)
def test_batches_that_do_not_fit(change, message):
    net = network(attention=2)
    with pytest.raises(ValueError, match=message):
        net.cost_and_gradients(draw(net, 1), change(good()))


def test_other_wrong_arguments():
    net = network()
    parameters = draw(net, 1)
    with pytest.raises(ValueError, match="'sum' or 'mean'"):
        net.cost(parameters, good(), "max")
    with pytest.raises(ValueError, match="Wya has the shape"):
        net.cost(parameters | {"Wya": np.zeros((3, 3))}, good())
    with pytest.raises(ValueError, match="no attention"):
        net.attention_weights(parameters, good())
    with pytest.raises(ValueError, match="needs a target"):
        sequence_to_sequence.batch([[1]], [[2], [3]], V_Y)
    with pytest.raises(ValueError, match="empty"):
        sequence_to_sequence.batch([[]], [[2]], V_Y)
    with pytest.raises(ValueError, match="needs a target"):
        small_translator().train([], [], np.random.default_rng(0), steps=1)
    with pytest.raises(ValueError, match="empty"):
        small_translator().translate([[]])
    assert padding.mask([2, 1]).shape == (2, 2)


# Files

SAVED = {
    "plain": lambda: network(),
    "attention": lambda: network(attention=2, n_dec=np.int64(4)),
    "both directions, a bridge": lambda: network("both", "lstm", n_dec=4),
    "two layers": lambda: network("two", "gru-reset-after", 2, bridge=True),
    "directions in a stack": lambda: network("both below one", "gru", 2, n_dec=2),
    "residual, normalised, columns": lambda: SequenceToSequence(
        deep.Stack((recurrence.Layer("rnn", 3, 3), deep.Columns(3, (4, 3), "relu")), residual=True, normalised=True),
        recurrence.Layer("rnn", 2, 3),
        V_X,
        V_Y,
    ),
}


@pytest.mark.parametrize("make", SAVED.values(), ids=SAVED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_translator_is_the_same_translator(tmp_path, make, dtype):
    net = make()
    source, target = Vocabulary(["a", "\n", "ü"]), Vocabulary(["ends-in-nul\0", " "])
    parameters = {name: value.astype(dtype) for name, value in draw(net, 3).items()}
    translator = Translator(net, parameters, source, target)
    translator.save(tmp_path / "translator.npz")
    again = Translator.load(str(tmp_path / "translator.npz"))
    assert again.network == net
    assert (again.source, again.target) == (source, target)
    assert set(again.parameters) == set(parameters)
    for name, value in parameters.items():
        assert again.parameters[name].dtype == dtype
        np.testing.assert_array_equal(again.parameters[name], value)
    read = [["a", "ü"], ["\n"]]
    assert again.translate(read, longest=5) == translator.translate(read, longest=5)


def rewritten(path, change):
    """The same file with other contents: change(described, parameters) works in place."""
    with np.load(path) as file:
        parameters = {name: file[name] for name in file.files}
    described = json.loads(parameters.pop("description").tobytes())
    change(described, parameters)
    text = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    np.savez(path, description=text, **parameters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d, p: p.pop("Wya"), "Wya of shape .* is missing"),
        (lambda d, p: p.pop("encoder.Waa"), r"encoder\.Waa is missing"),
        (lambda d, p: p.update({"decoder.ba": np.zeros((36, 2))}), r"decoder\.ba has the shape \(36, 2\)"),
        (lambda d, p: p.update(Wss=np.zeros((2, 2))), "has no parameter Wss"),
        (lambda d, p: p.update(by=p["by"].astype(np.float32)), "by has to be of the floating-point type of Wya"),
        (lambda d, p: p.update(by=p["by"].astype(int)), "by has to be of the floating-point type"),
        (lambda d, p: d["source"].pop(), "Ex has the shape"),
        (lambda d, p: d.pop("target"), "target"),
        (lambda d, p: d["encoder"].update(kind="a third"), "no kind of layer called 'a third'"),
        (lambda d, p: d["encoder"].update(unit="elman"), "elman"),
        (lambda d, p: d["encoder"].pop("kind"), "kind"),
        (lambda d, p: d["decoder"].update(depth=2), "depth"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused(tmp_path, change, message):
    path = tmp_path / "translator.npz"
    small_translator(attention=3).save(path)
    Translator.load(path)
    rewritten(path, change)
    with pytest.raises(TranslatorFileError, match=message):
        Translator.load(path)


def test_a_layer_from_elsewhere_cannot_be_saved(tmp_path):
    class Own(recurrence.Layer):
        """A layer that a file could not bring back."""

    net = SequenceToSequence(Own("gru", 2, 3), recurrence.Layer("gru", 2, 3), V_X, V_Y)
    words = Vocabulary(["a", "b", "c"]), Vocabulary(["a", "b"])
    with pytest.raises(TypeError, match="only networks of this package's layers can be saved; got Own"):
        Translator(net, draw(net, 1), *words).save(tmp_path / "translator.npz")
    assert list(tmp_path.iterdir()) == []


def test_training_leaves_alone_the_arrays_that_a_translator_was_made_of():
    first = small_translator()
    before = {name: value.copy() for name, value in first.parameters.items()}
    second = Translator(first.network, first.parameters, WORDS, LETTERS)
    second.train(SOURCES, TARGETS, np.random.default_rng(2), steps=3)
    for name, value in before.items():
        np.testing.assert_array_equal(first.parameters[name], value)
    assert not np.array_equal(second.parameters["Wya"], before["Wya"])
