"""palpate beside its peers, on this machine: the same shapes, the same batch, in rounds that alternate, as one table.

    cargo build --release && cargo build --release --manifest-path benches/peers/burn/Cargo.toml
    python -m venv venv && venv/bin/pip install torch onnxruntime onnx numpy safetensors
    venv/bin/python benches/peers/run.py [--rounds 3] [--compile] [--json FILE] [--networks 16,64 32,128]

With --networks, a training step and the network alone, of so many channels and patches per batch. ONNX Runtime has the
network alone, and burn neither.

What is not installed is left out, and the table says so. burn runs through wgpu on the most capable adapter, and on the
processor by its own backend.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent

arguments = argparse.ArgumentParser()
arguments.add_argument("--rounds", type=int, default=3)
arguments.add_argument("--compile", action="store_true", help="PyTorch's step compiled as well")
arguments.add_argument("--palpate", default=ROOT / "target/release/palpate")
arguments.add_argument("--burn", default=HERE / "burn/target/release/peer-burn")
arguments.add_argument("--json", type=Path)
arguments.add_argument("--networks", nargs="*", default=[], metavar="CHANNELS,BATCH")
arguments.add_argument("--adapter", help="palpate's")
options = arguments.parse_args()


def lines(*command):
    ran = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if ran.returncode != 0:
        raise RuntimeError((ran.stderr.strip().splitlines() or ["failed"])[-1])
    return ran.stdout


def networks(adapter):
    for network in options.networks:
        report = json.loads(lines(options.palpate, "bench", "--json", "--no-tune", "--network", network, *adapter))
        for kernel in ("step", "forward"):
            row = report[kernel]
            shape = f"{row['chans']} channels, batch {row['batch']}"
            name = "network" if kernel == "forward" else kernel
            yield {"peer": "palpate", "kernel": name, "shape": shape, "ms": row["ms"], "gflops": 0}


def palpate():
    adapter = ["--adapter", options.adapter] if options.adapter else []
    if options.networks:
        yield from networks(adapter)
        return
    report = json.loads(lines(options.palpate, "bench", "--quick", "--json", *adapter))
    ceiling = report["ceilings"]["fma_gflops"]
    yield {"peer": "ceiling", "kernel": "multiply-adds", "shape": "", "ms": 0, "gflops": ceiling}
    for row in report["kernels"]:
        if row["kernel"].startswith("conv3x3"):
            yield {"peer": "palpate"} | {key: row[key] for key in ("kernel", "shape", "ms", "gflops")}
    step = report["step"]
    # PyTorch's arithmetic is not counted: only the times compare.
    yield {"peer": "palpate", "kernel": "step", "shape": f"{step['chans']} channels, batch 128", "ms": step["ms"], "gflops": 0}


def program(*command):
    return lambda: [json.loads(line) for line in lines(*command).splitlines() if line.startswith("{")]


networks_of = ["--networks", *options.networks] * bool(options.networks)
peers = {
    "palpate": palpate,
    "burn": program(options.burn),
    "burn, processor": program(options.burn, "cpu"),
    "PyTorch": program(
        sys.executable,
        HERE / "pytorch.py",
        *["--compile"] * options.compile,
        *networks_of,
    ),
    "ONNX Runtime": program(sys.executable, HERE / "onnx_runtime.py", *networks_of),
}
if options.networks:
    peers = {name: peers[name] for name in ("palpate", "PyTorch", "ONNX Runtime")}
rows, missing = {}, {}
for turn in range(options.rounds):
    for name, run in peers.items():
        if name in missing:
            continue
        print(f"round {turn + 1} of {options.rounds}: {name}", file=sys.stderr)
        try:
            for row in run():
                rows.setdefault((row["kernel"], row["shape"], row["peer"]), []).append(row)
        except (OSError, RuntimeError) as error:
            missing[name] = error

found = [
    {"kernel": kernel, "shape": shape, "peer": peer}
    | {key: statistics.median(row[key] for row in taken) for key in ("ms", "gflops")}
    | {"least": min(row["ms"] for row in taken), "most": max(row["ms"] for row in taken)}
    for (kernel, shape, peer), taken in rows.items()
]
ceiling = next((row["gflops"] for row in found if row["peer"] == "ceiling"), None)
if options.json:
    options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")

# burn gives both gradients together with the forward pass alone: the others' three, one after the other, stand beside it.
for shape, peer in dict.fromkeys((row["shape"], row["peer"]) for row in found):
    kernels = ("conv3x3_forward", "conv3x3_grad_input", "conv3x3_grad_weight")
    three = [row for row in found if (row["shape"], row["peer"]) == (shape, peer) and row["kernel"] in kernels]
    if len(three) == 3:
        ms = sum(row["ms"] for row in three)
        work = sum(row["gflops"] * row["ms"] for row in three)
        found.append({"kernel": "conv3x3_all_three", "shape": shape, "peer": peer, "ms": ms, "gflops": work / ms})

names = list(dict.fromkeys(row["peer"] for row in found if row["peer"] != "ceiling"))
cells = {(row["kernel"], row["shape"], row["peer"]): row for row in found}
print(f"GFLOP/s (palpate by the device's clock where it has one, the others by the host's), batch 128, medians of {options.rounds} alternating rounds", end="")
print(f"; palpate's FMA ceiling here: {ceiling:.0f}\n" if ceiling else "\n")
print("| kernel | shape | " + " | ".join(names) + " |")
print("|---|---|" + "--:|" * len(names))
for kernel, shape in dict.fromkeys((row["kernel"], row["shape"]) for row in found if row["peer"] != "ceiling"):
    own = [cells.get((kernel, shape, name)) for name in names]
    text = [("" if row is None else f"{row['gflops']:.1f}" if row["gflops"] else f"{row['ms']:.1f} ms ({row['least']:.1f}–{row['most']:.1f})") for row in own]
    print(f"| {kernel} | {shape} | " + " | ".join(text) + " |")
for name, error in missing.items():
    print(f"\n{name} is left out: {error}")
