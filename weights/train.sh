#!/usr/bin/env bash
# From a seed to the weights that come with palpate: simulates the bodies, trains, calibrates.
#
#     weights/train.sh [FOLDER]
#
# Everything goes to FOLDER (out/weights if none is named): the sets, and the training in the folder `any`, of which
# weights.safetensors is what weights/ has. Interrupted, it goes on where it stopped. CHANS in the environment asks for a
# network of other width, EPOCHS, BATCH, RATE and SEED for another schedule, SURROUNDINGS and AUGMENT for other patches (an
# empty SURROUNDINGS for the patch alone), SETS for fewer sets, and NAME for another folder: what ablations change.
set -euo pipefail

out=${1:-out/weights}
mkdir -p "$out"
out=$(cd -- "$out" && pwd)
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
cargo build --release --locked
palpate=target/release/palpate

# Seeds of their own: a phantom follows from its family, its number and the seed.
declare -A count=([cylinders]=800 [livers]=500 [slabs]=350 [bodies]=1600 [squares]=100)
declare -A seed=([cylinders]=2026 [livers]=2027 [bodies]=2028 [slabs]=2029 [squares]=2030)
simulate() {
    $palpate simulate --set "$1" --count "${count[$1]}" --seed "${seed[$1]}" --nodes-per-wavelength 12 -o "$out/$1"
}
data=()
for set in ${SETS:-bodies slabs livers cylinders}; do
    simulate "$set"
    data+=(--data "$out/$set")
done
# Bodies that no network is trained on, for the calibration.
simulate squares
data+=(--unlike "$out/squares")

folder=$out/${NAME:-any}
if [[ -e $folder/checkpoint.safetensors ]]; then
    exec $palpate train "${data[@]}" --resume --half -o "$folder"
fi
surroundings=${SURROUNDINGS-3,7}
exec $palpate train "${data[@]}" --chans "${CHANS:-16}" --norm batch ${surroundings:+--surroundings "$surroundings"} \
    --epochs "${EPOCHS:-40}" --patches 51200 --validation-patches 8192 --batch "${BATCH:-64}" \
    --learning-rate "${RATE:-1.5e-3}" --schedule cosine --seed "${SEED:-1}" --half -o "$folder" \
    --augment "${AUGMENT:-flips,turns,phase,noise=0.3,zoom=1.15,texture=0.3,organs=0.35,alone=0.25}"
