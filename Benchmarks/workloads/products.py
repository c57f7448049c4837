"""Part `products`: matrix products, square and odd, transposed, batched, and by a vector."""

from .contractions import product

SQUARES = (128, 256, 512, 1024, 2048)
OTHERS = ((64, 512, 784), (127, 131, 137), (509, 503, 499), (1021, 17, 1019), (31, 1000, 1000), (1, 4096, 1024))
TRANSPOSED = {"b^T": "mk,nk->mn", "a^T": "km,kn->mn", "a^T b^T": "km,nk->mn"}


def workloads(quick):
    squares = SQUARES[:4] if quick else SQUARES
    for m, n, k in [(s, s, s) for s in squares] + list(OTHERS):
        yield product(f"{m}x{n}x{k}", "mk,kn->mn", {"m": m, "n": n, "k": k})
    for name, spec in TRANSPOSED.items():
        for m, n, k in ((512, 512, 512), (64, 512, 784)):
            yield product(f"{m}x{n}x{k} {name}", spec, {"m": m, "n": n, "k": k})
    for m, k in ((1024, 1024), (4096, 4096)):
        yield product(f"matrix-vector {m}x{k}", "mk,k->m", {"m": m, "k": k})
        yield product(f"vector-matrix {m}x{k}", "m,mk->k", {"m": m, "k": k})
    yield product("96 of 128x64x128 b^T", "bmk,bnk->bmn", {"b": 96, "m": 128, "n": 128, "k": 64})
    yield product("96 of 128x128x64", "bmk,bkn->bmn", {"b": 96, "m": 128, "n": 64, "k": 128})
    yield product("64 of 31x33x29", "bmk,bkn->bmn", {"b": 64, "m": 31, "n": 33, "k": 29})
