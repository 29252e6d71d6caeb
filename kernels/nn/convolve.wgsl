// Convolution as an implicit matrix product: (pixels of the whole batch) x (taps and input channels) times (taps and
// input channels) x (output channels),
//
//   dst[p][o] = sum over taps t and channels i of src[source(p, t)][i] weights[t][i][o]
//
// FINISH 1: plus bias[o]. FINISH 2: followed by the norm and Leaky ReLU of norm.wgsl over one group, with statistics
// that are known beforehand, as at inference. bias, gamma and beta lie in the buffer of the weights.
//
// GEOMETRY 0: 3 x 3, with zeros around the image. 1: 1 x 1. 2: transposed 2 x 2 with stride 2; each output pixel has
// one tap. 3: 2 x 2 with stride 2, the data gradient of 2. 4: images of 16 pixels, each pixel with its own tap, for the
// products of winograd_input.wgsl; h and w are 1. The data gradients of 0 and 1 are 0 and 1 with the weights of
// flip.wgsl. n, h, w is the smaller of the two batches of images. weights [taps][4 ci4][co4].
//
// Pixel numbers count the image fastest. In a large batch, a workgroup therefore computes one position of 32 images. A
// tap that falls outside falls outside for all of them and is skipped.
//
// TILED 0, for software adapters: 8 threads in teams of LANES. Each lane holds a quad of output channels and 4 LANES
// pixels. It gathers the quad of input channels of 4 pixels and shares it by broadcast. Dispatch: pixels / 32 by
// co4 / LANES.
//
// TILED 1, for GPUs: 256 threads compute 16 ROWS pixels x 64 QUADS channels, ROWS x 4 QUADS each, from 16 input
// channels at a time in workgroup memory. LOADS is ROWS / 4. Dispatch: pixels / (16 ROWS) by co4 / (16 QUADS).
//
// GEOMETRY 2 and 4 dispatch 4 or 16 taps along z. If there are too many pixels for x, the rest goes along z, after the
// taps.
#use convolution

#if TILED
const PIXELS: u32 = 16 * ROWS;
const COLUMNS: u32 = 16 * QUADS;
var<workgroup> left: array<vec4f, 4 * PIXELS>;
var<workgroup> right: array<vec4f, 16 * COLUMNS>;

@compute @workgroup_size(256)
fn convolve(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = group.x + group.z / ALONG_Z * groups.x;
    let along_z = group.z % ALONG_Z;
    let pixels = p.n * p.h * p.w;
    // This thread loads one quad of input channels of pixels 64 apart, and rows of weights 16 / QUADS apart.
    let quad = local % 4;
#unroll i 0 LOADS
    let pixel$i = tile * PIXELS + local / 4 + 64 * $i;
    let at$i = place(pixel$i, p.n, p.w);
#end
    let row = local / COLUMNS;
    let column = group.y * COLUMNS + local % COLUMNS;
    // This thread computes ROWS pixels by the quads mine, mine + 16, ...
    let first = local / 16 * ROWS;
    let mine = local % 16;
    var sum: array<vec4f, ROWS * QUADS>;
#if FINISH == 1
#unroll j 0 QUADS
    if group.y * COLUMNS + mine + 16 * $j < p.co4 {
        let bias = quad_of(weights[p.shift_first + group.y * COLUMNS + mine + 16 * $j]);
#unroll i 0 ROWS
        sum[$i * QUADS + $j] = bias;
#end
    }
#end
#end
    // The loop goes through the taps and four quads of input channels at a time. The next loads overlap the products.
    var t = 0u;
    var k = 0u;
#unroll i 0 LOADS
    var pixels_quad$i = pixels_of(pixel$i < pixels, at$i, max(t, along_z), k + quad);
#end
#unroll j 0 QUADS
    var weights_quad$j = weights_of(max(t, along_z), 4 * k + row + 16 / QUADS * $j, column);
#end
    while t < TAPS {
        workgroupBarrier();
#unroll i 0 LOADS
        left[local + 256 * $i] = pixels_quad$i;
#end
#unroll j 0 QUADS
        right[local + 256 * $j] = weights_quad$j;
#end
        workgroupBarrier();
        k += 4;
        if k >= p.ci4 {
            k = 0;
            t++;
        }
        if t < TAPS {
            let tap = max(t, along_z);
#unroll i 0 LOADS
            pixels_quad$i = pixels_of(pixel$i < pixels, at$i, tap, k + quad);
#end
#unroll j 0 QUADS
            weights_quad$j = weights_of(tap, 4 * k + row + 16 / QUADS * $j, column);
#end
        }
        for (var q = 0u; q < 4; q++) {
#unroll i 0 ROWS
            let a$i = left[(first + $i) * 4 + q];
#end
#unroll c 0 4
            {
#unroll j 0 QUADS
                let b$j = right[(q * 4 + $c) * COLUMNS + mine + 16 * $j];
#end
#unroll i 0 ROWS
#unroll j 0 QUADS
                sum[$i * QUADS + $j] = fma(vec4f(a$i[$c]), b$j, sum[$i * QUADS + $j]);
#end
#end
            }
#end
        }
    }
    let base = tile * PIXELS + first;
#unroll j 0 QUADS
    let column$j = group.y * COLUMNS + mine + 16 * $j;
    if column$j < p.co4 {
#if FINISH == 2
        let how = finish_of(column$j);
#unroll i 0 ROWS
        sum[$i * QUADS + $j] = finished(sum[$i * QUADS + $j], how);
#end
#end
#unroll i 0 ROWS
        if base + $i < pixels {
            dst[result(base + $i, along_z) + column$j] = sum[$i * QUADS + $j];
        }
#end
    }
#end
}
#else
const NOWHERE: u32 = 0xffffffff;

// A team of 8 is the first 8 lanes of a subgroup. A team of 4 is a quad, at any subgroup size.
@compute @workgroup_size(8)
fn convolve(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = group.x + group.z / ALONG_Z * groups.x;
    let along_z = group.z % ALONG_Z;
    let lane = local % LANES;
    let first = tile * 32 + local / LANES * (4 * LANES) + lane;
    let pixels = p.n * p.h * p.w;
    let channel = group.y * LANES + lane;
    // Lanes beyond the last channel repeat the last one and do not store it.
    let column = min(channel, p.co4 - 1);
#if FINISH == 1
    let bias = quad_of(weights[p.shift_first + column]);
#else
    let bias = vec4f(0.0);
#end
    var sum: array<vec4f, 4 * LANES>;
#unroll g 0 4
#unroll l 0 LANES
    sum[$g * LANES + $l] = bias;
#end
#end
#unroll g 0 4
    let at$g = place(first + $g * LANES, p.n, p.w);
    let exists$g = first + $g * LANES < pixels;
    let result$g = select(NOWHERE, result(first + $g * LANES, along_z), exists$g);
#end
    for (var t = 0u; t < TAPS; t++) {
        let tap = max(t, along_z);
#unroll g 0 4
        let inside$g = exists$g && valid(at$g, tap, p.h, p.w);
        let start$g = select(0, p.src.x + p.src.y * source(at$g, tap, p.h, p.w), inside$g);
#end
        if subgroupAny(inside0 || inside1 || inside2 || inside3) {
            for (var k = 0u; k < p.ci4; k++) {
                let row = p.weights_first + 4 * (tap * p.ci4 + k) * p.co4 + column;
#unroll c 0 4
                let w$c = quad_of(weights[row + $c * p.co4]);
#end
#unroll g 0 4
                let quad$g = select(vec4f(0.0), quad_of(src[start$g + k]), inside$g);
#end
#unroll g 0 4
#unroll l 0 LANES
                {
#if LANES == 4
                    let shared_quad = quadBroadcast(quad$g, u32($l));
#else
                    let shared_quad = subgroupBroadcast(quad$g, u32($l));
#end
#unroll c 0 4
                    sum[$g * LANES + $l] = fma(vec4f(shared_quad[$c]), w$c, sum[$g * LANES + $l]);
#end
                }
#end
#end
            }
        }
    }
#if FINISH == 2
    let how = finish_of(column);
#unroll g 0 4
#unroll l 0 LANES
    sum[$g * LANES + $l] = finished(sum[$g * LANES + $l], how);
#end
#end
#end
#unroll g 0 4
#unroll l 0 LANES
    {
#if LANES == 4
        let start = quadBroadcast(result$g, u32($l));
#else
        let start = subgroupBroadcast(result$g, u32($l));
#end
        if start != NOWHERE && channel < p.co4 {
            dst[start + channel] = sum[$g * LANES + $l];
        }
    }
#end
#end
}
#end
