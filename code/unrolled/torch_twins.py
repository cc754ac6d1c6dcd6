"""The same networks in PyTorch, with the same numbers in them: the only module here that imports torch.

PyTorch keeps a batch in rows: its input is (T_x, m, n_x), ours (T_x, n_x, m) with the last two axes exchanged. Its
recurrent layers have two bias vectors where one is enough; in a twin `bias_hh_l0` is zero and frozen, so that both
networks have the same parameters and one step of gradient descent moves them alike. Only the candidate of a GRU needs
its part of the second vector: that is our bca.

PyTorch's gates come in another order, i f g o in its LSTM for our u f c o, r z n in its GRU for our r u c; and its z is
what our update gate leaves, 1 - Gamma_u, which is a change of sign of all that the gate adds up. There is no twin for
Ng's GRU, a function that PyTorch does not have.
"""

from typing import Any

import numpy as np
import torch

from unrolled import bidirectional, deep, recurrence
from unrolled.recurrence import UNITS
from unrolled.rnn import Parameters, check_parameters

_GATES = {
    "rnn": {"a": 1},
    "rnn-relu": {"a": 1},
    "gru-reset-after": {"r": 1, "u": -1, "c": 1},
    "lstm": {"u": 1, "f": 1, "c": 1, "o": 1},
}
"""PyTorch's order of our gates, with the sign of what they add up."""


def to_torch(parameters: Parameters, g1: str = "tanh") -> tuple[torch.nn.RNN, torch.nn.Linear]:
    """A torch layer and a torch output that hold copies of our parameters.

    Args:
        parameters: Waa, Wax, ba, Wya and by, as in `unrolled.rnn`.
        g1: "tanh" or "relu"; torch has no other.

    Returns:
        `torch.nn.RNN` (time first) and `torch.nn.Linear`, in float32 if the parameters are float32 and else in float64.

    Raises:
        ValueError: torch has no such activation, or a parameter is missing or has a wrong shape.
    """
    if g1 not in ("tanh", "relu"):
        raise ValueError(f'torch.nn.RNN knows "tanh" and "relu"; got {g1!r}')
    parameters, _ = check_parameters(parameters)
    dtype = torch.float32 if parameters["Waa"].dtype == np.float32 else torch.float64
    (n_a, n_x), n_y = parameters["Wax"].shape, parameters["Wya"].shape[0]
    layer = torch.nn.RNN(n_x, n_a, nonlinearity=g1, dtype=dtype)
    output = torch.nn.Linear(n_a, n_y, dtype=dtype)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(torch.tensor(parameters["Waa"]))
        layer.weight_ih_l0.copy_(torch.tensor(parameters["Wax"]))
        layer.bias_ih_l0.copy_(torch.tensor(parameters["ba"][:, 0]))
        layer.bias_hh_l0.zero_()
        output.weight.copy_(torch.tensor(parameters["Wya"]))
        output.bias.copy_(torch.tensor(parameters["by"][:, 0]))
    layer.bias_hh_l0.requires_grad_(False)
    return layer, output


def from_torch(layer: torch.nn.RNN, output: torch.nn.Linear) -> Parameters:
    """Our parameters from a torch layer and output, copied; the two bias vectors of the layer are added.

    Raises:
        ValueError: the layer has several layers or two directions, or is no `nn.RNN`; or the output does not fit.
    """
    if not isinstance(layer, torch.nn.RNN) or layer.num_layers != 1 or layer.bidirectional:
        raise ValueError(f"a torch.nn.RNN with one layer and one direction is needed; got {layer}")
    if output.in_features != layer.hidden_size:
        raise ValueError(
            f"the output reads states of {output.in_features} numbers, the layer gives {layer.hidden_size}"
        )

    def array(tensor: torch.Tensor) -> np.ndarray:
        return tensor.detach().numpy().copy()

    n_a, n_y = layer.hidden_size, output.out_features
    ba = array(layer.bias_ih_l0 + layer.bias_hh_l0) if layer.bias else np.zeros(n_a, array(layer.weight_hh_l0).dtype)
    by = array(output.bias) if output.bias is not None else np.zeros(n_y, array(output.weight).dtype)
    return {
        "Waa": array(layer.weight_hh_l0),
        "Wax": array(layer.weight_ih_l0),
        "ba": ba[:, None],
        "Wya": array(output.weight),
        "by": by[:, None],
    }


def layer_to_torch(layer: Any, parameters: Parameters) -> torch.nn.RNNBase:
    """The twin of a layer: `torch.nn.RNN`, `GRU` or `LSTM`, time first, of any depth, of one or two directions.

    Args:
        layer: a `recurrence.Layer`, a `bidirectional.Layer`, or a `deep.Stack` of such, all of one kind and size.
        parameters: of the layer; they are copied.

    Raises:
        ValueError: PyTorch has no such unit, or no such stack; or a parameter is missing or has a wrong shape.
    """
    layers, direction = _plain_stack(layer)
    if direction.unit not in _GATES:
        raise ValueError(f"PyTorch has no unit {direction.unit!r}; there are twins of {', '.join(_GATES)}")
    dtype = torch.float32 if next(iter(parameters.values())).dtype == np.float32 else torch.float64
    two = isinstance(layers[0], bidirectional.Layer)
    options = {"num_layers": len(layers), "bidirectional": two, "dtype": dtype}
    if direction.unit.startswith("rnn"):
        options["nonlinearity"] = "relu" if direction.unit == "rnn-relu" else "tanh"
    module = _CLASSES[direction.unit](layer.n_x, direction.n_a, **options)
    gates, G = list(_GATES[direction.unit]), UNITS[direction.unit].gates
    order = np.concatenate([direction.n_a * G.index(gate) + np.arange(direction.n_a) for gate in gates])
    signs = np.repeat([_GATES[direction.unit][gate] for gate in gates], direction.n_a)[:, None]
    for suffix, prefix, own in _places(layer, layers):
        values = {name: np.asarray(parameters[prefix + name]) for name in _required(own, prefix, parameters)}
        second = torch.zeros(len(order), dtype=dtype)
        keep = torch.zeros(len(order), dtype=dtype)
        if "bca" in values:
            second[2 * own.n_a :] = torch.tensor(values["bca"][:, 0])
            keep[2 * own.n_a :] = 1
        with torch.no_grad():
            getattr(module, f"weight_hh_{suffix}").copy_(torch.tensor(values["Waa"][order] * signs))
            getattr(module, f"weight_ih_{suffix}").copy_(torch.tensor(values["Wax"][order] * signs))
            getattr(module, f"bias_ih_{suffix}").copy_(torch.tensor((values["ba"][order] * signs)[:, 0]))
            bias = getattr(module, f"bias_hh_{suffix}")
            bias.copy_(second)
        if "bca" in values:
            bias.register_hook(lambda gradient, keep=keep: gradient * keep)
        else:
            bias.requires_grad_(False)
    return module


def layer_from_torch(module: torch.nn.RNNBase) -> tuple[Any, Parameters]:
    """Our layer and its parameters, copied from PyTorch's; where one bias is enough, the two are added.

    Raises:
        ValueError: the module is no RNN, GRU or LSTM, or has projections.
    """
    layer = _layer_of(module)
    return layer, _read(module, layer, lambda tensor: tensor.detach(), add=True)


def gradients_from_torch(module: torch.nn.RNNBase) -> Parameters:
    """The gradients of a twin after `backward()`, under our names and in our order.

    Raises:
        ValueError: as for `layer_from_torch`, or no gradient has been computed.
    """
    if module.weight_hh_l0.grad is None:
        raise ValueError("the module has no gradients; call backward() first")
    return _read(module, _layer_of(module), lambda tensor: tensor.grad, add=False)


_CLASSES = {
    "rnn": torch.nn.RNN,
    "rnn-relu": torch.nn.RNN,
    "gru-reset-after": torch.nn.GRU,
    "lstm": torch.nn.LSTM,
}


def _plain_stack(layer: Any) -> tuple[tuple[Any, ...], recurrence.Layer]:
    """The layers of a stack that PyTorch has too, and what all of its directions are."""
    layers = (layer,)
    if isinstance(layer, deep.Stack):
        layers = layer.layers
        if layer.residual or layer.normalised:
            raise ValueError("PyTorch has no stacks with residual connections or normalised inputs")
    kinds = {(type(each), getattr(each, "unit", None), getattr(each, "n_a", None)) for each in layers}
    if len(kinds) > 1 or not isinstance(layers[0], recurrence.Layer | bidirectional.Layer):
        raise ValueError(f"a stack in PyTorch has recurrent layers of one kind and size; got {layer}")
    return layers, recurrence.Layer(layers[0].unit, layers[0].n_x, layers[0].n_a)


def _places(layer: Any, layers: tuple[Any, ...]) -> list[tuple[str, str, recurrence.Layer]]:
    """PyTorch's suffix, our prefix, and the layer, for each direction of each layer."""
    places = []
    for below, each in enumerate(layers):
        number = f"{below + 1}." if isinstance(layer, deep.Stack) else ""
        if isinstance(each, bidirectional.Layer):
            places += [(f"l{below}", f"{number}forward.", each.direction)]
            places += [(f"l{below}_reverse", f"{number}backward.", each.direction)]
        else:
            places.append((f"l{below}", number, each))
    return places


def _required(layer: recurrence.Layer, prefix: str, parameters: Parameters) -> list[str]:
    names = list(UNITS[layer.unit].shapes)
    for name in names:
        if prefix + name not in parameters:
            raise ValueError(f"the parameter {prefix + name} is missing; there are only {', '.join(parameters)}")
    return names


def _layer_of(module: torch.nn.RNNBase) -> Any:
    """Our layer of the kind of PyTorch's."""
    kinds = {torch.nn.GRU: "gru-reset-after", torch.nn.LSTM: "lstm"}
    if isinstance(module, torch.nn.RNN):
        unit = "rnn" if module.nonlinearity == "tanh" else "rnn-relu"
    elif type(module) in kinds:
        unit = kinds[type(module)]
    else:
        raise ValueError(f"a torch.nn.RNN, GRU or LSTM is needed; got {module}")
    if getattr(module, "proj_size", 0):
        raise ValueError("there is no layer here with projections (proj_size)")
    one = bidirectional.Layer if module.bidirectional else recurrence.Layer
    layers, n_x = [], module.input_size
    for _ in range(module.num_layers):
        layers.append(one(unit, n_x, module.hidden_size))
        n_x = layers[-1].n_out
    return layers[0] if len(layers) == 1 else deep.Stack(tuple(layers))


def _read(module: torch.nn.RNNBase, layer: Any, what: Any, add: bool) -> Parameters:
    """Parameters or gradients of all directions of all layers."""
    layers, direction = _plain_stack(layer)
    n_a, gates, signs = direction.n_a, list(_GATES[direction.unit]), _GATES[direction.unit]

    def stacked(tensor: torch.Tensor) -> np.ndarray:
        blocks = np.split(tensor.numpy(), len(gates))
        ours = [signs[gate] * blocks[gates.index(gate)] for gate in UNITS[direction.unit].gates]
        return np.concatenate(ours).reshape(len(gates) * n_a, -1)

    parameters: Parameters = {}
    for suffix, prefix, _ in _places(layer, layers):
        Waa, Wax = (stacked(what(getattr(module, f"weight_{kind}_{suffix}"))) for kind in ("hh", "ih"))
        found = {"Waa": Waa, "Wax": Wax, "ba": np.zeros((len(Waa), 1), Waa.dtype)}
        if direction.unit == "gru-reset-after":
            found["bca"] = np.zeros((n_a, 1), Waa.dtype)
        if module.bias:
            found["ba"] = stacked(what(getattr(module, f"bias_ih_{suffix}")))
            if "bca" in found:
                second = stacked(what(getattr(module, f"bias_hh_{suffix}")))
                found["bca"] = second[2 * n_a :].copy()
                second[2 * n_a :] = 0
                found["ba"] += second if add else 0
            elif add:
                found["ba"] += stacked(what(getattr(module, f"bias_hh_{suffix}")))
        parameters |= {prefix + name: value for name, value in found.items()}
    return parameters
