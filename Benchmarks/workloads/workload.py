"""A workload: Martlet's program, what the peers are told, and what it needs at least."""

import array
import json
import math
import random
import struct
from dataclasses import dataclass, field

FLOAT_BYTES = 4


@dataclass
class Workload:
    """One thing to do, for Martlet and for its peers."""

    name: str
    # What the peers do: the name of a method of theirs, and its settings.
    kind: str
    settings: dict
    # The shapes of the operands, by name and in order, and of the result.
    inputs: dict = field(default_factory=dict)
    result: tuple = ()
    # The statements that compute `%y` from the operands, in Martlet's text.
    statements: list = field(default_factory=list)
    # The operands that are known before the run, as the weights of a trained model are.
    constants: tuple = ()
    # The multiplications and additions of contractions.
    flops: int = 0
    # A sample's name and batch instead of operands: its training step is measured.
    sample: str = ""
    batch: int = 0
    # What is read a second time, in bytes: no cache keeps it, and nothing can be written before all of it is known.
    again_bytes: int = 0

    @property
    def read_bytes(self):
        return FLOAT_BYTES * sum(math.prod(shape) for shape in self.inputs.values()) + self.again_bytes

    @property
    def written_bytes(self):
        return FLOAT_BYTES * math.prod(self.result) if self.inputs else 0

    def for_peers(self):
        """What a peer's process needs to know."""
        keys = ("kind", "settings", "inputs", "constants", "batch")
        return {key: getattr(self, key) for key in keys}

    def program(self):
        """The graph in Martlet's text; its large constants are named `@NAME`."""
        given = [f"%{name}: {tensor(shape)}" for name, shape in self.inputs.items() if name not in self.constants]
        known = [f"%{name} = constant @{name} : {tensor(self.inputs[name])}" for name in self.constants]
        body = "".join(f"  {line}\n" for line in known + self.statements)
        return f"graph @w({', '.join(given)}) -> (y: {tensor(self.result)}) {{\n{body}  return %y\n}}\n"

    def write(self, folder):
        """Writes the program, and its constants beside it; gives the program's path."""
        path = folder / "w.mir"
        path.write_text(self.program())
        if self.constants:
            write_safetensors(folder / "w.mir.safetensors", {name: self.inputs[name] for name in self.constants})
        return path


def tensor(shape):
    """A type in Martlet's text."""
    return f"f32[{','.join(map(str, shape))}]" if shape else "f32"


def write_safetensors(path, shapes):
    """Writes tensors of numbers between -0.5 and 0.5: a header of JSON behind its length, then the data."""
    draw = random.Random(1)
    block = array.array("f", (draw.random() - 0.5 for _ in range(4093))).tobytes()
    header, size = {}, 0
    for name, shape in shapes.items():
        end = size + FLOAT_BYTES * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [size, end]}
        size = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = (block * (size // len(block) + 1))[:size]
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
