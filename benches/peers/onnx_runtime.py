"""ONNX Runtime's 3 x 3 convolution on the CPU, at the shapes of `palpate bench`: one JSON line for each. Forward alone.

    venv/bin/pip install onnxruntime numpy onnx && venv/bin/python onnx_runtime.py [RUNS]
"""

import json
import sys
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

SHAPES = [(64, 30), (128, 15), (256, 7), (512, 3)]
BATCH = 128
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
flushed = np.empty(48 << 20, np.float32)
rng = np.random.default_rng(1)

for c, side in SHAPES:
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
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = rng.random(shape, np.float32) - 0.5
    taken = []
    for _ in range(RUNS + 2):
        flushed.fill(0)
        start = time.perf_counter()
        session.run(None, {"x": x})
        taken.append(1e3 * (time.perf_counter() - start))
    ms = sorted(taken[2:])[RUNS // 2]
    gflop = 2 * BATCH * side * side * c * c * 9 / 1e9
    row = {"peer": "ONNX Runtime, CPU", "kernel": "conv3x3_forward", "shape": f"{c}@{side}²"}
    print(json.dumps(row | {"ms": round(ms, 3), "gflops": round(1e3 * gflop / ms, 2)}, ensure_ascii=False), flush=True)
