"""The libraries that Martlet is measured beside: each runs in a process of its own, `worker.py`."""

# What each is called, and the modules that it needs.
NAMES = {
    "onnxruntime": ["onnxruntime", "numpy"],
    "jax": ["jax", "numpy"],
    "torch": ["torch", "numpy"],
    "torch.compile": ["torch", "numpy"],
}
