// Winograd's F(2 x 2, 3 x 3), last part: from the 16 products of each tile to its 2 x 2 pixels,
//
//   y = A^T m A,  A^T = | 1  1  1  0 |
//                       | 0  1 -1 -1 |
//
// and what convolve.wgsl does with a sum (FINISH). src [tiles][16][channels]. One thread a quad of a tile.
#use thread
#if FINISH == 2
#use leaky
#end

struct Params {
    count: u32,
    quads: u32,
    h: u32,
    w: u32,
    tiles_h: u32,
    tiles_w: u32,
    src_first: u32,
    src_pitch: u32,
    shift_first: u32,
    scale_first: u32,
    statistics_first: u32,
    statistics_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
    slope: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn winograd_output(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let q = t % p.quads;
    let tile = t / p.quads;
    let column = tile % p.tiles_w;
    let row = tile / p.tiles_w % p.tiles_h;
    let image = tile / p.tiles_w / p.tiles_h;
    let start = p.src_first + tile * 16 * p.src_pitch + q;
    var e: array<vec4f, 8>;
#unroll x 0 4
    {
        let m0 = src[start + $x * p.src_pitch];
        let m1 = src[start + (4 + $x) * p.src_pitch];
        let m2 = src[start + (8 + $x) * p.src_pitch];
        let m3 = src[start + (12 + $x) * p.src_pitch];
        e[$x] = m0 + m1 + m2;
        e[4 + $x] = m1 - m2 - m3;
    }
#end
    var sums: array<vec4f, 4>;
#unroll y 0 2
    sums[2 * $y] = e[4 * $y] + e[4 * $y + 1] + e[4 * $y + 2];
    sums[2 * $y + 1] = e[4 * $y + 1] - e[4 * $y + 2] - e[4 * $y + 3];
#end
#if FINISH == 1
    let bias = weights[p.shift_first + q];
#end
#if FINISH == 2
    let mean = statistics[p.statistics_first + q];
    let rstd = statistics[p.statistics_first + p.statistics_pitch + q];
    let gamma = weights[p.scale_first + q];
    let beta = weights[p.shift_first + q];
#end
#unroll y 0 2
#unroll x 0 2
    if 2 * row + $y < p.h && 2 * column + $x < p.w {
        var sum = sums[2 * $y + $x];
#if FINISH == 1
        sum += bias;
#end
#if FINISH == 2
        sum = leaky(gamma * ((sum - mean) * rstd) + beta, p.slope);
#end
        dst[p.dst_first + ((image * p.h + 2 * row + $y) * p.w + 2 * column + $x) * p.dst_pitch + q] = sum;
    }
#end
#end
}
