// Winograd's F(2 x 2, 3 x 3) (Lavin, Gray 2015), first part. It transforms each tile d of 4 x 4 pixels; tiles are 2
// pixels apart,
//
//   v = B^T d B,  B^T = | 1  0 -1  0 |
//                       | 0  1  1  0 |
//                       | 0 -1  1  0 |
//                       | 0  1  0 -1 |
//
// d begins one pixel before the tile's place, with zeros outside of the image. dst [tiles][16][channels]; tiles are
// numbered by image, row, column. One thread per quad of a tile.
#use linear

fn thread(t: u32) {
    let q = t % p.quads;
    let tile = t / p.quads;
    let column = tile % p.tiles_w;
    let row = tile / p.tiles_w % p.tiles_h;
    let image = tile / p.tiles_w / p.tiles_h;
    // One less than 0 wraps round to a large number.
    let top = 2 * row - 1;
    let left = 2 * column - 1;
    var d: array<vec4f, 16>;
#unroll y 0 4
#unroll x 0 4
    {
        let inside = top + $y < p.h && left + $x < p.w;
        let at = (image * p.h + top + $y) * p.w + left + $x;
        d[4 * $y + $x] = select(vec4f(0.0), src[p.src.x + select(0, at, inside) * p.src.y + q], inside);
    }
#end
#end
    var e: array<vec4f, 16>;
#unroll x 0 4
    e[$x] = d[$x] - d[8 + $x];
    e[4 + $x] = d[4 + $x] + d[8 + $x];
    e[8 + $x] = d[8 + $x] - d[4 + $x];
    e[12 + $x] = d[4 + $x] - d[12 + $x];
#end
    let to = p.dst.x + tile * 16 * p.dst.y + q;
#unroll y 0 4
    dst[to + (4 * $y) * p.dst.y] = e[4 * $y] - e[4 * $y + 2];
    dst[to + (4 * $y + 1) * p.dst.y] = e[4 * $y + 1] + e[4 * $y + 2];
    dst[to + (4 * $y + 2) * p.dst.y] = e[4 * $y + 2] - e[4 * $y + 1];
    dst[to + (4 * $y + 3) * p.dst.y] = e[4 * $y + 1] - e[4 * $y + 3];
#end
}
