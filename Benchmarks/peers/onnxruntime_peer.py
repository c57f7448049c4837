"""ONNX Runtime's operations: each workload is a small ONNX model in the order of dimensions that ONNX has."""

import numpy
import onnxruntime

from onnx_text import model, node


class OnnxRuntimePeer:
    def __init__(self, threads):
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.draw = numpy.random.default_rng(0)

    def prepare(self, workload):
        inputs = {name: tuple(shape) for name, shape in workload["inputs"].items()}
        nodes, result, constants = getattr(self, workload["kind"])(workload["settings"], inputs)
        for name in workload["constants"]:
            constants[name] = self.numbers(inputs.pop(name))
        file = model(nodes, inputs, result, constants)
        session = onnxruntime.InferenceSession(file, self.options, providers=["CPUExecutionProvider"])
        # Bound once, so that a run neither copies nor allocates.
        binding = session.io_binding()
        self.bound = [onnxruntime.OrtValue.ortvalue_from_numpy(self.numbers(shape)) for shape in inputs.values()]
        for name, operand in zip(inputs, self.bound):
            binding.bind_ortvalue_input(name, operand)
        self.output = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros(result, "float32"))
        binding.bind_ortvalue_output("y", self.output)
        return lambda: session.run_with_iobinding(binding)

    def numbers(self, shape):
        return self.draw.random(shape, "float32") - numpy.float32(0.5)

    def product(self, settings, inputs):
        operands, _ = settings["spec"].split("->")
        lhs, rhs = operands.split(",")
        if set(lhs + rhs) == set("mnk"):
            transposed = dict(transA=int(lhs == "km"), transB=int(rhs == "nk"))
            sizes = dict(zip(lhs, inputs["a"])) | dict(zip(rhs, inputs["b"]))
            nodes = [node("Gemm", ["a", "b"], ["y"], **transposed)]
            return nodes, (sizes["m"], sizes["n"]), {}
        nodes, names = [], []
        for name, letters, straight in (("a", lhs, "bmk"), ("b", rhs, "bkn")):
            if len(letters) == 3 and letters != straight:
                # Fused into the product by the runtime.
                nodes.append(node("Transpose", [name], [name + "T"], perm=[0, 2, 1]))
                name += "T"
            names.append(name)
        nodes.append(node("MatMul", names, ["y"]))
        sizes = dict(zip(lhs, inputs["a"])) | dict(zip(rhs, inputs["b"]))
        return nodes, tuple(sizes[letter] for letter in settings["spec"].split("->")[1]), {}

    def convolution(self, settings, inputs):
        if settings["direction"] != "forward":
            raise NotImplementedError("ONNX Runtime has no gradients")
        n, height, width, channels = inputs["image"]
        k, _, inner, filters = inputs["filter"]
        inputs["image"] = (n, channels, height, width)
        inputs["filter"] = (filters, inner, k, k)
        stride, padding, dilation = settings["stride"], settings["padding"], settings["dilation"]
        out = [(size + 2 * padding - (k - 1) * dilation - 1) // stride + 1 for size in (height, width)]
        convolution = node(
            "Conv", ["image", "filter"], ["y"], strides=[stride] * 2, pads=[padding] * 4, dilations=[dilation] * 2,
            group=settings["groups"], kernel_shape=[k, k])
        return [convolution], (n, filters, *out), {}

    def softmax(self, settings, inputs):
        return [node("Softmax", ["a"], ["y"], axis=-1)], inputs["a"], {}

    def layer_norm(self, settings, inputs):
        return [node("LayerNormalization", ["a", "gain", "shift"], ["y"], axis=-1)], inputs["a"], {}

    def sum(self, settings, inputs):
        axes = settings["axes"]
        rest = tuple(extent for axis, extent in enumerate(inputs["a"]) if axis not in axes)
        return [node("ReduceSum", ["a", "axes"], ["y"], keepdims=0)], rest, {"axes": numpy.array(axes, "int64")}

    def max(self, settings, inputs):
        axes = settings["axes"]
        rest = tuple(extent for axis, extent in enumerate(inputs["a"]) if axis not in axes)
        return [node("ReduceMax", ["a"], ["y"], axes=axes, keepdims=0)], rest, {}

    def log_softmax(self, settings, inputs):
        return [node("LogSoftmax", ["a"], ["y"], axis=-1)], inputs["a"], {}

    def softmax_gradient(self, settings, inputs):
        raise NotImplementedError("ONNX Runtime has no gradients")

    layer_norm_gradient = max_pooling_gradient = average_pooling_gradient = softmax_gradient

    def batch_norm(self, settings, inputs):
        raise NotImplementedError("ONNX Runtime has no training")

    def rms_norm(self, settings, inputs):
        # Its own operation, which it makes of imported graphs.
        found = node("SimplifiedLayerNormalization", ["a", "gain"], ["y"], axis=-1)
        return [found], inputs["a"], {}

    def pooling(self, operation, settings, inputs, **more):
        n, height, width, channels = inputs["image"]
        inputs["image"] = (n, channels, height, width)
        size, stride, padding = settings["size"], settings["stride"], settings["padding"]
        out = [(extent + 2 * padding - size) // stride + 1 for extent in (height, width)]
        found = node(
            operation, ["image"], ["y"], kernel_shape=[size] * 2, strides=[stride] * 2, pads=[padding] * 4, **more)
        return [found], (n, channels, *out), {}

    def max_pooling(self, settings, inputs):
        return self.pooling("MaxPool", settings, inputs)

    def average_pooling(self, settings, inputs):
        return self.pooling("AveragePool", settings, inputs, count_include_pad=1)

    def gelu(self, settings, inputs):
        root, one, half = (numpy.array(number, "float32") for number in (0.5 ** 0.5, 1, 0.5))
        nodes = [
            node("Mul", ["a", "root"], ["scaled"]), node("Erf", ["scaled"], ["bell"]),
            node("Add", ["bell", "one"], ["weight"]), node("Mul", ["a", "weight"], ["part"]),
            node("Mul", ["part", "half"], ["y"])]
        return nodes, inputs["a"], {"root": root, "one": one, "half": half}

    def transpose(self, settings, inputs):
        permutation = settings["permutation"]
        result = tuple(inputs["a"][axis] for axis in permutation)
        return [node("Transpose", ["a"], ["y"], perm=permutation)], result, {}

    def chain(self, settings, inputs):
        nodes = [node("Mul", ["a", "b"], ["ab"]), node("Add", ["ab", "c"], ["s"]), node("Relu", ["s"], ["y"])]
        return nodes, inputs["a"], {}

    def gate(self, settings, inputs):
        nodes = [node("Tanh", ["a"], ["t"]), node("Sigmoid", ["b"], ["s"]), node("Mul", ["t", "s"], ["y"])]
        return nodes, inputs["a"], {}
