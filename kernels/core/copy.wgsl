// Copies a buffer: dst[i] = src[i]. Its rate is the ceiling of the memory. One thread per quad.
#use linear

fn thread(i: u32) {
    dst[i] = src[i];
}
