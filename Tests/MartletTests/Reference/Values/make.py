"""Makes the reference values in this folder with PyTorch, in f64: python3 make.py

Each case has inputs and parameters under Martlet's names and layouts, a factor for each element of the output, the
output, and the gradients of sum(factor * output). Layouts are Martlet's: channels last, filters [size..., in, out].
"""

import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent


def numbers(*shape, seed=1, low=-1.0, high=1.0):
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(*shape, generator=generator)


def written(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().flatten().tolist()}


def case(name, function, inputs, **parameters):
    """One case: `function` takes the inputs, then the parameters by name with '_' for '.'."""
    leaves = [tensor.clone().requires_grad_(tensor.is_floating_point()) for tensor in inputs]
    named = {key: tensor.clone().requires_grad_(True) for key, tensor in parameters.items()}
    output = function(*leaves, **named)
    factor = numbers(*output.shape, seed=99) if output.dim() else torch.tensor(1.0)
    if output.requires_grad:
        (factor * output).sum().backward()

    def gradient(tensor):
        return written(tensor.grad if tensor.grad is not None else torch.zeros_like(tensor))

    gradients = {f"x{i}": gradient(t) for i, t in enumerate(leaves) if t.requires_grad}
    gradients |= {key.replace("_", "."): gradient(t) for key, t in named.items()}
    return {
        "name": name,
        "inputs": [written(t.double()) | {"isInteger": not t.is_floating_point()} for t in inputs],
        "parameters": {key.replace("_", "."): written(t) for key, t in parameters.items()},
        "factor": written(factor),
        "output": written(output),
        "gradients": gradients,
    }


def write(name, cases):
    text = ",\n".join(json.dumps(c) for c in cases)
    (FOLDER / f"{name}.json").write_text(f"[\n{text}\n]\n")


# Channels last and back.


def first(x):
    """[n, spatial..., c] to [n, c, spatial...]."""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def weight(f):
    """[size..., in, out] to [out, in, size...]."""
    return f.movedim(-1, 0).movedim(-1, 1)


def transposed_weight(f):
    """[size..., in, out] to [in, out, size...]."""
    return f.movedim(-2, 0).movedim(-1, 1)


def activations():
    x = torch.tensor([[-7.0, -3.0, -1.5, -0.7, -0.01], [0.02, 0.6, 1.0, 2.9, 8.0]])
    # PyTorch's own hardsigmoid and hardswish take the slope 1/6 in single precision.
    def hard_sigmoid(x):
        return torch.clamp(x / 6 + 0.5, 0, 1)

    functions = {
        "step": lambda x: torch.heaviside(x.detach(), torch.tensor(1.0)),
        "sigmoid": torch.sigmoid,
        "hardSigmoid": hard_sigmoid,
        "tanh": torch.tanh,
        "relu": F.relu,
        "relu6": F.relu6,
        "leakyReLU": lambda x: F.leaky_relu(x, 0.2),
        "elu": lambda x: F.elu(x, 0.7),
        "selu": F.selu,
        "softplus": F.softplus,
        "swish": F.silu,
        "hardSwish": lambda x: x * hard_sigmoid(x),
        "gelu": F.gelu,
        "geluByTanh": lambda x: F.gelu(x, approximate="tanh"),
        "softmax": lambda x: F.softmax(x, -1),
        "logSoftmax": lambda x: F.log_softmax(x, -1),
    }
    cases = [case(name, function, [x]) for name, function in functions.items()]
    # Where the slope jumps, the gradient is that of one side.
    kinks = torch.tensor([[0.0, 6.0, -0.0]])
    for name in ["relu", "relu6", "leakyReLU", "elu", "selu"]:
        cases.append(case(f"{name} at its kinks", functions[name], [kinks]))
    cases.append(
        case(
            "PReLU", lambda x, prelu_slope: F.prelu(first(x), prelu_slope).movedim(1, -1),
            [numbers(2, 3, 3, 4)], prelu_slope=numbers(4, seed=2)))
    cases.append(
        case(
            "Maxout",
            lambda x, maxout_weight, maxout_bias:
                (x @ maxout_weight + maxout_bias).unflatten(-1, (3, 2)).max(-1).values,
            [numbers(5, 4)], maxout_weight=numbers(4, 6, seed=2), maxout_bias=numbers(6, seed=3)))
    write("activations", cases)


def convolutions():
    cases = []

    def conv(name, rank, shape, filter_shape, prefix, same=None, **options):
        function = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]

        def run(x, **p):
            image = first(x)
            if same:
                image = F.pad(image, same)
            return last(function(image, weight(p[f"{prefix}_filter"]), p[f"{prefix}_bias"], **options))

        cases.append(
            case(name, run, [numbers(*shape)], **{
                f"{prefix}_filter": numbers(*filter_shape, seed=2),
                f"{prefix}_bias": numbers(filter_shape[-1], seed=3)}))

    conv("Conv1D valid", 1, (2, 7, 3), (3, 3, 4), "conv1d")
    conv("Conv1D full stride 2 dilation 2", 1, (2, 7, 3), (3, 3, 4), "conv1d", stride=2, dilation=2, padding=4)
    conv("Conv2D same stride 2", 2, (2, 6, 7, 2), (3, 3, 2, 3), "conv2d", same=(1, 1, 0, 1), stride=2)
    conv("Conv1D same size 2", 1, (2, 5, 2), (2, 2, 3), "conv1d", same=(0, 1))
    conv("Conv2D same dilation", 2, (1, 5, 5, 2), (3, 3, 2, 2), "conv2d", padding=2, dilation=2)
    conv("Conv3D same", 3, (1, 3, 3, 3, 1), (3, 2, 3, 1, 2), "conv3d", same=(1, 1, 0, 1, 1, 1))
    conv("Conv2D groups dilation", 2, (1, 7, 6, 4), (3, 2, 2, 6), "conv2d", groups=2, dilation=2, padding=(1, 2))
    conv("Conv2D full", 2, (1, 4, 3, 2), (2, 3, 2, 2), "conv2d", padding=(1, 2))
    conv("Conv2D half stride 2", 2, (1, 6, 5, 2), (3, 3, 2, 2), "conv2d", stride=2, padding=1)
    conv("Conv3D", 3, (1, 4, 5, 3, 2), (2, 3, 2, 2, 3), "conv3d", stride=(1, 2, 1), padding=1)
    conv("DepthwiseConv2D", 2, (2, 5, 5, 3), (3, 3, 1, 6), "depthwiseconv2d", groups=3, padding=1)

    conv("DepthwiseConv2D stride dilation", 2, (1, 7, 6, 2), (3, 2, 1, 2), "depthwiseconv2d",
         groups=2, stride=2, dilation=(1, 2), padding=1)

    def separable(x, separableconv2d_depthwise_filter, separableconv2d_pointwise_filter,
                  separableconv2d_pointwise_bias):
        maps = F.conv2d(first(x), weight(separableconv2d_depthwise_filter), groups=3, padding=1)
        return last(
            F.conv2d(maps, weight(separableconv2d_pointwise_filter), separableconv2d_pointwise_bias))

    conv("DepthwiseConv3D", 3, (1, 3, 2, 2, 2), (2, 2, 1, 1, 2), "depthwiseconv3d", groups=2)

    def separable1d(x, separableconv1d_depthwise_filter, separableconv1d_pointwise_filter,
                    separableconv1d_pointwise_bias):
        maps = F.conv1d(first(x), weight(separableconv1d_depthwise_filter), groups=2, stride=2)
        return last(
            F.conv1d(maps, weight(separableconv1d_pointwise_filter), separableconv1d_pointwise_bias))

    cases.append(
        case(
            "SeparableConv1D", separable1d, [numbers(2, 5, 2)],
            separableconv1d_depthwise_filter=numbers(3, 1, 2, seed=2),
            separableconv1d_pointwise_filter=numbers(1, 2, 3, seed=3),
            separableconv1d_pointwise_bias=numbers(3, seed=4)))
    cases.append(
        case(
            "SeparableConv2D", separable, [numbers(2, 4, 4, 3)],
            separableconv2d_depthwise_filter=numbers(3, 3, 1, 3, seed=2),
            separableconv2d_pointwise_filter=numbers(1, 1, 3, 5, seed=3),
            separableconv2d_pointwise_bias=numbers(5, seed=4)))

    def transposed(name, rank, shape, filter_shape, prefix, **options):
        function = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[rank]
        cases.append(
            case(
                name,
                lambda x, **p: last(
                    function(
                        first(x), transposed_weight(p[f"{prefix}_filter"]), p[f"{prefix}_bias"],
                        **options)), [numbers(*shape)], **{
                            f"{prefix}_filter": numbers(*filter_shape, seed=2),
                            f"{prefix}_bias": numbers(filter_shape[-1], seed=3)}))

    transposed("ConvTranspose1D", 1, (2, 4, 3), (3, 3, 2), "convtranspose1d", stride=2)
    transposed(
        "ConvTranspose2D", 2, (2, 3, 4, 3), (3, 3, 3, 2), "convtranspose2d", stride=2, padding=1,
        output_padding=1)
    transposed(
        "ConvTranspose2D dilation", 2, (1, 3, 3, 2), (2, 3, 2, 3), "convtranspose2d", stride=(3, 1),
        padding=(0, 1), output_padding=(2, 0), dilation=(1, 2))
    transposed("ConvTranspose3D", 3, (1, 2, 3, 2, 2), (2, 2, 2, 2, 3), "convtranspose3d", stride=2)
    write("convolutions", cases)


def pooling():
    x1, x2, x3 = numbers(2, 7, 3), numbers(2, 7, 6, 3), numbers(1, 4, 5, 4, 2)
    functions = [
        ("MaxPool1D", x1, lambda x: F.max_pool1d(x, 2)),
        ("MaxPool2D", x2, lambda x: F.max_pool2d(x, 3, 2, 1)),
        ("MaxPool2D ties", (x2 * 2).round(), lambda x: F.max_pool2d(x, 3, 2, 1)),
        ("MaxPool3D", x3, lambda x: F.max_pool3d(x, 2)),
        ("AvgPool1D", x1, lambda x: F.avg_pool1d(x, 3, 2)),
        ("AvgPool2D", x2, lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
        ("AvgPool3D", x3, lambda x: F.avg_pool3d(x, 2)),
        ("AvgPool1D padded", x1,
         lambda x: F.avg_pool1d(x, 3, 2, 1, count_include_pad=False)),
        ("L2Pool1D", x1, lambda x: F.lp_pool1d(x, 2, 3, 2)),
        ("L2Pool2D", x2, lambda x: F.lp_pool2d(x, 2, 2)),
        ("GlobalAvgPool", x2, lambda x: x.mean((2, 3))),
        ("GlobalMaxPool", x2, lambda x: x.amax((2, 3))),
        ("AdaptivePool average", x2, lambda x: F.adaptive_avg_pool2d(x, (3, 4))),
        ("AdaptivePool max", x2, lambda x: F.adaptive_max_pool2d(x, (3, 4))),
        ("Upsample nearest", x2, lambda x: F.interpolate(x, scale_factor=(2, 3))),
        ("Upsample linear", x2,
         lambda x: F.interpolate(x, scale_factor=(2, 3), mode="bilinear", align_corners=False)),
        ("Upsample linear 1-D", x1,
         lambda x: F.interpolate(x, scale_factor=4, mode="linear", align_corners=False)),
        ("LocalResponseNorm", numbers(2, 3, 3, 7, low=-3, high=3),
         lambda x: F.local_response_norm(x, 5, alpha=0.5, beta=0.75, k=2)),
    ]

    def wrapped(function):
        def run(x):
            y = function(first(x))
            return y if y.dim() == 2 else last(y)
        return run

    write("pooling", [case(name, wrapped(function), [x]) for name, x, function in functions])


def normalization():
    cases = []

    def norm(name, prefix, function, shape, bias=True):
        parameters = {f"{prefix}_scale": numbers(shape[-1], seed=2)}
        if bias:
            parameters[f"{prefix}_bias"] = numbers(shape[-1], seed=3)
        cases.append(case(name, function, [numbers(*shape)], **parameters))

    norm("LayerNorm", "layernorm",
         lambda x, layernorm_scale, layernorm_bias:
             F.layer_norm(x, (5,), layernorm_scale, layernorm_bias, 1e-3), (4, 5))
    norm("GroupNorm", "groupnorm",
         lambda x, groupnorm_scale, groupnorm_bias:
             last(F.group_norm(first(x), 2, groupnorm_scale, groupnorm_bias, 1e-3)), (2, 3, 3, 6))
    norm("InstanceNorm", "instancenorm",
         lambda x, instancenorm_scale, instancenorm_bias:
             last(F.instance_norm(
                 first(x), weight=instancenorm_scale, bias=instancenorm_bias, eps=1e-3)),
         (2, 3, 4, 3))
    norm("RMSNorm", "rmsnorm",
         lambda x, rmsnorm_scale: F.rms_norm(x, (5,), rmsnorm_scale, 1e-3), (4, 5), bias=False)
    norm("BatchNorm", "batchnorm",
         lambda x, batchnorm_scale, batchnorm_bias:
             last(F.batch_norm(
                 first(x), torch.zeros(3), torch.ones(3), batchnorm_scale, batchnorm_bias,
                 training=True, eps=1e-3)), (3, 2, 4, 3))
    def inference(x, batchnorm_scale, batchnorm_bias, batchnorm_runningMean, batchnorm_runningVariance):
        return last(F.batch_norm(
            first(x), batchnorm_runningMean.detach(), batchnorm_runningVariance.detach(),
            batchnorm_scale, batchnorm_bias, training=False, eps=1e-3))

    cases.append(case(
        "BatchNorm inference", inference, [numbers(2, 2, 3, 3)],
        batchnorm_scale=numbers(3, seed=2), batchnorm_bias=numbers(3, seed=3),
        batchnorm_runningMean=numbers(3, seed=4),
        batchnorm_runningVariance=numbers(3, seed=5, low=0.5, high=2.0)))
    for name in ["runningMean", "runningVariance"]:
        cases[-1]["gradients"].pop(f"batchnorm.{name}")
    write("normalization", cases)


def composition():
    """Layers made of layers, and tables."""
    def residual(x, residual_0_weight, residual_0_bias, residual_1_weight, residual_1_bias,
                 residual_shortcut_weight):
        inner = torch.tanh(x @ residual_0_weight + residual_0_bias)
        return inner @ residual_1_weight + residual_1_bias + x @ residual_shortcut_weight

    def branches(x, branches_0_weight, branches_1_weight):
        return torch.cat([x @ branches_0_weight, torch.tanh(x @ branches_1_weight)], -1)

    def dense(x, denselyconnected_0_weight, denselyconnected_1_weight):
        x = torch.cat([x, torch.tanh(x @ denselyconnected_0_weight)], -1)
        return torch.cat([x, torch.tanh(x @ denselyconnected_1_weight)], -1)

    def attention(x, multiheadattention_queriesKeysValues_weight,
                  multiheadattention_queriesKeysValues_bias, multiheadattention_output_weight,
                  multiheadattention_output_bias):
        return F.multi_head_attention_forward(
            x.movedim(1, 0), x.movedim(1, 0), x.movedim(1, 0), 4, 2,
            multiheadattention_queriesKeysValues_weight.T, multiheadattention_queriesKeysValues_bias,
            None, None, False, 0.0, multiheadattention_output_weight.T,
            multiheadattention_output_bias, need_weights=False)[0].movedim(0, 1)

    x = numbers(4, 3)
    write("composition", [
        case("Dense", lambda x, dense_weight, dense_bias: torch.sigmoid(x @ dense_weight + dense_bias),
             [numbers(2, 2, 3)], dense_weight=numbers(3, 4, seed=2), dense_bias=numbers(4, seed=3)),
        case("Residual", residual, [x], residual_0_weight=numbers(3, 4, seed=2),
             residual_0_bias=numbers(4, seed=3), residual_1_weight=numbers(4, 2, seed=4),
             residual_1_bias=numbers(2, seed=5), residual_shortcut_weight=numbers(3, 2, seed=6)),
        case("Branches", branches, [x], branches_0_weight=numbers(3, 2, seed=2),
             branches_1_weight=numbers(3, 3, seed=3)),
        case("DenselyConnected", dense, [x], denselyconnected_0_weight=numbers(3, 2, seed=2),
             denselyconnected_1_weight=numbers(5, 2, seed=3)),
        case("Embedding", lambda i, embedding_weight: F.embedding(i, embedding_weight),
             [torch.tensor([[4, 0, 4], [2, 4, 1]])], embedding_weight=numbers(5, 3, seed=2)),
        case("PositionEmbedding", lambda x, positionembedding_weight: x + positionembedding_weight,
             [numbers(2, 3, 2)], positionembedding_weight=numbers(3, 2, seed=2)),
        case("MultiHeadAttention", attention, [numbers(2, 3, 4)],
             multiheadattention_queriesKeysValues_weight=numbers(4, 12, seed=2),
             multiheadattention_queriesKeysValues_bias=numbers(12, seed=3),
             multiheadattention_output_weight=numbers(4, 4, seed=4),
             multiheadattention_output_bias=numbers(4, seed=5)),
    ])


def losses():
    y, t = numbers(4, 3, low=-2, high=2), numbers(4, 3, seed=2, low=-2, high=2)
    bits = torch.tensor([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0]])
    labels = torch.tensor([2, 0, 1, 1])
    onehot = F.one_hot(labels, 3).double()
    soft = F.softmax(numbers(4, 3, seed=5), -1)
    probabilities = torch.sigmoid(y)
    distribution = F.softmax(y, -1)
    weights = torch.tensor([0.5, 2.0, 1.25])

    def mean(loss):
        return loss.mean(-1)

    def focal(x, target, gamma=2.0, alpha=0.25):
        p = torch.sigmoid(x)
        ce = F.binary_cross_entropy_with_logits(x, target, reduction="none")
        pt = p * target + (1 - p) * (1 - target)
        weight = 1 if alpha is None else alpha * target + (1 - alpha) * (1 - target)
        return mean(weight * ce * (1 - pt) ** gamma)

    def class_focal(logs, gamma=2.0):
        picked = logs.gather(-1, labels[:, None])[:, 0]
        return -weights[labels] * (1 - picked.exp()) ** gamma * picked

    def weighted_binary(log_one, log_zero):
        t = bits * 0.8 + 0.1
        return mean(-(2.0 * t * log_one + 0.5 * (1 - t) * log_zero))

    # Logits at 0, as a model with zeros for weights gives them, and far from it.
    extreme = torch.tensor([[0.0, 0.0, 20.0], [-20.0, 0.0, -30.0], [30.0, 1e-3, 0.0], [5.0, 0.0, -300.0]])
    sequence = numbers(2, 2, 3, seed=6, low=-2, high=2)
    places = torch.tensor([[2, 0], [1, 1]])
    masked = torch.tensor([[2, -1], [1, 0]])

    def of_places(x, targets, **options):
        return F.cross_entropy(x.movedim(-1, 1), targets, reduction="none", **options)

    cases = [
        case("meanSquaredError", lambda a, b: mean((a - b) ** 2), [y, t]),
        case("halfSquaredError", lambda a, b: ((a - b) ** 2).sum(-1) / 2, [y, t]),
        case("l2", lambda a, b: ((a - b) ** 2).sum(-1), [y, t]),
        case("meanAbsoluteError", lambda a, b: mean(F.l1_loss(a, b, reduction="none")), [y, t]),
        case("l1", lambda a, b: F.l1_loss(a, b, reduction="none").sum(-1), [y, t]),
        case("huber", lambda a, b: mean(F.huber_loss(a, b, reduction="none", delta=0.7)), [y, t]),
        case("logCosh", lambda a, b: mean(torch.log(torch.cosh(a - b))), [y, t]),
        case("binaryCrossEntropy", lambda a: mean(
            F.binary_cross_entropy_with_logits(a, bits.double(), reduction="none")), [y]),
        case("binaryCrossEntropyOfProbabilities", lambda a: mean(
            F.binary_cross_entropy(a, bits.double(), reduction="none")), [probabilities]),
        case("binaryCrossEntropy at extremes", lambda a: mean(
            F.binary_cross_entropy_with_logits(a, bits.double(), reduction="none")), [extreme]),
        case("binaryCrossEntropy smoothing weights", lambda a: weighted_binary(
            F.logsigmoid(a), F.logsigmoid(-a)), [y]),
        case("binaryCrossEntropyOfProbabilities smoothing weights", lambda a: weighted_binary(
            a.log(), (1 - a).log()), [probabilities]),
        case("binaryFocal", lambda a: focal(a, bits.double()), [y]),
        case("binaryFocal gamma 0.5", lambda a: focal(a, bits.double(), 0.5, None), [y]),
        case("hinge", lambda a: mean(F.relu(1 - (2 * bits - 1) * a)), [y]),
        case("softmaxCrossEntropy", lambda a: F.cross_entropy(a, labels, reduction="none"), [y]),
        case("crossEntropy one-hot", lambda a: F.cross_entropy(a, onehot, reduction="none"), [y]),
        case("softmaxCrossEntropy of places", lambda a: mean(of_places(a, places)), [sequence]),
        case("maskedSoftmaxCrossEntropy", lambda a: of_places(
            a, masked, ignore_index=-1).sum(-1) / (masked >= 0).sum(-1), [sequence]),
        case("crossEntropy of places", lambda a: mean(of_places(a, places)), [sequence]),
        case("crossEntropy one-hot smoothing weights", lambda a: F.cross_entropy(
            a, onehot, weight=weights, label_smoothing=0.1, reduction="none"), [y]),
        case("crossEntropy smoothing weights", lambda a: F.cross_entropy(
            a, labels, weight=weights, label_smoothing=0.1, reduction="none"), [y]),
        case("crossEntropy probabilities", lambda a: F.nll_loss(
            a.log(), labels, weight=weights, reduction="none"), [distribution]),
        case("focal", lambda a: class_focal(F.log_softmax(a, -1)), [y]),
        case("focal gamma 0.5 one-hot", lambda a: class_focal(F.log_softmax(a, -1), 0.5), [y]),
        case("focal probabilities", lambda a: class_focal(a.log()), [distribution]),
        case("kullbackLeibler", lambda a: F.kl_div(
            F.log_softmax(a, -1), soft, reduction="none").sum(-1), [y]),
        case("kullbackLeibler probabilities", lambda a: F.kl_div(
            a.log(), soft, reduction="none").sum(-1), [distribution]),
    ]
    constants = {"bits": bits, "labels": labels, "onehot": onehot, "soft": soft, "places": places,
                 "masked": masked}
    for c in cases:
        c["constants"] = {key: written(value.double()) for key, value in constants.items()}
    write("losses", cases)


def optimizers():
    from torch import optim
    rate = 0.01
    makers = {
        "GradientDescent": lambda p: optim.SGD(p, lr=rate),
        "GradientDescent decay": lambda p: optim.SGD(p, lr=rate, weight_decay=0.1),
        "SGD": lambda p: optim.SGD(p, lr=rate, momentum=0.8),
        "SGD nesterov": lambda p: optim.SGD(p, lr=rate, momentum=0.8, nesterov=True),
        "AdaGrad": lambda p: optim.Adagrad(p, lr=rate),
        "RMSProp": lambda p: optim.RMSprop(p, lr=rate, alpha=0.9),
        "Adadelta": lambda p: optim.Adadelta(p, lr=rate),
        "Adam": lambda p: optim.Adam(p, lr=rate),
        "Adam decay": lambda p: optim.Adam(p, lr=rate, weight_decay=0.1),
        "AdamW": lambda p: optim.AdamW(p, lr=rate, weight_decay=0.1),
        "Adam beta1 0": lambda p: optim.Adam(p, lr=rate, betas=(0.0, 0.99), eps=1e-3),
        "group": lambda p: optim.AdamW(p, lr=rate * 0.5, weight_decay=0.2),
        "Adamax": lambda p: optim.Adamax(p, lr=rate),
        "clipping by value": lambda p: optim.SGD(p, lr=rate),
        "clipping by norm": lambda p: optim.SGD(p, lr=rate),
    }
    begin = numbers(5)
    gradients = [numbers(5, seed=10 + step, low=-3, high=3) for step in range(10)]
    cases = []
    for name, make in makers.items():
        parameter = begin.clone().requires_grad_(True)
        optimizer = make([parameter])
        values = []
        for gradient in gradients:
            parameter.grad = gradient.clone()
            if name == "clipping by value":
                torch.nn.utils.clip_grad_value_([parameter], 0.5)
            if name == "clipping by norm":
                torch.nn.utils.clip_grad_norm_([parameter], 0.5)
            optimizer.step()
            values.append(parameter.detach().tolist())
        cases.append({"name": name, "begin": begin.tolist(), "values": values,
                      "gradients": [g.tolist() for g in gradients]})
    # What PyTorch lacks: two textbook forms of momentum, decoupled decay beside other rules than Adam's, and a running mean
    # of the weights that begins as they do.
    def steps(p, v, g):
        v = 0.8 * v - rate * g
        return p + v, v

    def mean(p, v, g):
        v = 0.8 * v + 0.2 * g
        return p - rate * v, v

    def steps_nesterov(p, v, g):
        v = 0.8 * v - rate * g
        return p + 0.8 * v - rate * g, v

    def mean_nesterov(p, v, g):
        v = 0.8 * v + 0.2 * g
        return p - rate * (0.8 * v + 0.2 * g), v

    def decoupled(p, v, g):
        v = 0.8 * v + g
        return p * (1 - rate * 0.1) - rate * v, v

    def averaging(p, v, g):
        p = p - rate * g
        return p, v + (p - v) * 0.1

    for name, form in [("SGD steps", steps), ("SGD mean", mean), ("SGD steps nesterov", steps_nesterov),
                       ("SGD mean nesterov", mean_nesterov), ("SGD decoupled decay", decoupled),
                       ("averaging", averaging)]:
        p, v, values = begin.clone(), torch.zeros(5), []
        if name == "averaging":
            v = begin.clone()
        for g in gradients:
            p, v = form(p, v, g)
            values.append((v if name == "averaging" else p).tolist())
        cases.append({"name": name, "begin": begin.tolist(), "values": values,
                      "gradients": [g.tolist() for g in gradients]})
    write("optimizers", cases)


def schedules():
    from torch.optim import lr_scheduler as S
    count = 12
    makers = {
        "constant": lambda o: S.ConstantLR(o, factor=1, total_iters=0),
        "step": lambda o: S.StepLR(o, step_size=3, gamma=0.5),
        "exponential": lambda o: S.ExponentialLR(o, gamma=0.9),
        "inverseTime": lambda o: S.LambdaLR(o, lambda t: 1 / (1 + 0.5 * t)),
        "cosine": lambda o: S.CosineAnnealingLR(o, T_max=count, eta_min=0.1),
        "oneCycle": lambda o: S.OneCycleLR(o, max_lr=1, total_steps=count, cycle_momentum=False),
        "warmUp": lambda o: S.LambdaLR(o, lambda t: min((t + 1) / 4, 1)),
    }
    cases = []
    for name, make in makers.items():
        parameter = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.SGD([parameter], lr=1.0)
        scheduler = make(optimizer)
        values = []
        for _ in range(count):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        cases.append({"name": name, "factors": values})
    write("schedules", cases)


def metrics():
    def shares(predicted, labels, classes):
        """Precision and the like of each class; NaN for 0 / 0."""
        hits = np.array([((predicted == c) & (labels == c)).sum() for c in classes], float)
        found = np.array([(predicted == c).sum() for c in classes], float)
        there = np.array([(labels == c).sum() for c in classes], float)
        with np.errstate(invalid="ignore"):
            return {"precision": np.nan_to_num(hits / found).mean(),
                    "recall": np.nan_to_num(hits / there).mean(),
                    "f1": np.nan_to_num(2 * hits / (found + there)).mean(),
                    "iou": np.nanmean(hits / (found + there - hits)),
                    "dice": np.nanmean(2 * hits / (found + there))}

    def of_classes(name, scores, labels):
        scores, labels = scores.numpy(), labels.numpy()
        classes = scores.shape[-1]
        order = np.argsort(-scores, axis=-1, kind="stable")
        values = shares(order[..., 0], labels, range(classes))
        values |= {"accuracy": (order[..., 0] == labels).mean(),
                   "top2": (order[..., :2] == labels[..., None]).any(-1).mean()}
        return written_case(name, scores, labels, values)

    def of_logits(name, scores, labels):
        scores, labels = scores.numpy(), labels.numpy()
        predicted = (scores > 0).reshape(labels.shape)
        values = shares(predicted, labels, [1]) | {"accuracy": (predicted == labels).mean()}
        return written_case(name, scores, labels, values)

    def of_numbers(name, outputs, labels):
        y, t = outputs.numpy(), labels.numpy()
        r2 = 1 - ((t - y) ** 2).sum(0) / ((t - t.mean(0)) ** 2).sum(0)
        return written_case(name, y, t, {"r2": np.mean(r2)})

    def written_case(name, scores, labels, values):
        isInteger = labels.dtype.kind == "i"
        return {"name": name, "outputs": written(torch.tensor(scores)),
                "labels": written(torch.tensor(labels).double()) | {"isInteger": isInteger},
                "values": {key: float(value) for key, value in values.items()}}

    # Class 3 has no labels, class 4 neither labels nor predictions.
    scores = numbers(13, 5) - torch.tensor([0.0, 0, 0, 0, 9])
    labels = torch.arange(13) * 7 % 3
    scores[torch.arange(10), labels[:10]] += 0.6
    x, far = numbers(11, 2, seed=3), torch.tensor([0.0, 9.0])
    write("metrics", [
        of_classes("classes", scores, labels),
        of_classes("ties", (scores * 2).round(), labels),
        of_classes("places", numbers(3, 2, 4, 3, seed=2), torch.arange(24).reshape(3, 2, 4) * 5 % 3),
        of_logits("logits", numbers(9, seed=4), torch.arange(9) % 2),
        of_logits("logits in a column", numbers(9, 1, seed=4), torch.arange(9) % 2),
        of_logits("maps of logits", numbers(3, 4, 2, seed=5), torch.arange(24).reshape(3, 4, 2) * 5 % 3 % 2),
        of_numbers("numbers", x[:, 0] + 5 + 0.3 * numbers(11, seed=6), x[:, 0] + 5),
        of_numbers("pairs of numbers", x + far + 0.3 * numbers(11, 2, seed=6), x + far),
    ])


for make in [activations, convolutions, pooling, normalization, composition, losses, optimizers,
             schedules, metrics]:
    make()
