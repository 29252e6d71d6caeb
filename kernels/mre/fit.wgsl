// The second half of a local polynomial fit. From the moments along rows, it computes the fitted value U and the
// Laplacian L of each directional wave, and sums their products over the directions,
//
//   (U, L) = sum over |r| <= RADIUS, a of taps[r][a] moments[a][y + r]
//   dst = sum over directions of (|U|^2, Re conj(U) L, Im conj(U) L, |L|^2)
//
// in pixel units, on the periodic image. moments [POWERS][directions][ny][nx] from row_moments.wgsl.
// taps [WINDOW + 2 (BLOCK - 1)][POWERS] of (value, Laplacian) has BLOCK - 1 rows of zeros at either end.
// One thread per BLOCK neighbouring pixels of a column, which share their loads.
#use thread
#use complex
#use periodic

const RADIUS: u32 = WINDOW / 2;

@compute @workgroup_size(WORKGROUP)
fn fit(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    let n = p.nx * p.ny;
    let blocks = (p.ny + BLOCK - 1) / BLOCK;
    if t >= p.nx * blocks {
        return;
    }
    let x = t % p.nx;
    let y = (t / p.nx) * BLOCK;
#unroll o 0 BLOCK
    var sum$o = vec4f(0.0);
#end
    for (var d = 0u; d < p.directions; d++) {
#unroll o 0 BLOCK
        var value$o = vec2f(0.0);
        var laplacian$o = vec2f(0.0);
#end
        for (var k = 0u; k < SPAN; k++) {
            let at = d * n + wrap(y, i32(k) - i32(RADIUS), p.ny) * p.nx + x;
#unroll a 0 POWERS
            {
                let moment = moments[$a * p.directions * n + at];
#unroll o 0 BLOCK
                {
                    let tap = taps[(k + BLOCK - 1 - $o) * POWERS + $a];
                    value$o += tap.x * moment;
                    laplacian$o += tap.y * moment;
                }
#end
            }
#end
        }
#unroll o 0 BLOCK
        sum$o += vec4f(dot(value$o, value$o), conjugate_multiply(value$o, laplacian$o),
                       dot(laplacian$o, laplacian$o));
#end
    }
#unroll o 0 BLOCK
    if y + $o < p.ny {
        dst[(y + $o) * p.nx + x] = sum$o;
    }
#end
}
