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

    def max(self, settings):
        return lambda a: a.max(tuple(settings["axes"]))

    def log_softmax(self, settings):
        return lambda a: self.jax.nn.log_softmax(a, -1)

    def softmax_gradient(self, settings):
        return lambda a, b: a * (b - (a * b).sum(-1, keepdims=True))

    def rms_norm(self, settings):
        return lambda a, gain: a * self.jax.lax.rsqrt((a * a).mean(-1, keepdims=True) + 1e-5) * gain

    def layer_norm_gradient(self, settings):
        def gradient(a, b, gain):
            centred = a - a.mean(-1, keepdims=True)
            scale = self.jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
            normal, g = centred * scale, b * gain
            return scale * (g - g.mean(-1, keepdims=True) - normal * (g * normal).mean(-1, keepdims=True))
        return gradient

    def batch_norm(self, settings):
        def normalized(image, gain, shift):
            centred = image - image.mean((0, 1, 2))
            variance = (centred * centred).mean((0, 1, 2))
            return centred * self.jax.lax.rsqrt(variance + 1e-5) * gain + shift
        return normalized

    def window(self, settings):
        size, stride, padding = settings["size"], settings["stride"], settings["padding"]
        return (1, size, size, 1), (1, stride, stride, 1), ((0, 0), (padding, padding), (padding, padding), (0, 0))

    def max_pooling(self, settings):
        lax = self.jax.lax
        return lambda image: lax.reduce_window(image, -float("inf"), lax.max, *self.window(settings))

    def average_pooling(self, settings):
        lax, share = self.jax.lax, 1 / settings["size"] ** 2
        return lambda image: lax.reduce_window(image, 0.0, lax.add, *self.window(settings)) * share

    def max_pooling_gradient(self, settings):
        def gradient(image, gradient):
            return self.jax.vjp(self.max_pooling(settings), image)[1](gradient)[0]
        return gradient

    def average_pooling_gradient(self, settings):
        def gradient(gradient):
            image = self.jax.numpy.zeros(settings["image"])
            return self.jax.vjp(self.average_pooling(settings), image)[1](gradient)[0]
        return gradient

    def gelu(self, settings):
        return lambda a: self.jax.nn.gelu(a, approximate=False)

    def transpose(self, settings):
        return lambda a: a.transpose(settings["permutation"])

    def chain(self, settings):
        return lambda a, b, c: self.jax.nn.relu(a * b + c)

    def gate(self, settings):
        return lambda a, b: self.jax.numpy.tanh(a) * self.jax.nn.sigmoid(b)
