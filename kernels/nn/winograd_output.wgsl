// Winograd's F(2 x 2, 3 x 3), last part. It transforms the 16 products m of each tile to its 2 x 2 pixels,
//
//   y = A^T m A,  A^T = | 1  1  1  0 |
//                       | 0  1 -1 -1 |
//
// and then applies FINISH as convolve.wgsl does. src [tiles][16][channels]. One thread per quad of a tile.
#use linear
#if FINISH == 2
#use leaky
#end

fn thread(t: u32) {
    let q = t % p.quads;
    let tile = t / p.quads;
    let column = tile % p.tiles_w;
    let row = tile / p.tiles_w % p.tiles_h;
    let image = tile / p.tiles_w / p.tiles_h;
    let start = p.src.x + tile * 16 * p.src.y + q;
    var e: array<vec4f, 8>;
#unroll x 0 4
    {
        let m0 = src[start + $x * p.src.y];
        let m1 = src[start + (4 + $x) * p.src.y];
        let m2 = src[start + (8 + $x) * p.src.y];
        let m3 = src[start + (12 + $x) * p.src.y];
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
    let mean = statistics[p.statistics.x + q];
    let rstd = statistics[p.statistics.x + p.statistics.y + q];
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
        dst[p.dst.x + ((image * p.h + 2 * row + $y) * p.w + 2 * column + $x) * p.dst.y + q] = sum;
    }
#end
#end
}
