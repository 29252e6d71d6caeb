"""PyTorch's 3 x 3 convolutions and a training step, at the shapes of `palpate bench`: one JSON line for each.

    python -m venv venv && venv/bin/pip install torch numpy safetensors && venv/bin/python pytorch.py [RUNS] [--compile]

On the CPU where there is no CUDA; with CUDA in strict f32, in TF32 and under automatic mixed precision. --compile adds the
step compiled. --networks 16,64 32,128 measures a training step and the network alone, with so many channels and patches
per batch, and no kernels. Kernels run warm, with caches flushed in between, and count as medians.
"""

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path

import torch
from torch.nn.grad import conv2d_input, conv2d_weight

sys.path.append(str(Path(__file__).parents[2] / "tests" / "fixtures"))
from make_fixtures import UNet, total_variation  # noqa: E402

SHAPES = [(64, 30), (128, 15), (256, 7), (512, 3)]
BATCH, CHANS = 128, 32

arguments = argparse.ArgumentParser()
arguments.add_argument("runs", nargs="?", type=int, default=5)
arguments.add_argument("--compile", action="store_true")
arguments.add_argument("--networks", nargs="*", metavar="CHANNELS,BATCH")
arguments.add_argument("--threads", type=int)
options = arguments.parse_args()
if options.threads:
    torch.set_num_threads(options.threads)
cuda = torch.cuda.is_available()
device = "cuda" if cuda else "cpu"
flushed = torch.empty(48 << 20, device=device)


def now():
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter()


def median(work):
    """Milliseconds."""
    taken = []
    for _ in range(options.runs + 2):
        flushed.zero_()
        start = now()
        work()
        taken.append(1e3 * (now() - start))
    return sorted(taken[2:])[options.runs // 2]


def tell(peer, kernel, shape, ms, gflop):
    row = {"peer": peer, "kernel": kernel, "shape": shape, "ms": round(ms, 3), "gflops": round(1e3 * gflop / ms, 2)}
    print(json.dumps(row, ensure_ascii=False), flush=True)


def kernels(peer, context):
    # Autocast does not know gradients called by themselves: their operands are given in half precision.
    dtype = torch.float16 if context is amp else torch.float32
    for c, side in SHAPES:
        x = torch.rand(BATCH, c, side, side, device=device) - 0.5
        w = torch.rand(c, c, 3, 3, device=device) - 0.5
        up = torch.rand(BATCH, c, side, side, device=device) - 0.5
        # cuDNN and oneDNN both prefer channels last.
        x, w, up = [t.to(dtype, memory_format=torch.channels_last) for t in (x, w, up)]
        gflop = 2 * BATCH * side * side * c * c * 9 / 1e9
        work = {
            "conv3x3_forward": lambda: torch.nn.functional.conv2d(x, w, padding=1),
            "conv3x3_grad_input": lambda: conv2d_input(x.shape, w, up, padding=1),
            "conv3x3_grad_weight": lambda: conv2d_weight(x, w.shape, up, padding=1),
        }
        for kernel, once in work.items():
            with torch.no_grad(), context():
                tell(peer, kernel, f"{c}@{side}²", median(once), gflop)


def step(peer, context, compiled, chans=CHANS, batch=BATCH, alone=False):
    torch.manual_seed(1)
    net = UNet(norm="batch", pool="max", up="transpose", chans=chans, pools=3).float().to(device)
    # oneDNN is faster with channels last; cuDNN was measured with the default.
    if not cuda:
        net = net.to(memory_format=torch.channels_last)
    run = torch.compile(net) if compiled else net
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-4)
    x = torch.rand(batch, 2, 30, 30, device=device) - 0.5
    y = torch.rand(batch, 1, 30, 30, device=device) - 0.5
    if not cuda:
        x = x.to(memory_format=torch.channels_last)

    def once():
        optimiser.zero_grad()
        with context():
            output = run(x)
        loss = ((output.float() - y) ** 2).mean() + 0.01 * total_variation(output.float())
        loss.backward()
        optimiser.step()

    shape = f"{chans} channels, batch {batch}"
    tell(peer, "step", shape, median(once), 0.0)
    if alone:
        net.eval()
        with torch.no_grad(), context():
            tell(peer, "network", shape, median(lambda: run(x)), 0.0)


def strict():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return contextlib.nullcontext()


def tf32():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    return contextlib.nullcontext()


def amp():
    return torch.autocast(device, dtype=torch.float16)


torch.backends.cudnn.benchmark = True
modes = {"PyTorch, CUDA, f32": strict, "PyTorch, CUDA, TF32": tf32, "PyTorch, CUDA, AMP": amp}
for peer, context in modes.items() if cuda else [("PyTorch, CPU", contextlib.nullcontext)]:
    for network in options.networks or []:
        chans, batch = map(int, network.split(","))
        for compiled in [False, True] if options.compile else [False]:
            step(peer + ", compiled" * compiled, context, compiled, chans, batch, alone=True)
    if options.networks:
        continue
    kernels(peer, context)
    step(peer, context, False)
    if options.compile:
        step(f"{peer}, compiled", context, True)
