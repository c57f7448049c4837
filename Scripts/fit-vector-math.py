"""Prints the polynomial coefficients in Sources/LLVMBackend/VectorMath that are not those of a power series.

Chebyshev fits (mpmath's chebyfit), lowest power first, with the largest error of each fit. Needs mpmath.
"""
from mpmath import chebyfit, erfc, exp, mp, mpf, nstr, pi, sqrt, tanh

mp.dps = 60


def show(name, function, interval, terms):
    coefficients, error = chebyfit(function, interval, terms, error=True)
    print(name, "error", nstr(error, 3))
    for value in reversed(coefficients):
        print("   ", nstr(value, 20))


# tanh(x) = x + x z P(z) with z = x^2, for |x| < 0.625.
show("tanh", lambda z: (tanh(sqrt(z)) / sqrt(z) - 1) / z, [mpf("1e-12"), mpf("0.3907")], 6)

# erfc(x) e^(x^2) = P(u) with u = (x - k) / (x + k), for 1 <= x <= 6.
k = mpf("2.5")
show("erfc", lambda u: (lambda x: erfc(x) * exp(x * x))(k * (1 + u) / (1 - u)),
     [(1 - k) / (1 + k), (6 - k) / (6 + k)], 18)

# The bits of 2 / pi, 64 in a word, and pi / 2 as a sum of three doubles.
mp.prec = 1400
rest = 2 / pi
for _ in range(20):
    rest *= 2**64
    word = int(rest)
    rest -= word
    print(f"    0x{word:016X},")
rest = pi / 2
for _ in range(3):
    print("   ", float(rest).hex())
    rest -= mpf(float(rest))
