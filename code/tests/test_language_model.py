"""The recurrent language model: texts, gradients, probabilities, training, files."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import language_model
from unrolled.gradients import complex_step
from unrolled.language_model import RecurrentModel
from unrolled.vocabulary import Vocabulary

LETTERS = Vocabulary(list("abcdefgh"))
SENTENCES = [list("abcabd"), list("abch"), list("g"), list("feabc"), list("abcabcabd")] * 8
OPTIONS = {
    "one-hot": {},
    "embedding": {"embedding": 3},
    "tied": {"tied": True},
    "tied, projected": {"tied": True, "embedding": 3},
}


def model(seed=0, **options):
    m = RecurrentModel.create(np.random.default_rng(seed), LETTERS, **{"hidden": 4, **options})
    rng = np.random.default_rng([seed, 1])
    for name, value in m.parameters.items():  # biases and small embeddings would hide mistakes
        value += rng.normal(0, 0.3, value.shape) if name in ("ba", "by", "E") else 0
    return m


@st.composite
def problems(draw):
    options = OPTIONS[draw(st.sampled_from(sorted(OPTIONS)))]
    seed = draw(st.integers(0, 2**32))
    m = model(seed, **options)
    rng = np.random.default_rng(seed)
    T, columns = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    x = rng.integers(0, LETTERS.size + 1, (T, columns))
    y = rng.integers(0, LETTERS.size, (T, columns))
    a0 = rng.normal(size=(4, columns)) if draw(st.booleans()) else None
    mask = None
    if draw(st.booleans()):
        mask = rng.random((T, columns)) < 0.7
        mask[0, 0] = True
    rate = draw(st.sampled_from([0.0, 0.4]))
    dropped = language_model.draw_dropout(rng, m.parameters, T, columns, rate) if rate else None
    return m.parameters, {"x": x, "targets": y, "a0": a0, "mask": mask, "dropped": dropped}


# Both passes


@settings(deadline=None, max_examples=60)
@given(problems())
def test_gradients_against_the_complex_step(problem):
    parameters, batch = problem
    result = language_model.cost_and_gradients(parameters, **batch)
    np.testing.assert_allclose(result.J, language_model.cost(parameters, **batch), rtol=1e-13)
    expected = complex_step(lambda p: language_model.cost(p, **batch), parameters)
    assert set(result.gradients) == set(parameters)
    for name in parameters:
        np.testing.assert_allclose(result.gradients[name], expected[name], rtol=1e-12, atol=1e-15, err_msg=name)
    if batch["a0"] is not None:
        expected = complex_step(lambda a0: language_model.cost(parameters, **{**batch, "a0": a0}), batch["a0"])
        np.testing.assert_allclose(result.da0, expected, rtol=1e-12, atol=1e-15)
