"""Part `random`: contractions that are drawn, so that nothing can be made to fit them.

Sizes, strides, paddings, dilations, groups and the order of the operands' dimensions are random; what is too small to
measure or takes too long is drawn again.
"""

import math
import random

from .contractions import Convolution, product

MINIMUM_FLOPS, MAXIMUM_FLOPS = 4e6, 1e9
MAXIMUM_BYTES = 64 << 20


def around(draw, low, high):
    """A whole number whose logarithm is uniform."""
    return round(math.exp(draw.uniform(math.log(low), math.log(high))))


def drawn_product(draw):
    batch = draw.random() < 0.3
    letters = {"m": around(draw, 1, 2000), "n": around(draw, 1, 2000), "k": around(draw, 1, 2000)}
    lhs, rhs = draw.choice(("mk", "km")), draw.choice(("kn", "nk"))
    if batch:
        letters["b"] = around(draw, 2, 64)
        lhs, rhs = "b" + lhs, "b" + rhs
    spec = f"{lhs},{rhs}->{'b' * batch}mn"
    extents = " ".join(f"{letter}={extent}" for letter, extent in letters.items())
    return product(f"{spec} {extents}", spec, letters)


def drawn_convolution(draw):
    groups = draw.choice((1, 1, 1, 2, 3, 4, 8))
    inner, outer = around(draw, 1, 256), around(draw, 1, 256)
    if draw.random() < 0.15:
        groups, inner, outer = around(draw, 8, 512), 1, 1
    convolution = Convolution(
        batch=around(draw, 1, 8), size=around(draw, 4, 80), channels=groups * inner, filters=groups * outer,
        kernel=draw.choice((1, 2, 3, 3, 4, 5, 7)), stride=draw.choice((1, 1, 2, 3)), padding=draw.randrange(4),
        dilation=draw.choice((1, 1, 1, 2)), groups=groups)
    # Padding beyond the filter has no gradient as a convolution with positive padding.
    if convolution.out < 1 or convolution.padding >= convolution.span:
        return None
    workload = convolution.workload(draw.choice(("forward", "forward", "input", "filter")))
    workload.name += f" padded by {convolution.padding}"
    # The operands are given, so that the results can be compared.
    workload.constants = ()
    return workload


def workloads(seed, count):
    draw = random.Random(seed)
    found = {}
    while len(found) < count:
        workload = draw.choice((drawn_product, drawn_convolution))(draw)
        if workload is None or not MINIMUM_FLOPS <= workload.flops <= MAXIMUM_FLOPS:
            continue
        if workload.read_bytes + workload.written_bytes <= MAXIMUM_BYTES:
            found.setdefault(workload.name, workload)
    yield from found.values()
