#!/usr/bin/env bash
# From a seed to the weights that come with palpate: simulates the phantoms, trains, calibrates.
#
#     weights/train.sh bulk|slab|mixed [FOLDER]
#
# Everything goes to FOLDER (out/weights if none is named): the sets, and the training in a folder of its model's name, of
# which weights.safetensors is what weights/ has. Interrupted, it goes on where it stopped. The bulk's training has two parts,
# of 16 and 8 epochs; the slab's, of 8 and 5, and the mixed network's go on from the bulk's: FOLDER's own if it has been
# trained there, weights/bulk.safetensors otherwise. CHANS in the environment asks for a network of other width, and BATCH,
# EPOCHS and RATE for another schedule of the last part.
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

# train NAME OPTION...: in the folder of this name, from where it was left.
train() {
    local folder=$out/$1
    shift
    if [[ -e $folder/checkpoint.safetensors ]]; then
        $palpate train "${data[@]}" --resume --half -o "$folder"
    else
        $palpate train "${data[@]}" "$@" --patches 25600 --validation-patches 4096 --schedule cosine \
            --augment flips,turns,phase,noise=0.3,zoom=1.15,texture=0.3 --half -o "$folder"
    fi
}

# What goes on from other weights draws patches of its own, by another seed.
further() { echo "--epochs ${EPOCHS:-$1} --learning-rate ${RATE:-1e-3} --batch ${BATCH:-32}"; }
if [[ $model == bulk ]]; then
    train bulk-begun --chans "${CHANS:-16}" --norm batch --epochs 16 --learning-rate 1.5e-3 --batch 64
    train bulk --from "$out/bulk-begun/weights.safetensors" --seed 2 $(further 8)
else
    bulk=$out/bulk/weights.safetensors
    [[ -e $bulk ]] || bulk=weights/bulk.safetensors
    if [[ $model == slab ]]; then
        train slab-begun --from "$bulk" --epochs 8 --learning-rate 1e-3 --batch 32
        train slab --from "$out/slab-begun/weights.safetensors" --seed 2 $(further 5)
    else
        train mixed --from "$bulk" $(further 4)
    fi
fi
