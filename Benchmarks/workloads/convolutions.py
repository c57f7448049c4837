"""Part `convolutions`: the distinct layers of ResNet-50, VGG-16 and MobileNetV2, with the gradients of both operands.

The tables follow the papers: He et al., "Deep residual learning for image recognition", 2016, with the stride in the
3x3 convolutions as usual since; Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
recognition", 2015; Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018.
"""

from .contractions import Convolution

FORWARD_BATCH = 1
GRADIENT_BATCH = 4


def resnet50():
    yield dict(size=224, channels=3, filters=64, kernel=7, stride=2)
    channels = 64
    for stage, size in enumerate((56, 28, 14, 7)):
        width = 64 << stage
        stride = 1 if stage == 0 else 2
        before = size * stride
        yield dict(size=before, channels=channels, filters=width, kernel=1)
        yield dict(size=before, channels=width, filters=width, kernel=3, stride=stride)
        yield dict(size=before, channels=channels, filters=4 * width, kernel=1, stride=stride)
        yield dict(size=size, channels=width, filters=4 * width, kernel=1)
        yield dict(size=size, channels=4 * width, filters=width, kernel=1)
        yield dict(size=size, channels=width, filters=width, kernel=3)
        channels = 4 * width


def vgg16():
    channels = 3
    for size, width, layers in ((224, 64, 2), (112, 128, 2), (56, 256, 2), (28, 512, 2), (14, 512, 1)):
        for _ in range(layers):
            yield dict(size=size, channels=channels, filters=width, kernel=3)
            channels = width


def mobilenet_v2():
    yield dict(size=224, channels=3, filters=32, kernel=3, stride=2)
    size, channels = 112, 32
    # The expansion, the channels, the repetitions and the first stride of each stage.
    for expansion, width, repeats, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for stride in [first] + [1] * (repeats - 1):
            inner = channels * expansion
            if expansion > 1:
                yield dict(size=size, channels=channels, filters=inner, kernel=1)
            yield dict(size=size, channels=inner, filters=inner, kernel=3, stride=stride, groups=inner)
            size = (size - 1) // stride + 1
            yield dict(size=size, channels=inner, filters=width, kernel=1)
            channels = width
    yield dict(size=size, channels=channels, filters=1280, kernel=1)


def workloads(quick):
    seen = set()
    for network in (resnet50, vgg16, mobilenet_v2):
        # By their text, which leaves out what is usual.
        layers = {Convolution(batch=1, **layer).text(): layer for layer in network()}
        layers = [layer for text, layer in layers.items() if text not in seen]
        seen |= {Convolution(batch=1, **layer).text() for layer in layers}
        for layer in layers[:7] if quick else layers:
            yield Convolution(batch=FORWARD_BATCH, **layer).workload("forward")
            for direction in ("input", "filter"):
                # Nobody needs the gradient of the images.
                if direction == "filter" or layer["channels"] > 3:
                    yield Convolution(batch=GRADIENT_BATCH, **layer).workload(direction)
