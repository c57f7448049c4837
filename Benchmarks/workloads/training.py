"""Part `training`: whole steps of training, forward, backward and update, on a batch that lies in memory.

Each is one of Martlet's samples; `peers/torch_models.py` and `peers/jax_models.py` write the same models in the
libraries' own ways.
"""

from .workload import Workload

BATCHES = {"mlp": 128, "lenet": 64, "resnet18": 32, "gpt": 16, "bert": 8}


def workloads(quick):
    for name, batch in BATCHES.items():
        yield Workload(f"{name} batch {batch}", "training", {"model": name}, sample=name, batch=batch)
