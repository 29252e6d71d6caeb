// One step of the continuation beyond the mask: it restores the known field inside.
//
//   dst = field where mask > 0, else continued
//
// Method: Papoulis 1975, Gerchberg 1974. The fields of several directions of motion share one mask of p.pixels. One thread
// per pixel of a field.
#use linear

fn thread(i: u32) {
    dst[i] = select(continued[i], field[i], mask[i % p.pixels] > 0.0);
}
