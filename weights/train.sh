#!/usr/bin/env bash
# From a seed to the weights that come with palpate: simulates the bodies, trains, calibrates.
#
#     weights/train.sh mixed|bulk|slab [FOLDER]
#
# Everything goes to FOLDER (out/weights if none is named): the sets, and the training in a folder of its model's name, of
# which weights.safetensors is what weights/ has. Interrupted, it goes on where it stopped. mixed is the default network,
# which sees the surroundings of a patch; bulk and slab are networks of the patch alone. The bulk's training has two parts,
# of 16 and 8 epochs; the slab's, of 8 and 5, goes on from the bulk's: FOLDER's own if it has been trained there,
# weights/bulk.safetensors otherwise.
#
# CHANS in the environment asks for a network of other width, and BATCH, EPOCHS and RATE for another schedule of the last
# part. For mixed, SEED, SURROUNDINGS (empty for the patch alone) and AUGMENT change what ablations change, and NAME is
# another folder for that.
set -euo pipefail

model=${1:-} out=${2:-out/weights}
case $model in
    mixed | bulk | slab) ;;
    *) echo "usage: weights/train.sh mixed|bulk|slab [FOLDER]" >&2; exit 2 ;;
esac
mkdir -p "$out"
out=$(cd -- "$out" && pwd)
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
cargo build --release --locked
palpate=target/release/palpate

# Seeds of their own: a phantom follows from its family, its number and the seed.
declare -A seed=([cylinders]=2026 [livers]=2027 [bodies]=2028 [slabs]=2029 [squares]=2030)
simulate() { # SET COUNT: leaves the folder in $set
    set=$out/$1-$2
    $palpate simulate --set "$1" --count "$2" --seed "${seed[$1]}" --nodes-per-wavelength 12 -o "$set"
}
data=()
learn() { simulate "$@"; data+=(--data "$set"); }

# train NAME OPTION...: in the folder of this name, from where it was left.
train() {
    local folder=$out/$1
    shift
    if [[ -e $folder/checkpoint.safetensors ]]; then
        $palpate train "${data[@]}" --resume --half -o "$folder"
    else
        $palpate train "${data[@]}" "$@" --schedule cosine --half -o "$folder"
    fi
}
patch=flips,turns,phase,noise=0.3,zoom=1.15,texture=0.3
few="--patches 25600 --validation-patches 4096 --augment $patch"

# What goes on from other weights draws patches of its own, by another seed.
further() { echo "--epochs ${EPOCHS:-$1} --learning-rate ${RATE:-1e-3} --batch ${BATCH:-32}"; }
if [[ $model == mixed ]]; then
    learn bodies 1600
    learn slabs 350
    learn livers 500
    learn cylinders 800
    # Bodies that no network is trained on, for the calibration.
    simulate squares 100
    data+=(--unlike "$set")
    surroundings=${SURROUNDINGS-3,7}
    train "${NAME:-mixed}" --chans "${CHANS:-16}" --norm batch ${surroundings:+--surroundings "$surroundings"} \
        --epochs "${EPOCHS:-17}" --learning-rate "${RATE:-1.5e-3}" --batch "${BATCH:-64}" --seed "${SEED:-1}" \
        --patches 51200 --validation-patches 8192 --augment "${AUGMENT:-$patch,organs=0.35,alone=0.25}"
elif [[ $model == bulk ]]; then
    learn cylinders 1000
    train bulk-begun --chans "${CHANS:-16}" --norm batch --epochs 16 --learning-rate 1.5e-3 --batch 64 $few
    train bulk --from "$out/bulk-begun/weights.safetensors" --seed 2 $(further 8) $few
else
    learn livers 500
    bulk=$out/bulk/weights.safetensors
    [[ -e $bulk ]] || bulk=weights/bulk.safetensors
    train slab-begun --from "$bulk" --epochs 8 --learning-rate 1e-3 --batch 32 $few
    train slab --from "$out/slab-begun/weights.safetensors" --seed 2 $(further 5) $few
fi
