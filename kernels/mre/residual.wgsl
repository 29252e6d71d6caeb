// The residual of a small polynomial fit of the directional waves, a measure of their noise:
//
//   dst = sum over d of |w_d - fitted value of w_d|^2
//
// taps [WINDOW][WINDOW], on the periodic image. waves [directions][ny][nx]. One thread per pixel.
#use thread
#use periodic

const RADIUS: u32 = WINDOW / 2;

@compute @workgroup_size(WORKGROUP)
fn residual(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    let n = p.nx * p.ny;
    if i >= n {
        return;
    }
    let x = i % p.nx;
    let y = i / p.nx;
    var sum = 0.0;
    for (var d = 0u; d < p.directions; d++) {
        var left = waves[d * n + i];
        for (var r = 0u; r < WINDOW; r++) {
            let row = d * n + wrap(y, i32(r) - i32(RADIUS), p.ny) * p.nx;
#unroll c 0 WINDOW
            left -= taps[r * WINDOW + $c] * waves[row + wrap(x, $c - i32(RADIUS), p.nx)];
#end
        }
        sum += dot(left, left);
    }
    dst[i] = sum;
}
