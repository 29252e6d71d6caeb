// Fills a buffer with zeros: dst[i] = 0. One thread per word.
#use linear

fn thread(i: u32) {
    dst[i] = 0u;
}
