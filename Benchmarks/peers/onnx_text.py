"""ONNX models as bytes: the few fields of its protobuf messages that are needed here (onnx.proto3, version 1)."""

import numpy

FLOAT, INT64 = 1, 7
DTYPES = {numpy.dtype("float32"): FLOAT, numpy.dtype("int64"): INT64}


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """A field of an integer, or of a text or message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def attribute(name, value):
    """An integer or a list of integers (AttributeProto)."""
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, item) for item in value) + field(20, 7)


def node(operation, inputs, outputs, **attributes):
    """NodeProto."""
    return (
        b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
        + field(4, operation) + b"".join(field(5, attribute(*item)) for item in attributes.items()))


def constant(name, values):
    """TensorProto."""
    dimensions = b"".join(field(1, extent) for extent in values.shape)
    return dimensions + field(2, DTYPES[values.dtype]) + field(8, name) + field(9, values.tobytes())


def value(name, shape):
    """ValueInfoProto of an f32 tensor."""
    dimensions = b"".join(field(1, field(1, extent)) for extent in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, dimensions)))


def model(nodes, inputs, output, constants):
    """ModelProto of a graph from inputs to `y`; shapes by name, and constants by name."""
    graph = (
        b"".join(field(1, item) for item in nodes) + field(2, "w")
        + b"".join(field(5, constant(*item)) for item in constants.items())
        + b"".join(field(11, value(*item)) for item in inputs.items()) + field(12, value("y", output)))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))
