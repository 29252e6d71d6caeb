// The weight gradient of convolve.wgsl, split into parts over the pixels,
//
//   dst[part][t][i][o] = sum over the part's pixels p of src[source(p, t)][i] grad[goal(p, t)][o]
//
// reduce.wgsl adds the parts. GEOMETRY 0, 1 and 2 as in convolve.wgsl; n, h, w is the smaller of the two batches of
// images. dst [parts][taps][4 ci4][co4].
//
// TILED 0, for software adapters: 8 threads in teams of LANES. Each lane holds WIDTH quads of output channels by 4 ROWS
// input channels. At every pixel it loads one quad of input channels and shares it by broadcast. A part is a run of
// rows of images; two teams take every other image each. Dispatch: ci4 / ROWS by co4 / (LANES WIDTH) by taps * parts.
//
// TILED 1, for GPUs: 256 threads compute 64 LOADS x 64 QUADS channels, 4 LOADS x 4 QUADS each, from 16 pixels at a time
// in workgroup memory. A part is a run of pixels. Dispatch: ci4 / (16 LOADS) by co4 / (16 QUADS) by taps * parts.
#use geometry
#use stored

#if TILED
// Input and output channels of one workgroup, in quads.
const TILE: vec2u = vec2u(16 * LOADS, 16 * QUADS);
var<workgroup> left: array<vec4f, 256 * LOADS>;
var<workgroup> right: array<vec4f, 256 * QUADS>;

// A quad of the source, or of the gradient, at pixel i; zeros if there is none.
fn left_of(i: u32, end: u32, tap: u32, quad: u32) -> vec4f {
    let at = place(i, p.n, p.w);
    if i < end && quad < p.ci4 && valid(at, tap, p.h, p.w) {
        return quad_of(src[p.src.x + p.src.y * source(at, tap, p.h, p.w) + quad]);
    }
    return vec4f(0.0);
}

fn right_of(i: u32, end: u32, tap: u32, quad: u32) -> vec4f {
    if i < end && quad < p.co4 {
        return quad_of(grad[p.grad.x + p.grad.y * goal(place(i, p.n, p.w), tap, p.h, p.w) + quad]);
    }
    return vec4f(0.0);
}

@compute @workgroup_size(256)
fn convolve_weights(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let tap = group.z % p.taps;
    let part = group.z / p.taps;
    let pixels = p.n * p.h * p.w;
    let run = (pixels + p.parts - 1) / p.parts;
    let end = min(part * run + run, pixels);
    let quad = local % 16;
    let row = group.x * TILE.x + quad;
    let column = group.y * TILE.y + quad;
    var sum: array<vec4f, 4 * LOADS * QUADS>;
    // The loads of the next 16 pixels overlap the products of these.
    var i = part * run + local / 16;
#unroll r 0 LOADS
    var left_quad$r = left_of(i, end, tap, row + 16 * $r);
#end
#unroll j 0 QUADS
    var right_quad$j = right_of(i, end, tap, column + 16 * $j);
#end
    for (var start = part * run; start < end; start += 16) {
        workgroupBarrier();
#unroll r 0 LOADS
        left[local + 256 * $r] = left_quad$r;
#end
#unroll j 0 QUADS
        right[local + 256 * $j] = right_quad$j;
#end
        workgroupBarrier();
        i += 16;
#unroll r 0 LOADS
        left_quad$r = left_of(i, end, tap, row + 16 * $r);
#end
#unroll j 0 QUADS
        right_quad$j = right_of(i, end, tap, column + 16 * $j);
#end
        for (var q = 0u; q < 16; q++) {
#unroll r 0 LOADS
            let a$r = left[q * 16 + local / 16 + 256 * $r];
#end
#unroll j 0 QUADS
            let b$j = right[q * 16 + quad + 256 * $j];
#end
#unroll r 0 LOADS
#unroll c 0 4
#unroll j 0 QUADS
            sum[(4 * $r + $c) * QUADS + $j] = fma(vec4f(a$r[$c]), b$j, sum[(4 * $r + $c) * QUADS + $j]);
#end
#end
#end
        }
    }
#unroll r 0 LOADS
    let first$r = 4 * (group.x * TILE.x + local / 16 + 16 * $r);
#unroll c 0 4
#unroll j 0 QUADS
    if first$r + $c < 4 * p.ci4 && column + 16 * $j < p.co4 {
        dst[((part * p.taps + tap) * 4 * p.ci4 + first$r + $c) * p.co4 + column + 16 * $j] = sum[(4 * $r + $c) * QUADS + $j];
    }
#end
#end
#end
}
#else
const TEAMS: u32 = 8 / LANES;

@compute @workgroup_size(8)
fn convolve_weights(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let lane = local % LANES;
    let team = local / LANES;
    let tap = group.z % p.taps;
    let part = group.z / p.taps;
    let first = group.x * ROWS;
    // Lanes beyond the last channel repeat the last one and do not store it.
    let quad = min(first + min(lane, ROWS - 1), p.ci4 - 1);
    let channel = group.y * LANES * WIDTH + lane;
#unroll v 0 WIDTH
    let column$v = min(channel + $v * LANES, p.co4 - 1);
#end
    var sum: array<vec4f, 4 * ROWS * WIDTH>;
    let images = (p.n + TEAMS - 1) / TEAMS;
    let run = (p.h * images + p.parts - 1) / p.parts;
    let end = min(part * run + run, p.h * images);
#if GEOMETRY == 0
    // The columns at which the tap is inside the image.
    let x_first = select(0u, 1u, tap % 3 == 0);
    let x_end = p.w - select(0u, 1u, tap % 3 == 2);
#else
    let x_first = 0u;
    let x_end = p.w;
#end
    for (var r = part * run; r < end; r++) {
        let y = r / images;
        let image = r % images * TEAMS + team;
        let exists = image < p.n;
        if valid(vec3u(0, y, 1), tap, p.h, 3) {
            for (var x = x_first; x < x_end; x++) {
                let at = vec3u(min(image, p.n - 1), y, x);
                let pixel = grad_at(at, tap);
#unroll v 0 WIDTH
                let grad$v = select(vec4f(0.0), quad_of(grad[pixel + column$v]), exists);
#end
                let own = quad_of(src[p.src.x + p.src.y * source(at, tap, p.h, p.w) + quad]);
#unroll l 0 ROWS
                {
#if LANES == 4
                    let shared_quad = quadBroadcast(own, u32($l));
#else
                    let shared_quad = subgroupBroadcast(own, u32($l));
#end
#unroll c 0 4
#unroll v 0 WIDTH
                    sum[(4 * $l + $c) * WIDTH + $v] =
                        fma(vec4f(shared_quad[$c]), grad$v, sum[(4 * $l + $c) * WIDTH + $v]);
#end
#end
                }
#end
            }
        }
    }
#unroll i 0 ROWS
#unroll c 0 4
#unroll v 0 WIDTH
    if first + $i < p.ci4 && channel + $v * LANES < p.co4 {
        dst[(((part * TEAMS + team) * p.taps + tap) * 4 * p.ci4 + 4 * (first + $i) + $c) * p.co4 + channel + $v * LANES] =
            sum[(4 * $i + $c) * WIDTH + $v];
    }
#end
#end
#end
}

fn grad_at(at: vec3u, tap: u32) -> u32 {
    return p.grad.x + p.grad.y * goal(at, tap, p.h, p.w);
}
#end
