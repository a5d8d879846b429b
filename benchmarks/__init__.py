"""Speed, measured and printed: ``python -m benchmarks NAME``. Figures of one machine stand in RESULTS.md."""
