# `save_file` of the package safetensors, for machines that have PyTorch and not the package.
import json
import struct

import torch

NAMES = {torch.float32: "F32", torch.int64: "I64", torch.uint8: "U8"}


def save_file(tensors, path):
    header, data = {}, b""
    for name, tensor in tensors.items():
        values = tensor.detach().contiguous().numpy().tobytes()
        span = [len(data), len(data) + len(values)]
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": span}
        data += values
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
