// Merges the predictions of a batch of patches into the predictions that overlap them. It updates the weighted mean and
// the sum of squared deviations from it, one prediction at a time (West 1979), in the order of the lattice.
//
// The patches lie on a lattice of `stride` pixels. lattice holds the number of patches; rows and columns of the
// lattice; its first row and column in the image; for each row the number of its first patch, and one more; for each
// point of the lattice the number of its patch, or -1. patches: (x, y, weight, view). window: the weight of a patch's
// rows, and of its columns. src: the predictions, each in its view; channel 0 counts. state: (mean, squares, weights,
// count), initially 0. One thread per pixel of the image; pixels with image.z > 0 are inside.
#use thread
#use view

@compute @workgroup_size(WORKGROUP)
fn overlap(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.nx * p.ny || image[t].z <= 0.0 {
        return;
    }
    let first = i32(counter[0]);
    let beyond = min(first + i32(p.batch), lattice[0]);
    let size = vec2i(lattice[2], lattice[1]);
    let numbers = 5 + size.y + 1;
    let side = i32(p.side);
    let stride = i32(p.stride);
    let from_corner = vec2i(vec2u(t % p.nx, t / p.nx)) - vec2i(lattice[4], lattice[3]);
    if any(from_corner < vec2i(0)) {
        return;
    }
    // The patches that begin at most `side` - 1 pixels before this pixel.
    let low = select((from_corner - side) / stride + 1, vec2i(0), from_corner < vec2i(side));
    let high = min(from_corner / stride, size - 1);
    var all = state[t];
    for (var row = low.y; row <= high.y; row++) {
        if lattice[5 + row + 1] <= first || lattice[5 + row] >= beyond {
            continue;
        }
        for (var column = low.x; column <= high.x; column++) {
            let number = lattice[numbers + row * size.x + column];
            if number < first || number >= beyond {
                continue;
            }
            let within = vec2u(from_corner - stride * vec2i(column, row));
            let place = patches[number];
            let at = seen(u32(place.w), within, p.side);
            let pixel = (u32(number - first) * p.side + at.y) * p.side + at.x;
            let value = src[p.src.x + pixel * p.src.y].x;
            let weight = place.z * window[within.y] * window[within.x];
            let weights = all.z + weight;
            let off = value - all.x;
            let mean = all.x + off * weight / weights;
            all = vec4f(mean, all.y + weight * off * (value - mean), weights, all.w + 1.0);
        }
    }
    state[t] = all;
}
