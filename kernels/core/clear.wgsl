// Zeros: dst[i] = 0. One thread a word.
#use linear

fn thread(i: u32) {
    dst[i] = 0u;
}
