// dst[i] = src[i]: what memory can do at most. One thread a quad.
#use linear

fn thread(i: u32) {
    dst[i] = src[i];
}
