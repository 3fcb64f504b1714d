"""What is measured: one module for each kind of row, `measure(bench)` gives its lines."""
