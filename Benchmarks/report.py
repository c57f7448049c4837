"""The results in text: a table for each part, and how they were measured."""

from collections import Counter

METHODS = """\
How it was measured. All subjects are measured in turns: for each workload a round is Martlet, then each peer, and the
figure is the median over the rounds of each one's median call. Martlet is `martlet bench`, a new process each time; a
peer is a process that stays, holds its operands in memory and has run the workload before. Starting and compiling do
not count, a call of the peer's function from Python does ("one element" in the part rows shows its cost). All compute
f32 on the same number of threads.

The ratio is the best peer's time through Martlet's: above 1 Martlet is faster. The percentage is the least time
through the time: the least is the number of multiplications and additions of contractions through the peak, or that
of the bytes of operands and result, each counted once, through the speed of copying (reading, for what is only read)
data of that size, whichever is larger. A batch norm's large operand counts twice: no result can be written before all
of it was read. Products with the zeros between the elements of a strided gradient do not
count. Peak and speeds are measured in the same run by code that does nothing else; work of others on the machine
makes them too low, too.

Filters of forward convolutions are known before the run, as a trained model's are; PyTorch has its images and filters
in the better of its two orders. Peers get the memory of their last results again without a call to the system."""


def table(part, rows, subjects, threads):
    """The lines of a part's table."""
    width = max([len(row["name"]) for row in rows] + [8])
    yield f"{part}, {threads} thread{'s' * (threads != 1)}; milliseconds"
    yield " " * width + "".join(f"{name:>14}" for name in subjects) + "   ratio  of limit"
    for row in rows:
        yield line(row, subjects, width)
        if "wrong" in row:
            yield f"  WRONG: {row['wrong']}"
    # What cannot be measured, and why: a reason once.
    for note, count in Counter(note for row in rows for note in row["notes"]).items():
        yield f"- {note}" + f" ({count} workloads)" * (count > 1)


def line(row, subjects, width):
    times = "".join(
        f"{row['median_ms'][name]:14.4f}" if name in row["median_ms"] else f"{'-':>14}" for name in subjects)
    ratio = "      -" if row["ratio"] is None else f"{row['ratio']:7.2f}"
    percent = row["percent_of_limit"].get(subjects[0])
    share = "" if percent is None else f"{percent:6.0f} % {row['bound_by']}"
    return f"{row['name']:{width}}{times} {ratio}  {share}"


def summary(part, rows):
    """What a reader looks for first: the slowest beside the peers, and the farthest from the limit."""
    ratios = sorted((row["ratio"], row["name"]) for row in rows if row["ratio"] is not None)
    if ratios:
        behind = sum(ratio < 1 for ratio, _ in ratios)
        least, name = ratios[0]
        yield f"{part}: slower than the best peer in {behind} of {len(ratios)}; least ratio {least:.2f}, {name}"
    if part == "random":
        yield from worst_tenth(rows)


def worst_tenth(rows):
    """The tenth of the contractions that are farthest from the peak, among those that arithmetic limits."""
    shares = sorted(
        (row["percent_of_limit"]["martlet"], row["name"]) for row in rows
        if row["bound_by"] == "arithmetic" and "martlet" in row["percent_of_limit"])
    count = max(1, len(shares) // 10)
    if shares:
        yield f"worst tenth of {len(shares)} that arithmetic limits: at most {shares[count - 1][0]:.0f} % of the peak"
        yield from (f"  {share:3.0f} %  {name}" for share, name in shares[:count])
