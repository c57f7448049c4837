"""The workloads of part `rows` on images, [N, H, W, C]: changes of layout, batch norm, pooling and its gradients."""

import math

from .workload import FLOAT_BYTES, Workload, tensor

SIZES = {"128 KiB": (2, 16, 16, 64), "64 MiB": (16, 64, 64, 256)}
# Windows: their name, size, stride and padding, along both axes.
WINDOWS = (("2x2", 2, 2, 0), ("3x3 by 2", 3, 2, 1))


def batch_norm(shape):
    """With the statistics of the batch, as in training."""
    channels, full = tensor(shape[-1:]), tensor(shape)
    last = len(shape) - 1
    axes = list(range(last))
    count = math.prod(shape[:-1])
    fold = lambda to, x: f"%{to} = reduce_sum %{x} {{dimensions = {axes}}} : {channels}"
    spread = lambda to, x: f"%{to} = broadcast %{x} {{dimensions = [{last}]}} : {full}"
    return [
        f"%share = constant {1 / count!r} : {channels}", f"%epsilon = constant 1e-05 : {channels}",
        fold("sum", "image"), f"%mean = multiply %sum, %share : {channels}", spread("means", "mean"),
        f"%centred = subtract %image, %means : {full}", f"%squares = multiply %centred, %centred : {full}",
        fold("squared", "squares"), f"%variance = multiply %squared, %share : {channels}",
        f"%safe = add %variance, %epsilon : {channels}", f"%scale = rsqrt %safe : {channels}",
        spread("scales", "scale"),
        f"%normal = multiply %centred, %scales : {full}", spread("gains", "gain"),
        f"%scaled = multiply %normal, %gains : {full}", spread("shifts", "shift"),
        f"%y = add %scaled, %shifts : {full}"]


def window_text(size, stride, padding):
    return (
        f"window = {{size = [1, {size}, {size}, 1], stride = [1, {stride}, {stride}, 1], "
        f"padding = [[0, 0], [{padding}, {padding}], [{padding}, {padding}], [0, 0]], dilation = [1, 1, 1, 1]}}")


def pooling(label, shape, name, size, stride, padding):
    n, height, width, channels = shape
    count = lambda extent: (extent + 2 * padding - size) // stride + 1
    pooled = (n, count(height), count(width), channels)
    full, few = tensor(shape), tensor(pooled)
    settings = {"size": size, "stride": stride, "padding": padding}
    window = window_text(size, stride, padding)
    yield Workload(
        f"max pooling {name} {label}", "max_pooling", settings, {"image": shape}, pooled,
        [f"%y = reduce_window_max %image {{{window}}} : {few}"])
    share = [f"%share = constant {1 / (size * size)!r} : {few}"]
    yield Workload(
        f"average pooling {name} {label}", "average_pooling", settings, {"image": shape}, pooled,
        share + [f"%sums = reduce_window_sum %image {{{window}}} : {few}", f"%y = multiply %sums, %share : {few}"])
    yield Workload(
        f"max pooling {name}, gradient {label}", "max_pooling_gradient", settings,
        {"image": shape, "gradient": pooled}, shape,
        [f"%y = reduce_window_gradient_max %image, %gradient {{{window}}} : {full}"])
    yield Workload(
        f"average pooling {name}, gradient {label}", "average_pooling_gradient", settings | {"image": shape},
        {"gradient": pooled}, shape, share + average_gradient(shape, pooled, size, stride, padding))


def average_gradient(shape, pooled, size, stride, padding):
    """As differentiation writes it."""
    full, few = tensor(shape), tensor(pooled)
    shares = [f"%shares = multiply %gradient, %share : {few}"]
    if size == stride and padding == 0:
        n, height, width, channels = pooled
        tiles = tensor((n, height, size, width, size, channels))
        return shares + [
            f"%tiles = broadcast %shares {{dimensions = [0, 1, 3, 5]}} : {tiles}", f"%y = reshape %tiles : {full}"]
    low, spread = size - 1 - padding, [(count - 1) * stride + 1 for count in pooled[1:3]]
    high = [whole + size - 1 - part - low for whole, part in zip(shape[1:3], spread)]
    padded = [low + part + more for part, more in zip(spread, high)]
    wide = tensor((shape[0], *padded, shape[3]))
    return shares + [
        "%zero = constant 0 : f32",
        f"%wide = pad %shares, %zero {{low = [0, {low}, {low}, 0], high = [0, {high[0]}, {high[1]}, 0], "
        f"interior = [0, {stride - 1}, {stride - 1}, 0]}} : {wide}",
        f"%y = reduce_window_sum %wide {{{window_text(size, 1, 0)}}} : {full}"]


def layout(label, name, shape, permutation):
    result = tuple(shape[axis] for axis in permutation)
    statement = f"%y = transpose %a {{permutation = {permutation}}} : {tensor(result)}"
    return Workload(
        f"{name} {label}", "transpose", {"permutation": permutation}, {"a": shape}, result, [statement])


def workloads():
    for label, shape in SIZES.items():
        n, height, width, channels = shape
        yield layout(label, "NHWC to NCHW", shape, [0, 3, 1, 2])
        yield layout(label, "NCHW to NHWC", (n, channels, height, width), [0, 2, 3, 1])
        few = (n * channels // 32, height, width, 32)
        yield layout(label, "NHWC to NCHW, 32 channels", few, [0, 3, 1, 2])
        size = FLOAT_BYTES * math.prod(shape)
        yield Workload(
            f"batch norm {label}", "batch_norm", {}, {"image": shape, "gain": (channels,), "shift": (channels,)}, shape,
            batch_norm(shape),
            again_bytes=size if size > 1 << 24 else 0)
        for window in WINDOWS:
            yield from pooling(label, shape, *window)
