"""ONNX Runtime's 3 x 3 convolution on the CPU, at the shapes of `palpate bench`: one JSON line for each. Forward alone.

    venv/bin/pip install onnxruntime numpy onnx && venv/bin/python onnx_runtime.py [RUNS]

--networks 16,64 32,128 measures the network alone, with so many channels and patches per batch, and no kernels. PyTorch
exports it, so torch is needed too.
"""

import argparse
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

SHAPES = [(64, 30), (128, 15), (256, 7), (512, 3)]
BATCH = 128
arguments = argparse.ArgumentParser()
arguments.add_argument("runs", nargs="?", type=int, default=5)
arguments.add_argument("--networks", nargs="*", metavar="CHANNELS,BATCH")
options = arguments.parse_args()
flushed = np.empty(48 << 20, np.float32)
rng = np.random.default_rng(1)


def median(model, x):
    """Milliseconds."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    taken = []
    for _ in range(options.runs + 2):
        flushed.fill(0)
        start = time.perf_counter()
        session.run(None, {"x": x})
        taken.append(1e3 * (time.perf_counter() - start))
    return sorted(taken[2:])[options.runs // 2]


def tell(kernel, shape, ms, gflop):
    row = {"peer": "ONNX Runtime, CPU", "kernel": kernel, "shape": shape}
    print(json.dumps(row | {"ms": round(ms, 3), "gflops": round(1e3 * gflop / ms, 2)}, ensure_ascii=False), flush=True)


def convolution(c, side):
    shape = [BATCH, c, side, side]
    weights = (rng.random((c, c, 3, 3), np.float32) - 0.5).ravel()
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [helper.make_tensor("w", TensorProto.FLOAT, [c, c, 3, 3], weights)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    ms = median(model.SerializeToString(), rng.random(shape, np.float32) - 0.5)
    tell("conv3x3_forward", f"{c}@{side}²", ms, 2 * BATCH * side * side * c * c * 9 / 1e9)


def network(chans, batch):
    import torch

    sys.path.append(str(Path(__file__).parents[2] / "tests" / "fixtures"))
    from make_fixtures import UNet

    torch.manual_seed(1)
    net = UNet(norm="batch", pool="max", up="transpose", chans=chans, pools=3).float().eval()
    x, model = torch.rand(batch, 2, 30, 30) - 0.5, io.BytesIO()
    torch.onnx.export(net, (x,), model, input_names=["x"], dynamo=False)
    tell("network", f"{chans} channels, batch {batch}", median(model.getvalue(), x.numpy()), 0.0)


if options.networks:
    for own in options.networks:
        network(*map(int, own.split(",")))
else:
    for c, side in SHAPES:
        convolution(c, side)
