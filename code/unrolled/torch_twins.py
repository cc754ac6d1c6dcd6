"""The same networks in PyTorch, with the same numbers in them: the only module here that imports torch.

PyTorch keeps a batch in rows: its input is (T_x, m, n_x), ours (T_x, n_x, m) with the last two axes exchanged. Its
`nn.RNN` has two bias vectors where one is enough; in a twin `bias_hh_l0` is zero and frozen, so that both networks have
the same parameters and one step of gradient descent moves them alike.
"""

import numpy as np
import torch

from unrolled.rnn import Parameters, check_parameters


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
