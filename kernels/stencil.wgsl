// Local polynomial fits: the fitted value U and Laplacian L of each directional wave, by stencils of
// WINDOW x WINDOW pixels, and their products summed over the directions:
//
//   dst = sum over d of (|U|^2, Re conj(U) L, Im conj(U) L, |L|^2)
//
// in pixel units, the image wrapped round. waves [directions][ny][nx]; taps [WINDOW][WINDOW] hold
// (value, Laplacian). Both are even in x and in y, so the left and right tap of a pair, and the upper
// and lower, are added before they are multiplied. One thread a pixel.
#use thread
#use complex
#use periodic

struct Params {
    nx: u32,
    ny: u32,
    directions: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> waves: array<vec2f>;
@group(0) @binding(2) var<storage, read> taps: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4f>;

const RADIUS: u32 = WINDOW / 2;

@compute @workgroup_size(WORKGROUP)
fn stencil(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    let n = p.nx * p.ny;
    if i >= n {
        return;
    }
    let x = i % p.nx;
    let y = i / p.nx;
    var sum = vec4f(0.0);
    for (var d = 0u; d < p.directions; d++) {
        var value = vec2f(0.0);
        var laplacian = vec2f(0.0);
        for (var r = 0u; r <= RADIUS; r++) {
            let dy = i32(r);
            let up = d * n + wrap(y, -dy, p.ny) * p.nx;
            let down = d * n + wrap(y, dy, p.ny) * p.nx;
            // The middle row is its own pair: half of it twice.
            let share = select(1.0, 0.5, r == 0);
#unroll c 0 SIDE
            {
                let tap = share * taps[(RADIUS + r) * WINDOW + RADIUS + $c];
#if $c == 0
                let pair = waves[up + x] + waves[down + x];
#else
                let left = wrap(x, -$c, p.nx);
                let right = wrap(x, $c, p.nx);
                let pair = waves[up + left] + waves[up + right] + waves[down + left] + waves[down + right];
#end
                value += tap.x * pair;
                laplacian += tap.y * pair;
            }
#end
        }
        sum += vec4f(dot(value, value), conjugate_multiply(value, laplacian), dot(laplacian, laplacian));
    }
    dst[i] = sum;
}
