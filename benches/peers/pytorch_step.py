"""A training step of the same U-Net in PyTorch, to set beside `cargo bench --bench network -- step`.

    python -m venv venv && venv/bin/pip install torch && venv/bin/python pytorch_step.py [CHANS [BATCH]]

Runs on CUDA where there is one, else on the CPU; f32, eager, the network, loss and optimiser of the bench.
"""

import sys
import time
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parents[2] / "tests" / "fixtures"))
from make_fixtures import UNet, total_variation  # noqa: E402

chans, batch = [int(a) for a in sys.argv[1:3] + ["32", "128"][len(sys.argv) - 1 :]]
device = "cuda" if torch.cuda.is_available() else "cpu"
RUNS = 5


def done():
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


for norm in ("instance", "batch"):
    torch.manual_seed(1)
    net = UNet(norm=norm, pool="max", up="transpose", chans=chans, pools=3).float().to(device)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-4)
    x = torch.rand(batch, 2, 30, 30, device=device) - 0.5
    y = torch.rand(batch, 1, 30, 30, device=device) - 0.5
    seconds = []
    for _ in range(RUNS + 1):
        start = done()
        optimiser.zero_grad()
        output = net(x)
        loss = ((output - y) ** 2).mean() + 0.01 * total_variation(output)
        loss.backward()
        optimiser.step()
        seconds.append(done() - start)
    median = sorted(seconds[1:])[RUNS // 2]
    threads = f"{torch.get_num_threads()} threads" if device == "cpu" else torch.cuda.get_device_name()
    print(f"PyTorch {torch.__version__}, {threads}: {chans} channels, {norm} norm, batch {batch}: {median:.3f} s")
