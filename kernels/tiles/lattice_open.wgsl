// Finds the pixels inside (image.z > 0) that no patch contains yet: open is 1 there, else 0.
//
// lattice: see kernels/tiles/overlap.wgsl; only its rows, columns and origin are read. points: for each point of the
// lattice, a number above 0 if its patch is taken. One thread per pixel.
#use linear

fn thread(t: u32) {
    let stride = i32(p.stride);
    let size = vec2i(lattice[2], lattice[1]);
    let from_corner = vec2i(vec2u(t % p.nx, t / p.nx)) - vec2i(lattice[4], lattice[3]);
    var is_open = image[t].z > 0.0;
    if is_open {
        // The patches that begin at most `side` - 1 pixels before this pixel.
        let side = i32(p.side);
        let low = select((from_corner - side) / stride + 1, vec2i(0), from_corner < vec2i(side));
        let high = min(from_corner / stride, size - 1);
        for (var row = low.y; row <= high.y; row++) {
            for (var column = low.x; column <= high.x; column++) {
                is_open = is_open && points[row * size.x + column] == 0u;
            }
        }
    }
    open[t] = u32(is_open);
}
