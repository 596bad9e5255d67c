#!/usr/bin/env bash
# A virtual environment with every engine that PyPI has: make_venv.sh FOLDER, then FOLDER/bin/python compare.py ...
# About 6 GB, most of it PyTorch and the CUDA libraries that it brings. A package that cannot be installed is named and left out; compare.py calls it absent.
set -euo pipefail
folder=${1:?usage: make_venv.sh FOLDER}
python3 -m venv "$folder"
pip=("$folder/bin/pip" install --quiet)
"${pip[@]}" --upgrade pip
for packages in 'matplotlib numpy' xllamacpp ctranslate2 'openvino-genai' 'onnxruntime-genai onnxruntime onnx onnx-ir' \
  'transformers torch'; do
  # shellcheck disable=SC2086  # several packages
  "${pip[@]}" $packages || echo "make_venv.sh: could not install: $packages" >&2
done
"$folder/bin/pip" list 2>/dev/null | grep -iE '^(xllamacpp|ctranslate2|openvino|onnx|transformers|torch)' || true
