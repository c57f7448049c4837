"""The training steps as a JAX user writes them: a function of all parameters, differentiated and compiled whole."""

import math

import jax
import jax.numpy as jnp
from jax import lax

from models import LEARNING_RATE, MOMENTUM, MOMENTUM_MODELS, RESNET_STAGES, TRANSFORMERS, batch


class Parameters:
    """Draws first values."""

    def __init__(self):
        self.key = jax.random.key(0)

    def weight(self, *shape):
        self.key, key = jax.random.split(self.key)
        return jax.random.normal(key, shape) / math.sqrt(max(1, math.prod(shape[:-1])))

    def dense(self, inputs, outputs):
        return {"weight": self.weight(inputs, outputs), "bias": jnp.zeros(outputs)}

    def norm(self, width):
        return {"gain": jnp.ones(width), "shift": jnp.zeros(width)}

    def convolution(self, size, inputs, outputs):
        return {"filter": self.weight(size, size, inputs, outputs), "norm": self.norm(outputs)}


def dense(p, x):
    return x @ p["weight"] + p["bias"]


def convolution(x, kernel, stride=1, padding="SAME"):
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def normalize(p, x, axes):
    mean = x.mean(axes, keepdims=True)
    variance = jnp.square(x - mean).mean(axes, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p["gain"] + p["shift"]


def mlp(make):
    def forward(p, x):
        x = jax.nn.relu(dense(p[0], x))
        return dense(p[2], jax.nn.relu(dense(p[1], x)))
    return [make.dense(784, 512), make.dense(512, 256), make.dense(256, 10)], forward


def lenet(make):
    filters = [make.weight(5, 5, 1, 6), make.weight(5, 5, 6, 16)]
    biases = [jnp.zeros(6), jnp.zeros(16)]
    layers = [make.dense(400, 120), make.dense(120, 84), make.dense(84, 10)]

    def pool(x):
        return lax.reduce_window(x, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") / 4

    def forward(p, x):
        filters, biases, layers = p
        for kernel, bias, padding in zip(filters, biases, ("SAME", "VALID")):
            x = pool(jax.nn.sigmoid(convolution(x, kernel, padding=padding) + bias))
        x = x.reshape(x.shape[0], -1)
        for layer in layers[:2]:
            x = jax.nn.sigmoid(dense(layer, x))
        return dense(layers[2], x)
    return (filters, biases, layers), forward


def resnet(make):
    blocks, channels = [], 64
    for width, stride in RESNET_STAGES:
        block = {"first": make.convolution(3, channels, width), "second": make.convolution(3, width, width)}
        if channels != width:
            block["shortcut"] = make.convolution(1, channels, width)
        blocks.append(block)
        channels = width

    def normalized(p, x, stride=1):
        pad = p["filter"].shape[0] // 2
        return normalize(p["norm"], convolution(x, p["filter"], stride, [(pad, pad)] * 2), (0, 1, 2))

    def forward(p, x):
        x = jax.nn.relu(normalized(p["stem"], x))
        for block, (_, stride) in zip(p["blocks"], RESNET_STAGES):
            y = normalized(block["second"], jax.nn.relu(normalized(block["first"], x, stride)))
            x = jax.nn.relu(y + (normalized(block["shortcut"], x, stride) if "shortcut" in block else x))
        return dense(p["scores"], x.mean((1, 2)))
    return {"stem": make.convolution(3, 3, 64), "blocks": blocks, "scores": make.dense(512, 10)}, forward


def transformer(make, size):
    width, heads = size.width, size.heads
    block = lambda: {
        "norm1": make.norm(width), "projections": make.dense(width, 3 * width), "mixed": make.dense(width, width),
        "norm2": make.norm(width), "wide": make.dense(width, 4 * width), "narrow": make.dense(4 * width, width)}
    parameters = {
        "tokens": make.weight(size.vocabulary, width), "positions": make.weight(size.length, width),
        "blocks": [block() for _ in range(size.blocks)], "norm": make.norm(width),
        "scores": make.dense(width, size.vocabulary)}
    mask = jnp.tril(jnp.ones((size.length, size.length), bool)) if size.causal else None

    def attention(p, x):
        count, length, _ = x.shape
        parts = dense(p["projections"], x).reshape(count, length, 3, heads, width // heads)
        queries, keys, values = parts.transpose(2, 0, 3, 1, 4)
        scores = jnp.einsum("bhqd,bhkd->bhqk", queries, keys) / math.sqrt(width // heads)
        if mask is not None:
            scores = jnp.where(mask, scores, -1e9)
        mixed = jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(scores, -1), values)
        return dense(p["mixed"], mixed.transpose(0, 2, 1, 3).reshape(count, length, width))

    def forward(p, x):
        x = p["tokens"][x] + p["positions"]
        for block in p["blocks"]:
            x = x + attention(block, normalize(block["norm1"], x, -1))
            wide = jax.nn.gelu(dense(block["wide"], normalize(block["norm2"], x, -1)), approximate=False)
            x = x + dense(block["narrow"], wide)
        return dense(p["scores"], normalize(p["norm"], x, -1))
    return parameters, forward


def sgd(parameters, state, gradients):
    state = jax.tree.map(lambda m, g: MOMENTUM * m + g, state, gradients)
    return jax.tree.map(lambda p, m: p - LEARNING_RATE * m, parameters, state), state


def adam(parameters, state, gradients):
    """Kingma and Ba, "Adam: a method for stochastic optimization", 2015."""
    count, first, second = state
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rate = LEARNING_RATE * jnp.sqrt(1 - 0.999 ** count) / (1 - 0.9 ** count)
    update = lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8)
    return jax.tree.map(update, parameters, first, second), (count, first, second)


def step(name, count):
    """A function that does a step and gives its loss."""
    make = Parameters()
    if name in TRANSFORMERS:
        parameters, forward = transformer(make, TRANSFORMERS[name])
    else:
        parameters, forward = {"mlp": mlp, "lenet": lenet, "resnet18": resnet}[name](make)
    examples, labels = (jnp.asarray(part) for part in batch(name, count))
    if examples.ndim == 4:
        examples = examples.transpose(0, 2, 3, 1)
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    update, state = (sgd, zeros()) if name in MOMENTUM_MODELS else (adam, (0.0, zeros(), zeros()))

    def loss(parameters, examples, labels):
        scores = jax.nn.log_softmax(forward(parameters, examples), -1)
        return -jnp.take_along_axis(scores, labels[..., None], -1).mean()

    def train(parameters, state, examples, labels):
        value, gradients = jax.value_and_grad(loss)(parameters, examples, labels)
        return (*update(parameters, state, gradients), value)

    compiled = jax.jit(train, donate_argnums=(0, 1))

    def run():
        nonlocal parameters, state
        parameters, state, value = compiled(parameters, state, examples, labels)
        return float(value)
    return run
