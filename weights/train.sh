#!/usr/bin/env bash
# From a seed to the weights that come with palpate: simulates the phantoms, trains, calibrates.
#
#     weights/train.sh bulk|slab|mixed [FOLDER]
#
# Everything goes to FOLDER (out/weights if none is named): the sets, and the training in a folder of its model's name, of
# which weights.safetensors is what weights/ has. Interrupted, it goes on where it stopped. CHANS, BATCH, EPOCHS and RATE in
# the environment ask for another network or schedule. The slab's and the mixed network go on from the bulk's: FOLDER's own if
# it has been trained there, weights/bulk.safetensors otherwise.
set -euo pipefail

model=${1:-} out=${2:-out/weights}
case $model in
    bulk) sets=(cylinders) ;;
    slab) sets=(livers) ;;
    mixed) sets=(cylinders livers) ;;
    *) echo "usage: weights/train.sh bulk|slab|mixed [FOLDER]" >&2; exit 2 ;;
esac
mkdir -p "$out"
out=$(cd -- "$out" && pwd)
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
cargo build --release --locked
palpate=target/release/palpate

# Seeds of their own: a phantom follows from its family, its number and the seed.
declare -A count=([cylinders]=1000 [livers]=500) seed=([cylinders]=2026 [livers]=2027)
data=()
for set in "${sets[@]}"; do
    $palpate simulate --set "$set" --count "${count[$set]}" --seed "${seed[$set]}" --nodes-per-wavelength 12 -o "$out/$set"
    data+=(--data "$out/$set")
done
if [[ $model == bulk ]]; then
    first=(--chans "${CHANS:-16}" --norm batch --epochs "${EPOCHS:-16}" --learning-rate "${RATE:-1.5e-3}" --batch "${BATCH:-64}")
else
    bulk=$out/bulk/weights.safetensors
    [[ -e $bulk ]] || bulk=weights/bulk.safetensors
    first=(--from "$bulk" --epochs "${EPOCHS:-8}" --learning-rate "${RATE:-1e-3}" --batch "${BATCH:-32}")
fi
if [[ -e $out/$model/checkpoint.safetensors ]]; then
    $palpate train "${data[@]}" --resume --half -o "$out/$model"
else
    $palpate train "${data[@]}" "${first[@]}" --patches 25600 --validation-patches 4096 --schedule cosine \
        --augment flips,turns,phase,noise=0.3,zoom=1.15,texture=0.3 --half -o "$out/$model"
fi
