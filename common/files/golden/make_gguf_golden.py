"""Makes formats.gguf, a file written by an independent implementation, and formats.json, which describes its contents.

    pip install gguf numpy && python3 make_gguf_golden.py

The `gguf` package writes the file and quantizes the numbers. gguf_parity_test.cpp compares Rung's reader, its
conversions in both directions and its writer with this file, bit by bit.
"""

import json
import pathlib

import gguf
import numpy as np

HERE = pathlib.Path(__file__).parent
FORMATS = {
    "f16": gguf.GGMLQuantizationType.F16,
    "bf16": gguf.GGMLQuantizationType.BF16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
    "q4_0": gguf.GGMLQuantizationType.Q4_0,
}


def numbers():
    """Returns [12, 96] f32 numbers: normally distributed, outliers, zeros, and very small and very large numbers."""
    rng = np.random.default_rng(2024)
    x = rng.standard_normal((12, 96)).astype(np.float32)
    x[1, ::7] *= 50
    x[2] *= np.float32(1e-6)
    x[3] *= np.float32(3000)
    x[4, :32] = 0
    x[5] = np.round(x[5] * 4) / 4  # many ties
    x[6, 10] = -x[6].max() * 3  # the extreme value is negative
    return x


def main():
    x = numbers()
    writer = gguf.GGUFWriter(HERE / "formats.gguf", "llama")
    values = {
        "t.u8": 200, "t.i8": -100, "t.u16": 60000, "t.i16": -30000, "t.u32": 4000000000, "t.i32": -2000000000,
        "t.u64": 2**63 + 5, "t.i64": -(2**62), "t.f32": 0.1, "t.f64": 0.1, "t.bool": True,
        "t.string": "ein Wort, \u2581 und \U0001f600",
    }
    writer.add_uint8("t.u8", values["t.u8"])
    writer.add_int8("t.i8", values["t.i8"])
    writer.add_uint16("t.u16", values["t.u16"])
    writer.add_int16("t.i16", values["t.i16"])
    writer.add_uint32("t.u32", values["t.u32"])
    writer.add_int32("t.i32", values["t.i32"])
    writer.add_uint64("t.u64", values["t.u64"])
    writer.add_int64("t.i64", values["t.i64"])
    writer.add_float32("t.f32", values["t.f32"])
    writer.add_float64("t.f64", values["t.f64"])
    writer.add_bool("t.bool", values["t.bool"])
    writer.add_string("t.string", values["t.string"])
    values["t.f32"] = float(np.float32(values["t.f32"]))
    arrays = {"a.strings": ["one", "", "drei"], "a.ints": [1, -2, 3], "a.floats": [0.5, -1.25]}
    for key, value in arrays.items():
        writer.add_array(key, value)

    writer.add_tensor("x", x)
    for name, kind in FORMATS.items():
        packed = gguf.quants.quantize(x, kind)
        writer.add_tensor(f"x.{name}", packed, raw_dtype=kind)
        writer.add_tensor(f"x.{name}.values", gguf.quants.dequantize(packed, kind).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expected = {"values": values, "arrays": arrays, "shape": list(x.shape), "formats": list(FORMATS)}
    (HERE / "formats.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
