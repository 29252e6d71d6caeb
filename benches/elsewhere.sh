#!/usr/bin/env bash
# Checks and measures palpate on a machine with a GPU and its driver, but no Rust. The programs are built here. The run
# there takes less than ten minutes.
#
#     benches/elsewhere.sh pack FOLDER      here: builds palpate, and copies all that the run needs into FOLDER
#     FOLDER/elsewhere.sh run [OUT]         there: runs tests, writes bench.json, bench.md and roofline.png to OUT (out)
#
# If python3 has PyTorch, its convolutions and training step are measured too. PALPATE_ADAPTER chooses the adapter, by
# name or number. PALPATE_PATIENCE=5 multiplies every time limit by five, for a slow adapter.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tests=(kernels half gradients fusion tuning)

pack() {
    local folder=$1 root=$here/..
    mkdir -p "$folder"
    cargo build --release --locked --manifest-path "$root/Cargo.toml"
    cp "$root/target/release/palpate" "$here/elsewhere.sh" "$folder"
    mkdir -p "$folder/benches/peers" "$folder/tests/fixtures"
    cp "$here/peers/pytorch.py" "$folder/benches/peers"
    cp "$root/tests/fixtures/make_fixtures.py" "$folder/tests/fixtures"
    cp "$(cargo test --locked --no-run --manifest-path "$root/Cargo.toml" --test gpu 2>&1 |
        sed -n 's/.*(\(.*\))$/\1/p' | tail -n 1 | sed "s|^target|$root/target|")" "$folder/test-gpu"
    # Debug information is nine tenths of the file.
    ! command -v strip >/dev/null || strip --strip-debug "$folder/test-gpu"
    # The other machine may have a driver, but not the Vulkan loader itself.
    cp "$(ldconfig -p | sed -n 's/.*libvulkan\.so\.1 .*=> //p' | head -n 1)" "$folder"
    du -sh "$folder"
}

within() {
    timeout "$(($1 * ${PALPATE_PATIENCE:-1}))" "${@:2}"
}

run() {
    local out=${1:-out} failed=0 name limit
    local adapter=(${PALPATE_ADAPTER:+--adapter "$PALPATE_ADAPTER"})
    mkdir -p "$out"
    export LD_LIBRARY_PATH=$here${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} PALPATE_REQUIRE_GPU=1
    "$here/palpate" doctor | tee "$out/doctor.txt"
    for name in "${tests[@]}"; do
        # These take seconds on a GPU. The limits stop a driver that hangs; all of them add up to 9 min 30 s.
        [[ $name == kernels ]] && limit=120 || limit=30
        if within "$limit" "$here/test-gpu" "$name::" >"$out/test-$name.txt" 2>&1; then
            echo "$name: ok"
        else
            failed=1
            echo "$name: failed or took too long, see $out/test-$name.txt"
        fi
    done
    within 210 "$here/palpate" bench "${adapter[@]}" -o "$out" --force || failed=1
    if python3 -c 'import torch, safetensors' 2>/dev/null; then
        within 120 python3 "$here/benches/peers/pytorch.py" | tee "$out/pytorch.jsonl" || failed=1
    else
        echo "python3 has no PyTorch (or no safetensors): its measurements are left out"
    fi
    return "$failed"
}

case ${1:-} in
    pack) pack "${2:?a folder to pack into}" ;;
    run) run "${2:-}" ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
