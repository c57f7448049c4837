"""JAX's operations."""

import os

# A pool as large as the processors that the process may use while it starts.
AFFINITY = os.sched_getaffinity(0)


class JaxPeer:
    def __init__(self, threads):
        os.sched_setaffinity(0, set(sorted(AFFINITY)[:threads]))
        import jax
        jax.devices()
        for task in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(task), AFFINITY)
        self.jax = jax

    def prepare(self, workload):
        kind = workload["kind"]
        if kind == "training":
            import jax_models
            return jax_models.step(workload["settings"]["model"], workload["batch"])
        body = getattr(self, kind)(workload["settings"])
        keys = self.jax.random.split(self.jax.random.key(0), len(workload["inputs"]))
        operands = [
            self.jax.random.uniform(key, tuple(shape)) - 0.5 for key, shape in zip(keys, workload["inputs"].values())]
        function = self.jax.jit(body)
        return lambda: function(*operands).block_until_ready()

    def product(self, settings):
        return lambda a, b: self.jax.numpy.einsum(settings["spec"], a, b)

    def softmax(self, settings):
        return lambda a: self.jax.nn.softmax(a, -1)

    def layer_norm(self, settings):
        def normalized(a, gain, shift):
            centred = a - a.mean(-1, keepdims=True)
            variance = (centred * centred).mean(-1, keepdims=True)
            return centred * self.jax.lax.rsqrt(variance + 1e-5) * gain + shift
        return normalized

    def sum(self, settings):
        return lambda a: a.sum(tuple(settings["axes"]))

    def transpose(self, settings):
        return lambda a: a.transpose(settings["permutation"])

    def chain(self, settings):
        return lambda a, b, c: self.jax.nn.relu(a * b + c)

    def gate(self, settings):
        return lambda a, b: self.jax.numpy.tanh(a) * self.jax.nn.sigmoid(b)
