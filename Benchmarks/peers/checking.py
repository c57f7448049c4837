"""Whether Martlet's contractions are right: against PyTorch's in f64, within what f32 sums can be off."""

import pathlib

import numpy
import torch

from torch_peer import TorchPeer, nchw

# Half the distance from 1 to the next f32.
UNIT = 2.0 ** -24


def write_operands(workload, folder):
    """Writes random operands as NAME.npy."""
    draw = numpy.random.default_rng(0)
    for name, shape in workload["inputs"].items():
        numpy.save(pathlib.Path(folder) / f"{name}.npy", draw.random(shape, "float32") - numpy.float32(0.5))
    return {}


def judge(workload, folder):
    """The largest error of `out/y.npy` beside its bound: 1 is the most that rounding can do.

    A sum of n products in any order is off by at most n u / (1 - n u) times the sum of their absolute values (Higham,
    "Accuracy and stability of numerical algorithms", 2002, section 3.1).
    """
    folder = pathlib.Path(folder)
    operands = {name: torch.from_numpy(numpy.load(folder / f"{name}.npy")).double() for name in workload["inputs"]}
    result = torch.from_numpy(numpy.load(folder / "out" / "y.npy")).double()
    exact = value(workload, operands)
    size = value(workload, {name: operand.abs() for name, operand in operands.items()})
    terms = value(workload, {name: torch.ones_like(operand) for name, operand in operands.items()})
    if result.shape != exact.shape:
        return {"error": f"the result is {tuple(result.shape)} and should be {tuple(exact.shape)}"}
    bound = terms * UNIT / (1 - terms * UNIT) * size
    excess = ((result - exact).abs() / bound.clamp_min(1e-300)).max().item()
    # A NaN is no number within a bound.
    return {"excess": excess if excess == excess else float("inf")}


def value(workload, operands):
    """The result in f64, in Martlet's order of dimensions."""
    settings = workload["settings"]
    if workload["kind"] == "product":
        return torch.einsum(settings["spec"], operands["a"], operands["b"])
    ordered = {name: nchw(name, operand).contiguous() for name, operand in operands.items()}
    result = TorchPeer.directed(None, settings, ordered)()
    if settings["direction"] == "forward":
        return result.permute(0, 2, 3, 1)
    kept = [part for part in result if part is not None][0]
    return kept.permute(2, 3, 1, 0) if settings["direction"] == "filter" else kept.permute(0, 2, 3, 1)
