"""Matrix products and convolutions with any settings, and their gradients, as workloads."""

import math

from .workload import Workload, tensor


def product(name, spec, extents):
    """A product such as `mk,kn->mn`, with the extent of each letter.

    Letters of both operands are summed over, unless the result has them, too: then they come first in it.
    """
    operands, result = spec.split("->")
    lhs, rhs = operands.split(",")
    shape = lambda letters: tuple(extents[letter] for letter in letters)
    batch = [letter for letter in lhs if letter in rhs and letter in result]
    summed = [letter for letter in lhs if letter in rhs and letter not in result]
    places = lambda letters: f"[{[lhs.index(x) for x in letters]}, {[rhs.index(x) for x in letters]}]"
    attributes = f"contracting = {places(summed)}" + (f", batch = {places(batch)}" if batch else "")
    statement = f"%y = dot %a, %b {{{attributes}}} : {tensor(shape(result))}"
    return Workload(
        name, "product", {"spec": spec}, {"a": shape(lhs), "b": shape(rhs)}, shape(result), [statement],
        flops=2 * math.prod(shape(result)) * math.prod(shape(summed)))


class Convolution:
    """A two-dimensional convolution: of `batch` images with `channels`, by square filters."""

    def __init__(self, batch, size, channels, filters, kernel, stride=1, padding=None, dilation=1, groups=1):
        self.batch, self.size, self.channels, self.filters = batch, size, channels, filters
        self.kernel, self.stride, self.dilation, self.groups = kernel, stride, dilation, groups
        # The filter's extent with the gaps.
        self.span = (kernel - 1) * dilation + 1
        self.padding = self.span // 2 if padding is None else padding
        self.out = (size + 2 * self.padding - self.span) // stride + 1
        self.image = (batch, size, size, channels)
        self.filter = (kernel, kernel, channels // groups, filters)
        self.result = (batch, self.out, self.out, filters)

    @property
    def flops(self):
        """Without the products with zeros between: all three directions need as many."""
        return 2 * math.prod(self.result) * self.kernel ** 2 * (self.channels // self.groups)

    def text(self):
        extras = [f"s{self.stride}" * (self.stride > 1), f"d{self.dilation}" * (self.dilation > 1)]
        grouped = "depthwise" if self.groups == self.channels > 1 else f"g{self.groups}" * (self.groups > 1)
        shape = f"{self.kernel}x{self.kernel} {self.channels}-{self.filters} at {self.size}"
        return " ".join(filter(None, [shape, *extras, grouped]))

    def workload(self, direction):
        """The `forward` convolution, or the gradient of the `input` or the `filter`."""
        settings = {
            "direction": direction, "stride": self.stride, "padding": self.padding, "dilation": self.dilation,
            "groups": self.groups, "image": self.image, "filter": self.filter}
        build = {"forward": self.forward, "input": self.input_gradient, "filter": self.filter_gradient}[direction]
        inputs, result, statements = build()
        suffix = "" if direction == "forward" else f" gradient of {direction}"
        return Workload(
            f"{self.text()} batch {self.batch}{suffix}", "convolution", settings, inputs, result, statements,
            ("filter",) if direction == "forward" else (), self.flops)

    def convolve(self, name, image, kernel, result, stride, padding, spread, gap, groups=None):
        attributes = (
            f"stride = [{stride}, {stride}], padding = [{padding}, {padding}], inputDilation = [{spread}, {spread}], "
            f"kernelDilation = [{gap}, {gap}], groups = {self.groups if groups is None else groups}")
        return f"%{name} = convolution %{image}, %{kernel} {{{attributes}}} : {tensor(result)}"

    def forward(self):
        pad = [self.padding, self.padding]
        statement = self.convolve("y", "image", "filter", self.result, self.stride, pad, 1, self.dilation)
        return {"image": self.image, "filter": self.filter}, self.result, [statement]

    # The gradients are written as Martlet's differentiation writes them (Sources/Differentiation/Contraction.swift).

    def input_gradient(self):
        """The convolution of the result's gradient, spread by the stride, with the reversed filter whose channels are
        exchanged within each group."""
        low = self.span - 1 - self.padding
        spread = (self.out - 1) * self.stride + 1
        pad = [low, self.size - 1 + self.span - low - spread]
        k, inner, groups, outer = self.kernel, self.channels // self.groups, self.groups, self.filters // self.groups
        exchanged = (k, k, outer, groups * inner)
        lines = []
        kernel = "filter"
        if k > 1:
            lines.append(f"%reversed = reverse %filter {{dimensions = [0, 1]}} : {tensor(self.filter)}")
            kernel = "reversed"
        if groups == 1:
            lines.append(f"%swapped = transpose %{kernel} {{permutation = [0, 1, 3, 2]}} : {tensor(exchanged)}")
        else:
            lines += [
                f"%split = reshape %{kernel} : {tensor((k, k, inner, groups, outer))}",
                f"%moved = transpose %split {{permutation = [0, 1, 4, 3, 2]}} : {tensor((k, k, outer, groups, inner))}",
                f"%swapped = reshape %moved : {tensor(exchanged)}"]
        lines.append(self.convolve("y", "gradient", "swapped", self.image, 1, pad, self.stride, self.dilation))
        return {"gradient": self.result, "filter": self.filter}, self.image, lines

    def filter_gradient(self):
        """The convolution of the image, its channels as the batch, with the result's gradient as a filter that takes
        steps of the stride."""
        n, size, groups, inner = self.batch, self.size, self.groups, self.channels // self.groups
        spread = (self.out - 1) * self.stride + 1
        pad = [self.padding, self.span - 1 + spread - self.padding - size]
        images = (inner, size, size, groups * n)
        lines = []
        if groups == 1:
            lines.append(f"%images = transpose %image {{permutation = [3, 1, 2, 0]}} : {tensor(images)}")
        else:
            lines += [
                f"%split = reshape %image : {tensor((n, size, size, groups, inner))}",
                "%moved = transpose %split {permutation = [4, 1, 2, 3, 0]} : "
                f"{tensor((inner, size, size, groups, n))}",
                f"%images = reshape %moved : {tensor(images)}"]
        filters = (self.out, self.out, n, self.filters)
        product = (inner, self.kernel, self.kernel, self.filters)
        lines += [
            f"%filters = transpose %gradient {{permutation = [1, 2, 0, 3]}} : {tensor(filters)}",
            self.convolve("product", "images", "filters", product, self.dilation, pad, 1, self.stride),
            f"%y = transpose %product {{permutation = [1, 2, 0, 3]}} : {tensor(self.filter)}"]
        return {"gradient": self.result, "image": self.image}, self.filter, lines
