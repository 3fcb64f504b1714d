"""How quick is it? Measured on real programs of one machine, which take turns.

`make bench-quick` answers within a minute whether a check is still quick enough (P1 to P3); `make bench` measures
everything and writes `results.md`. What is compared runs on one core, the load on another, and what counts is the
processor's time for an answer: rates of a machine that also does something else prove little. A figure is the median
of several rounds, with the smallest and the largest beside it, and a ratio is made within each round.

Any answer but 200 ends a run: what was refused quickly is not quick. None of this is a test, and no test measures time.
"""
