"""The words for the limits of a machine in the tables of the lessons. common/measure/limits.cpp has the same words."""

# Maps the name of a limit in JSON to the word in a share, such as "53 % of read".
LIMIT_WORDS = {"read_bandwidth": "read", "fma_rate": "FMA", "int8_rate": "int8", "bf16_rate": "bf16",
               "int8_tile_rate": "int8 tiles", "bf16_tile_rate": "bf16 tiles"}
# Maps the same names to the words in a rate, such as "19.9 GB/s read".
RATE_WORDS = {name: f"{unit} {LIMIT_WORDS[name]}" for name, unit in
              (("read_bandwidth", "GB/s"), ("fma_rate", "GFLOP/s"), ("int8_rate", "GOP/s"), ("bf16_rate", "GFLOP/s"),
               ("int8_tile_rate", "GOP/s"), ("bf16_tile_rate", "GFLOP/s"))}
