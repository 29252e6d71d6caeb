// Lays the lattice of patches over the pixels inside (image.z > 0). Its first patches are the first that can contain an
// inner pixel, its last patches the last. Writes lattice[1..5]: rows and columns of the lattice; its first row and
// column in the image. All are 0 if no pixel is inside. One workgroup.
#use thread

// The smallest column and row inside, and the negatives of the largest.
var<workgroup> lowest: array<vec4i, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn lattice_bounds(@builtin(local_invocation_index) lane: u32) {
    var low = vec4i(0x7fffffff);
    for (var i = lane; i < p.nx * p.ny; i += WORKGROUP) {
        if image[i].z > 0.0 {
            let at = vec2i(vec2u(i % p.nx, i / p.nx));
            low = min(low, vec4i(at, -at));
        }
    }
    lowest[lane] = low;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            lowest[lane] = min(lowest[lane], lowest[lane + half]);
        }
    }
    if lane != 0u {
        return;
    }
    low = lowest[0];
    var first = vec2i(0);
    var size = vec2i(0);
    if low.x != 0x7fffffff {
        first = low.xy - i32(p.side) + 1;
        size = (-low.zw - first) / i32(p.stride) + 1;
    }
    lattice[1] = size.y;
    lattice[2] = size.x;
    lattice[3] = first.y;
    lattice[4] = first.x;
}
