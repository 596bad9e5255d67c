#!/usr/bin/env python3
"""Cuts the model.safetensors of a Hugging Face folder into shards with an index, as large models come.

usage: 02_engines/tgi/shard.py FOLDER OUT SHARDS     (standard library only)

The whole format is in these lines: 8 bytes with the length of a JSON header, the header, the tensors' bytes.
"""

import json
import shutil
import struct
import sys
from pathlib import Path


def read_header(file):
    size = struct.unpack("<Q", file.read(8))[0]
    header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    return header, 8 + size


def write_shard(path, source, data_begin, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, t in tensors:
        size = t["data_offsets"][1] - t["data_offsets"][0]
        header[name] = {"dtype": t["dtype"], "shape": t["shape"], "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, t in tensors:
            source.seek(data_begin + t["data_offsets"][0])
            left = t["data_offsets"][1] - t["data_offsets"][0]
            while left > 0:
                piece = source.read(min(left, 1 << 24))
                out.write(piece)
                left -= len(piece)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, target, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    target.mkdir(parents=True)
    with open(folder / "model.safetensors", "rb") as source:
        header, data_begin = read_header(source)
        tensors = sorted(header.items(), key=lambda item: item[1]["data_offsets"])
        total = tensors[-1][1]["data_offsets"][1]
        shards = [[] for _ in range(count)]
        for name, t in tensors:
            shards[min(count - 1, t["data_offsets"][0] * count // total)].append((name, t))
        weight_map = {}
        for i, shard in enumerate(shards):
            file = f"model-{i + 1:05d}-of-{count:05d}.safetensors"
            write_shard(target / file, source, data_begin, shard)
            weight_map.update({name: file for name, _ in shard})
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (target / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    for other in folder.iterdir():
        if other.suffix != ".safetensors":
            shutil.copy(other, target)


if __name__ == "__main__":
    main()
