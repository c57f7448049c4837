"""PyTorch's operations."""

import time

import torch
import torch.nn.functional as F

import torch_models


class TorchPeer:
    def __init__(self, threads, compiles):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.compiles = compiles

    def prepare(self, workload):
        kind = workload["kind"]
        if kind == "training":
            return torch_models.step(workload["settings"]["model"], workload["batch"], self.compiles)
        operands = {name: torch.rand(*shape) - 0.5 for name, shape in workload["inputs"].items()}
        with torch.no_grad():
            return inference(getattr(self, kind)(workload["settings"], **operands))

    def product(self, settings, a, b):
        spec = settings["spec"]
        lhs, rhs = spec.split("->")[0].split(",")
        if "b" in spec:
            # A view, which costs nothing.
            a = a if lhs == "bmk" else a.transpose(1, 2)
            b = b if rhs == "bkn" else b.transpose(1, 2)
            return lambda: torch.bmm(a, b)
        a = a.T if lhs == "km" else a
        b = b.T if rhs == "nk" else b
        return lambda: torch.matmul(a, b)

    def convolution(self, settings, **operands):
        contiguous = self.directed(settings, {name: nchw(name, x).contiguous() for name, x in operands.items()})
        # The operands as Martlet's lie, or in PyTorch's own order: whichever is faster here.
        last = torch.channels_last
        nearer = self.directed(
            settings, {name: nchw(name, x).contiguous(memory_format=last) for name, x in operands.items()})
        return min((contiguous, nearer), key=trial)

    def directed(self, settings, operands):
        stride, padding, dilation, groups = (settings[key] for key in ("stride", "padding", "dilation", "groups"))
        image, kernel, gradient = (operands.get(name) for name in ("image", "filter", "gradient"))
        if settings["direction"] == "forward":
            return lambda: F.conv2d(image, kernel, None, stride, padding, dilation, groups)
        wanted = [settings["direction"] == "input", settings["direction"] == "filter", False]
        # Only the shape of the operand whose gradient is wanted matters.
        if image is None:
            image = empty_beside(gradient, nchw_shape(settings["image"]))
        if kernel is None:
            kernel = empty_beside(gradient, filter_shape(settings["filter"]))
        backward = torch.ops.aten.convolution_backward
        return lambda: backward(
            gradient, image, kernel, None, [stride] * 2, [padding] * 2, [dilation] * 2, False, [0, 0], groups, wanted)

    def softmax(self, settings, a):
        return lambda: torch.softmax(a, -1)

    def layer_norm(self, settings, a, gain, shift):
        return lambda: F.layer_norm(a, gain.shape, gain, shift, 1e-5)

    def sum(self, settings, a):
        return lambda: a.sum(settings["axes"])

    def max(self, settings, a):
        return lambda: a.amax(settings["axes"])

    def log_softmax(self, settings, a):
        return lambda: torch.log_softmax(a, -1)

    def softmax_gradient(self, settings, a, b):
        return lambda: torch.ops.aten._softmax_backward_data(b, a, -1, a.dtype)

    def rms_norm(self, settings, a, gain):
        return lambda: F.rms_norm(a, gain.shape, gain, 1e-5)

    def layer_norm_gradient(self, settings, a, b, gain):
        shift = torch.zeros_like(gain)
        _, mean, scale = torch.ops.aten.native_layer_norm(a, gain.shape, gain, shift, 1e-5)
        backward = torch.ops.aten.native_layer_norm_backward
        return lambda: backward(b, a, gain.shape, mean, scale, gain, shift, [True, False, False])

    def batch_norm(self, settings, image, gain, shift):
        return either(lambda x: F.batch_norm(x, None, None, gain, shift, training=True), image)

    def max_pooling(self, settings, image):
        size, stride, padding = settings["size"], settings["stride"], settings["padding"]
        return either(lambda x: F.max_pool2d(x, size, stride, padding), image)

    def average_pooling(self, settings, image):
        size, stride, padding = settings["size"], settings["stride"], settings["padding"]
        return either(lambda x: F.avg_pool2d(x, size, stride, padding), image)

    def max_pooling_gradient(self, settings, image, gradient):
        places = [settings["size"]] * 2, [settings["stride"]] * 2, [settings["padding"]] * 2
        backward = torch.ops.aten.max_pool2d_with_indices_backward

        def both(x, g):
            # As in training: which elements won is found in the forward pass, and is not measured here.
            _, winners = torch.ops.aten.max_pool2d_with_indices(x, *places)
            return lambda: backward(g, x, *places, [1, 1], False, winners)
        orders = (torch.contiguous_format, torch.channels_last)
        x, g = (nchw("image", part) for part in (image, gradient))
        return min((both(*(part.contiguous(memory_format=order) for part in (x, g))) for order in orders), key=trial)

    def average_pooling_gradient(self, settings, gradient):
        places = [settings["size"]] * 2, [settings["stride"]] * 2, [settings["padding"]] * 2
        backward = torch.ops.aten.avg_pool2d_backward
        g = nchw("image", gradient)
        tries = []
        for order in (torch.contiguous_format, torch.channels_last):
            part = g.contiguous(memory_format=order)
            x = torch.empty(nchw_shape(settings["image"]), memory_format=order)
            tries.append(lambda part=part, x=x: backward(part, x, *places, False, True, None))
        return min(tries, key=trial)

    def transpose(self, settings, a):
        return lambda: a.permute(settings["permutation"]).contiguous()

    def chain(self, settings, a, b, c):
        return lambda: torch.relu(torch.addcmul(c, a, b))

    def gate(self, settings, a, b):
        return lambda: torch.tanh(a) * torch.sigmoid(b)

    def gelu(self, settings, a):
        return lambda: F.gelu(a)


def inference(function):
    """The function without a record for gradients."""
    def run():
        with torch.inference_mode():
            return function()
    return run


def either(function, image):
    """The function of an image as Martlet's lie, or in PyTorch's own order: whichever is faster here."""
    orders = (torch.contiguous_format, torch.channels_last)
    images = [nchw("image", image).contiguous(memory_format=order) for order in orders]
    return min(((lambda x=x: function(x)) for x in images), key=trial)


def trial(function):
    """About how long a call takes."""
    inference(function)()
    started = time.perf_counter()
    for _ in range(3):
        function()
    return time.perf_counter() - started


def nchw(name, x):
    """An operand in PyTorch's order: images [N, C, H, W], filters [O, C, H, W]."""
    return x.permute(3, 2, 0, 1) if name == "filter" else x.permute(0, 3, 1, 2)


def nchw_shape(shape):
    return shape[0], shape[3], shape[1], shape[2]


def filter_shape(shape):
    return shape[3], shape[2], shape[0], shape[1]


def empty_beside(x, shape):
    """A tensor of the same dtype and order of dimensions."""
    order = torch.contiguous_format if x.is_contiguous() else torch.channels_last
    return torch.empty(shape, dtype=x.dtype, memory_format=order)
