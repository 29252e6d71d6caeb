// What a small polynomial fit leaves of the directional waves, which measures their noise:
//
//   dst = sum over d of |w_d - fitted value of w_d|^2
//
// taps [WINDOW][WINDOW], the image wrapped round. waves [directions][ny][nx]. One thread a pixel.
#use thread
#use periodic

struct Params {
    nx: u32,
    ny: u32,
    directions: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> waves: array<vec2f>;
@group(0) @binding(2) var<storage, read> taps: array<f32>;
@group(0) @binding(3) var<storage, read_write> dst: array<f32>;

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
