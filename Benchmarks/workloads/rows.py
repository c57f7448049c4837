"""Part `rows`: softmax, layer norm, sums, transposes and elementwise chains, in the second-level cache and in memory.

Each is composed of primitive operations, as a user composes them.
"""

from .workload import Workload, tensor

# With its result, the small tensor fits in the second-level cache of one core; the large one is 64 MiB.
SIZES = {"128 KiB": (64, 512), "64 MiB": (16384, 1024)}


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


def layer_norm(shape):
    rows, full, fold, spread = row_statements(shape)
    last = len(shape) - 1
    return [
        f"%share = constant {1 / shape[-1]!r} : {rows}", f"%epsilon = constant 1e-05 : {rows}",
        fold("sum", "sum", "a"), f"%mean = multiply %sum, %share : {rows}", spread("means", "mean"),
        f"%centred = subtract %a, %means : {full}", f"%squares = multiply %centred, %centred : {full}",
        fold("squared", "sum", "squares"), f"%variance = multiply %squared, %share : {rows}",
        f"%safe = add %variance, %epsilon : {rows}", f"%scale = rsqrt %safe : {rows}", spread("scales", "scale"),
        f"%normal = multiply %centred, %scales : {full}",
        f"%gains = broadcast %gain {{dimensions = [{last}]}} : {full}",
        f"%scaled = multiply %normal, %gains : {full}",
        f"%shifts = broadcast %shift {{dimensions = [{last}]}} : {full}", f"%y = add %scaled, %shifts : {full}"]


def chain(shape):
    """max(0, a b + c), which is bound by memory."""
    full = tensor(shape)
    return [
        f"%product = multiply %a, %b : {full}", f"%sum = add %product, %c : {full}",
        f"%zero = constant 0 : {full}", f"%y = maximum %sum, %zero : {full}"]


def gate(shape):
    """tanh(a) sigmoid(b), which has more to compute."""
    full = tensor(shape)
    return [f"%t = tanh %a : {full}", f"%s = sigmoid %b : {full}", f"%y = multiply %t, %s : {full}"]


def over(label, shape):
    """The workloads on tensors of one shape."""
    rows, columns = shape
    yield Workload(f"softmax {label}", "softmax", {}, {"a": shape}, shape, softmax(shape))
    yield Workload(
        f"layer norm {label}", "layer_norm", {}, {"a": shape, "gain": (columns,), "shift": (columns,)}, shape,
        layer_norm(shape))
    for name, axes, result in (("last axis", [1], (rows,)), ("first axis", [0], (columns,)), ("both axes", [0, 1], ())):
        statement = f"%y = reduce_sum %a {{dimensions = {axes}}} : {tensor(result)}"
        yield Workload(f"sum over {name} {label}", "sum", {"axes": axes}, {"a": shape}, result, [statement])
    statement = f"%y = transpose %a {{permutation = [1, 0]}} : {tensor((columns, rows))}"
    yield Workload(
        f"transpose {label}", "transpose", {"permutation": [1, 0]}, {"a": shape}, (columns, rows), [statement])
    images = (8, columns // 8, rows // 32, 32)
    moved = (8, 32, columns // 8, rows // 32)
    statement = f"%y = transpose %a {{permutation = [0, 3, 1, 2]}} : {tensor(moved)}"
    yield Workload(
        f"NHWC to NCHW {label}", "transpose", {"permutation": [0, 3, 1, 2]}, {"a": images}, moved, [statement])
    yield Workload(f"max(0, a b + c) {label}", "chain", {}, {"a": shape, "b": shape, "c": shape}, shape, chain(shape))
    yield Workload(f"tanh(a) sigmoid(b) {label}", "gate", {}, {"a": shape, "b": shape}, shape, gate(shape))


def workloads(quick):
    # What a call costs that does next to nothing.
    yield Workload("one element", "chain", {}, {"a": (1,), "b": (1,), "c": (1,)}, (1,), chain((1,)))
    for label, shape in SIZES.items():
        yield from over(label, shape)
