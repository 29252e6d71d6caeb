// The first half of a local polynomial fit: moments along the rows of a sliding window,
//
//   dst[a] = sum over |c| <= RADIUS of (c / RADIUS)^(2a) src[x + c],   a in 0..POWERS
//
// on the periodic image. The stencils of a least-squares polynomial are even polynomials of the offset, so rows and
// columns can be summed one after the other. That takes WINDOW + POWERS WINDOW loads per pixel in place of WINDOW^2.
// src [planes][ny][nx], dst [POWERS][planes][ny][nx]. One thread per BLOCK neighbouring pixels of a row, which share
// their loads.
#use thread
#use periodic

const RADIUS: u32 = WINDOW / 2;

@compute @workgroup_size(WORKGROUP)
fn row_moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    let blocks = (p.nx + BLOCK - 1) / BLOCK;
    let rows = p.ny * p.planes;
    if t >= blocks * rows {
        return;
    }
    let x = (t % blocks) * BLOCK;
    let row = (t / blocks) * p.nx;

    var v: array<vec2f, SPAN>;
#unroll k 0 SPAN
    v[$k] = src[row + wrap(x, $k - i32(RADIUS), p.nx)];
#end
#unroll o 0 BLOCK
    if x + $o < p.nx {
        let middle = v[$o + RADIUS];
#unroll a 0 POWERS
#if $a == 0
        var sum0 = middle;
#else
        var sum$a = vec2f(0.0);
#end
#end
#unroll c 1 SIDE
        {
            // The powers are even, so the pixels on both sides have equal factors.
            let pair = v[$o + RADIUS + $c] + v[$o + RADIUS - $c];
            let square = f32($c * $c) / f32(RADIUS * RADIUS);
            sum0 += pair;
            sum1 += square * pair;
#if POWERS == 3
            sum2 += square * square * pair;
#end
        }
#end
#unroll a 0 POWERS
        dst[$a * rows * p.nx + row + x + $o] = sum$a;
#end
    }
#end
}
