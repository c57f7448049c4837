"""Prints the polynomial coefficients in Sources/LLVMBackend/VectorMath that are not those of a power series.

Minimax fits by Remez's exchange, lowest power first, with the largest weighted error of each. Needs mpmath.
"""
from mpmath import cos, erf, erfc, exp, expm1, log, lu_solve, matrix, mp, mpf, nstr, pi, polyval, sqrt, tanh

mp.dps = 50


def minimax(function, weight, low, high, degree):
    """The polynomial with the least largest |weight(x) (function(x) - p(x))|, and that error."""
    count = degree + 2
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (count - 1)) for i in range(count)]
    grid = [low + (high - low) * i / 800 for i in range(801)]
    for _ in range(15):
        rows, values = matrix(count, count), matrix(count, 1)
        for i, x in enumerate(points):
            for k in range(degree + 1):
                rows[i, k] = x**k
            rows[i, degree + 1] = (-1) ** i / weight(x)
            values[i] = function(x)
        solution = lu_solve(rows, values)
        coefficients = [solution[k] for k in range(degree + 1)]
        errors = [weight(x) * (function(x) - polyval(coefficients[::-1], x)) for x in grid]
        peaks = []
        for i, error in enumerate(errors):
            if peaks and error * errors[peaks[-1]] > 0:
                if abs(error) > abs(errors[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > count:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        largest = max(abs(error) for error in errors)
        if len(peaks) < count or largest < abs(solution[degree + 1]) * (1 + mpf("1e-4")):
            break
        points = [grid[i] for i in peaks]
    return coefficients, largest


def show(name, function, weight, low, high, degree):
    coefficients, error = minimax(function, weight, mpf(low), mpf(high), degree)
    print(name, "error", nstr(error, 3))
    for value in coefficients:
        print("   ", nstr(value, 20) + ",")


# e^r = 1 + r + r^2 P(r) for |r| <= ln 2 / 2; the error is relative to e^r, or to e^r - 1.
end = log(2) / 2 * mpf("1.0001")
tail = lambda r: (expm1(r) - r) / r**2 if abs(r) > 1e-9 else mpf(1) / 2 + r / 6
for digits, degree in (("f32", 4), ("f64", 10)):
    show("exp " + digits, tail, lambda r: r**2 / exp(r) + 1e-30, -end, end * mpf("1.00001"), degree)
for digits, degree in (("f32", 5), ("f64", 11)):
    show("expm1 " + digits, tail, lambda r: abs(r) + 1e-20, -end, end * mpf("1.00001"), degree)

# tanh(x) = x + x z P(z) with z = x^2, for |x| < 0.625, in f32.
show("tanh", lambda z: (tanh(sqrt(z)) / sqrt(z) - 1) / z, lambda z: z * sqrt(z) / tanh(sqrt(z)),
     "1e-10", "0.3907", 5)

# 2^r for |r| <= 1/2, in f32.
show("power of two", lambda r: 2**r, lambda r: 2**-r, "-0.50001", "0.50001", 6)

# erf(x) = x + x P(x^2) for |x| < 0.95, and 1 - 2^P(x) from there to 4, in f32.
show("erf inner", lambda z: erf(sqrt(z)) / sqrt(z) - 1, lambda z: sqrt(z) / erf(sqrt(z)),
     "1e-10", "0.9025", 6)
show("erf outer", lambda x: log(erfc(x)) / log(2), lambda x: erfc(x) / erf(x) * log(2), "0.95", "4", 6)

# erfc(x) e^(x^2) = P(u) with u = (x - k) / (x + k), for 1 <= x <= 6, in f64.
k = mpf("2.5")
show("erfc", lambda u: (lambda x: erfc(x) * exp(x * x))(k * (1 + u) / (1 - u)), lambda u: mpf(1),
     (1 - k) / (1 + k), (6 - k) / (6 + k), 17)

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
