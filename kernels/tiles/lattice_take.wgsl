// Takes every patch that has at least `least` pixels inside (image.z > 0), and at least one that is open. The point of a
// patch that is taken becomes its number of pixels inside.
//
// lattice: see kernels/tiles/overlap.wgsl; only its rows, columns and origin are read. One thread per point.
#use linear

fn thread(t: u32) {
    let size = vec2u(u32(lattice[2]), u32(lattice[1]));
    if t >= size.x * size.y {
        return;
    }
    let origin = vec2i(lattice[4], lattice[3]) + i32(p.stride) * vec2i(vec2u(t % size.x, t / size.x));
    let low = max(origin, vec2i(0));
    let high = min(origin + i32(p.side), vec2i(vec2u(p.nx, p.ny)));
    var inside = 0u;
    var still = 0u;
    for (var y = low.y; y < high.y; y++) {
        for (var x = low.x; x < high.x; x++) {
            let i = u32(y) * p.nx + u32(x);
            inside += u32(image[i].z > 0.0);
            still += open[i];
        }
    }
    if inside >= p.least && still > 0u {
        points[t] = inside;
    }
}
