"""What the training steps of all libraries share: the sizes of the models and random batches.

The models are Martlet's samples of the same names (`Samples/`).
"""

from dataclasses import dataclass

import numpy

MOMENTUM_MODELS = ("resnet18",)
LEARNING_RATE, MOMENTUM = 1e-3, 0.9
RESNET_STAGES = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))


@dataclass(frozen=True)
class TransformerSize:
    blocks: int
    width: int
    heads: int
    vocabulary: int
    causal: bool
    length: int = 128


TRANSFORMERS = {
    "gpt": TransformerSize(4, 256, 8, 96, True),
    "bert": TransformerSize(6, 384, 12, 1000, False),
}
IMAGES = {"mlp": (784,), "lenet": (1, 28, 28), "resnet18": (3, 32, 32)}


def batch(name, count):
    """Random examples and labels; images as [N, C, H, W]."""
    draw = numpy.random.default_rng(0)
    if size := TRANSFORMERS.get(name):
        shape = (count, size.length)
        return draw.integers(0, size.vocabulary, shape), draw.integers(0, size.vocabulary, shape)
    return draw.standard_normal((count, *IMAGES[name]), "float32"), draw.integers(0, 10, count)
