"""Makes gguf_types.gguf: blocks of every tensor type of GGUF files, and their values by independent implementations.

    pip install gguf numpy torch && python3 make_gguf_types_golden.py LIBGGML_BASE

LIBGGML_BASE is the shared library libggml-base.so of a build of llama.cpp. The committed file was made with that of
llama-cpp-python 0.3.36. The library quantizes to the types that the `gguf` package can only read.

For each type T, the file contains these tensors:
  T.random, T.random.values        blocks of random bytes whose scales are finite, and the float32 numbers to which the
                                   `gguf` package dequantizes them
  T.quantised, T.quantised.values  the tensor `source` in this type, quantized by the package or by GGML, and its
                                   dequantized values
GGUF has no type for 8-bit floats. For them, the file contains the values of all 256 bytes, and the bytes of `source` as
torch stores them. gguf_types_parity_test.cpp compares Rung's conversions with all of these.
"""

import ctypes
import pathlib
import sys

import gguf
import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
Q = gguf.GGMLQuantizationType
TYPES = [Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K, Q.IQ4_NL,
         Q.MXFP4]
PACKAGE_QUANTIZES = [Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.MXFP4]
# The byte offsets of the binary16 numbers in a block.
HALVES = {Q.F16: [0], Q.BF16: [], Q.Q8_0: [0], Q.Q4_0: [0], Q.Q4_1: [0, 2], Q.Q5_0: [0], Q.Q5_1: [0, 2],
          Q.Q2_K: [80, 82], Q.Q3_K: [108], Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208], Q.IQ4_NL: [0], Q.MXFP4: []}
ROWS, COLUMNS = 3, 512


def source(rng):
    """Returns [4, 512] f32: rows like the weights of a layer, with outliers, of one sign, and with many equal steps."""
    x = rng.standard_normal((4, COLUMNS)).astype(np.float32) * np.float32(0.02)
    x[1, ::29] *= 12
    x[2] = np.abs(x[2]) + np.float32(0.05)
    x[3] = np.round(x[3] * 200) / 50
    x[3, 256:288] = 0
    return x


def quantize(x, kind, ggml):
    if kind in PACKAGE_QUANTIZES:
        return gguf.quants.quantize(x, kind)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    out = np.zeros((x.shape[0], x.shape[1] // block * size), np.uint8)
    ggml.ggml_quantize_chunk(ctypes.c_int(int(kind)), x.ctypes.data_as(ctypes.c_void_p),
                             out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0), ctypes.c_int64(x.shape[0]),
                             ctypes.c_int64(x.shape[1]), None)
    return out


def random_blocks(kind, rng):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (ROWS * COLUMNS // block, size), dtype=np.uint8)
    for at in HALVES[kind]:
        # Normal numbers, subnormal numbers, both zeros and the largest number, but no infinities and no NaNs.
        halves = (rng.standard_normal(len(blocks)) * 0.01).astype(np.float16)
        special = np.array([0.0, -0.0, 6e-8, -3e-6, 65504.0], np.float16)
        halves[: min(len(special), len(halves) // 2)] = special[: len(halves) // 2]
        blocks[:, at : at + 2] = halves.view(np.uint8).reshape(-1, 2)
    if kind == Q.BF16:
        blocks[:, 1] &= 0xBF  # exponents below 128: no infinities, no NaNs
    if kind == Q.MXFP4:
        blocks[:, 0] = rng.integers(0, 250, len(blocks))
        blocks[:3, 0] = [0, 1, 2]
    return blocks.reshape(ROWS, COLUMNS // block * size)


def main():
    ggml = ctypes.CDLL(sys.argv[1])
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    rng = np.random.default_rng(77)
    x = source(rng)
    writer = gguf.GGUFWriter(HERE / "gguf_types.gguf", "llama")
    writer.add_tensor("source", x)
    for kind in TYPES:
        name = kind.name.lower()
        blocks = random_blocks(kind, rng)
        stored = blocks.view(np.float16) if kind == Q.F16 else blocks
        writer.add_tensor(f"{name}.random", stored, raw_dtype=kind)
        with np.errstate(over="ignore"):
            values = gguf.quants.dequantize(blocks, kind).astype(np.float32)
        assert np.isfinite(values).all(), name
        writer.add_tensor(f"{name}.random.values", values)
        packed = quantize(x, kind, ggml)
        writer.add_tensor(f"{name}.quantised", packed, raw_dtype=kind)
        values = gguf.quants.dequantize(packed.view(np.uint8), kind).astype(np.float32)
        writer.add_tensor(f"{name}.quantised.values", values)
    every_byte = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn).to(torch.float32).numpy()
    writer.add_tensor("f8_e4m3.values", every_byte)
    numbers = np.concatenate([x.ravel() * 1000, x.ravel()]).clip(-448, 448).astype(np.float32)
    writer.add_tensor("f8_e4m3.source", numbers)
    stored = torch.from_numpy(numbers).to(torch.float8_e4m3fn).view(torch.uint8).numpy()
    writer.add_tensor("f8_e4m3.bytes", stored.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
