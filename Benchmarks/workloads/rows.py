"""Part `rows`: softmax, norms, reductions, transposes, pooling and elementwise chains, in the second-level cache and in
memory.

Each is composed of primitive operations, as a user composes them. What is about images stands in `images.py`.
"""

from . import images
from .workload import Workload, tensor

# With its result, the small tensor fits in the second-level cache of one core; the large one is 64 MiB.
SIZES = {"128 KiB": (64, 512), "64 MiB": (16384, 1024)}
# Rows that are no multiple of anything.
ODD = {"128 KiB odd": (61, 509), "64 MiB odd": (16381, 1021)}


def row_statements(shape):
    """Writers of statements over rows: a sum or maximum along the last axis, and its broadcast."""
    rows, full = tensor(shape[:-1]), tensor(shape)
    fold = lambda to, how, x: f"%{to} = reduce_{how} %{x} {{dimensions = [{len(shape) - 1}]}} : {rows}"
    spread = lambda to, x: f"%{to} = broadcast %{x} {{dimensions = {list(range(len(shape) - 1))}}} : {full}"
    return rows, full, fold, spread


def softmax(shape):
    _, full, fold, spread = row_statements(shape)
    return [
        fold("top", "max", "a"), spread("tops", "top"), f"%low = subtract %a, %tops : {full}",
        f"%powers = exp %low : {full}", fold("sum", "sum", "powers"), spread("sums", "sum"),
        f"%y = divide %powers, %sums : {full}"]


def log_softmax(shape):
    _, full, fold, spread = row_statements(shape)
    rows = tensor(shape[:-1])
    return [
        fold("top", "max", "a"), spread("tops", "top"), f"%low = subtract %a, %tops : {full}",
        f"%powers = exp %low : {full}", fold("sum", "sum", "powers"), f"%log = log %sum : {rows}",
        spread("logs", "log"), f"%y = subtract %low, %logs : {full}"]


def softmax_gradient(shape):
    """The gradient of a softmax whose result is `a`, for the gradient `b`."""
    _, full, fold, spread = row_statements(shape)
    return [
        f"%both = multiply %a, %b : {full}", fold("sum", "sum", "both"), spread("sums", "sum"),
        f"%rest = subtract %b, %sums : {full}", f"%y = multiply %a, %rest : {full}"]


def normal(shape):
    """The statements that give each row of `a` the mean 0 and the variance 1, as `normal`, and the gains in its shape."""
    rows, full, fold, spread = row_statements(shape)
    return [
        f"%share = constant {1 / shape[-1]!r} : {rows}", f"%epsilon = constant 1e-05 : {rows}",
        fold("sum", "sum", "a"), f"%mean = multiply %sum, %share : {rows}", spread("means", "mean"),
        f"%centred = subtract %a, %means : {full}", f"%squares = multiply %centred, %centred : {full}",
        fold("squared", "sum", "squares"), f"%variance = multiply %squared, %share : {rows}",
        f"%safe = add %variance, %epsilon : {rows}", f"%scale = rsqrt %safe : {rows}", spread("scales", "scale"),
        f"%normal = multiply %centred, %scales : {full}",
        f"%gains = broadcast %gain {{dimensions = [{len(shape) - 1}]}} : {full}"]


def layer_norm(shape):
    full = row_statements(shape)[1]
    return normal(shape) + [
        f"%scaled = multiply %normal, %gains : {full}",
        f"%shifts = broadcast %shift {{dimensions = [{len(shape) - 1}]}} : {full}", f"%y = add %scaled, %shifts : {full}"]


def rms_norm(shape):
    rows, full, fold, spread = row_statements(shape)
    return [
        f"%share = constant {1 / shape[-1]!r} : {rows}", f"%epsilon = constant 1e-05 : {rows}",
        f"%squares = multiply %a, %a : {full}", fold("squared", "sum", "squares"),
        f"%mean = multiply %squared, %share : {rows}", f"%safe = add %mean, %epsilon : {rows}",
        f"%scale = rsqrt %safe : {rows}", spread("scales", "scale"), f"%normal = multiply %a, %scales : {full}",
        f"%gains = broadcast %gain {{dimensions = [{len(shape) - 1}]}} : {full}",
        f"%y = multiply %normal, %gains : {full}"]


def layer_norm_gradient(shape):
    """The gradient with respect to the operand `a`, for the gradient `b` behind a gain."""
    rows, full, fold, spread = row_statements(shape)
    return normal(shape) + [
        f"%g = multiply %b, %gains : {full}",
        fold("total", "sum", "g"), f"%level = multiply %total, %share : {rows}", spread("levels", "level"),
        f"%along = multiply %g, %normal : {full}", fold("part", "sum", "along"),
        f"%slope = multiply %part, %share : {rows}", spread("slopes", "slope"),
        f"%straight = subtract %g, %levels : {full}", f"%tilt = multiply %normal, %slopes : {full}",
        f"%rest = subtract %straight, %tilt : {full}", f"%y = multiply %rest, %scales : {full}"]


def chain(shape):
    """max(0, a b + c), which is bound by memory."""
    full = tensor(shape)
    return [
        f"%product = multiply %a, %b : {full}", f"%sum = add %product, %c : {full}",
        f"%zero = constant 0 : {full}", f"%y = maximum %sum, %zero : {full}"]


def gelu(shape):
    """a (1 + erf(a / sqrt 2)) / 2, which has yet more."""
    full = tensor(shape)
    return [
        f"%root = constant {0.5 ** 0.5!r} : {full}", f"%half = constant 0.5 : {full}", f"%one = constant 1 : {full}",
        f"%scaled = multiply %a, %root : {full}", f"%bell = erf %scaled : {full}",
        f"%weight = add %bell, %one : {full}",
        f"%part = multiply %a, %weight : {full}", f"%y = multiply %part, %half : {full}"]


def gate(shape):
    """tanh(a) sigmoid(b), which has more to compute."""
    full = tensor(shape)
    return [f"%t = tanh %a : {full}", f"%s = sigmoid %b : {full}", f"%y = multiply %t, %s : {full}"]


def reduction(label, how, where, shape, axes):
    """A sum or maximum along some axes."""
    result = tuple(extent for axis, extent in enumerate(shape) if axis not in axes)
    statement = f"%y = reduce_{how} %a {{dimensions = {axes}}} : {tensor(result)}"
    return Workload(f"{how} over {where} {label}", how, {"axes": axes}, {"a": shape}, result, [statement])


def transposition(label, name, shape, permutation):
    result = tuple(shape[axis] for axis in permutation)
    statement = f"%y = transpose %a {{permutation = {permutation}}} : {tensor(result)}"
    return Workload(
        f"{name} {label}", "transpose", {"permutation": permutation}, {"a": shape}, result, [statement])


def of_rows(label, shape):
    """Those that a width which divides by nothing makes slower, if any."""
    one, two = {"a": shape}, {"a": shape, "b": shape}
    gain = {"gain": shape[-1:]}
    yield Workload(f"softmax {label}", "softmax", {}, one, shape, softmax(shape))
    yield Workload(
        f"layer norm {label}", "layer_norm", {}, one | gain | {"shift": shape[-1:]}, shape, layer_norm(shape))
    for where, axes in (("last axis", [1]), ("first axis", [0])):
        yield reduction(label, "sum", where, shape, axes)
    yield transposition(label, "transpose", shape, [1, 0])
    yield Workload(f"max(0, a b + c) {label}", "chain", {}, two | {"c": shape}, shape, chain(shape))


def over(label, shape):
    """The workloads on tensors of one shape."""
    rows, columns = shape
    one, two = {"a": shape}, {"a": shape, "b": shape}
    gain = {"gain": (columns,)}
    yield from of_rows(label, shape)
    yield Workload(f"log-softmax {label}", "log_softmax", {}, one, shape, log_softmax(shape))
    yield Workload(f"softmax gradient {label}", "softmax_gradient", {}, two, shape, softmax_gradient(shape))
    yield Workload(f"RMS norm {label}", "rms_norm", {}, one | gain, shape, rms_norm(shape))
    yield Workload(
        f"layer norm gradient {label}", "layer_norm_gradient", {}, two | gain, shape, layer_norm_gradient(shape))
    yield Workload(f"tanh(a) sigmoid(b) {label}", "gate", {}, two, shape, gate(shape))
    yield Workload(f"GELU {label}", "gelu", {}, one, shape, gelu(shape))
    yield reduction(label, "max", "last axis", shape, [1])
    yield reduction(label, "sum", "both axes", shape, [0, 1])
    cube = (rows // 64, 64, columns)
    yield reduction(label, "sum", "middle axis", cube, [1])
    yield reduction(label, "sum", "outer axes", cube, [0, 2])
    narrow = (rows // 64, columns, 64)
    yield reduction(label, "max", "middle of narrow", narrow, [1])
    yield transposition(label, "heads forward", (4, rows // 4, columns // 64, 64), [0, 2, 1, 3])


def workloads(quick):
    # What a call costs that does next to nothing.
    yield Workload("one element", "chain", {}, {"a": (1,), "b": (1,), "c": (1,)}, (1,), chain((1,)))
    for label, shape in SIZES.items():
        yield from over(label, shape)
    if not quick:
        for label, shape in ODD.items():
            yield from of_rows(label, shape)
    yield from images.workloads()
