"""The words for the limits of a machine in the tables of the lessons, the same as in common/measure/limits.cpp."""

# A limit, as JSON names it, in the words of a share: "53 % of read".
LIMIT_WORDS = {"read_bandwidth": "read", "fma_rate": "FMA", "int8_rate": "int8", "bf16_rate": "bf16"}
# The same limits in the words of a rate: "19.9 GB/s read".
RATE_WORDS = {name: f"{unit} {LIMIT_WORDS[name]}" for name, unit in
              (("read_bandwidth", "GB/s"), ("fma_rate", "GFLOP/s"), ("int8_rate", "GOP/s"), ("bf16_rate", "GFLOP/s"))}
