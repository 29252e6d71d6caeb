// Winograd's F(2 x 2, 3 x 3), the weights. For each pair of channels it computes
//
//   u = G g G^T,  G = |  1    0    0  |
//                     | 1/2  1/2  1/2 |
//                     | 1/2 -1/2  1/2 |
//                     |  0    0    1  |
//
// src [9][4 ci4][co4], dst [16][4 ci4][co4]. One thread per input channel and quad of output channels.
#use linear

fn thread(t: u32) {
    var e: array<vec4f, 12>;
#unroll x 0 3
    {
        let g0 = src[p.first + $x * p.count + t];
        let g1 = src[p.first + (3 + $x) * p.count + t];
        let g2 = src[p.first + (6 + $x) * p.count + t];
        e[$x] = g0;
        e[3 + $x] = 0.5 * (g0 + g1 + g2);
        e[6 + $x] = 0.5 * (g0 - g1 + g2);
        e[9 + $x] = g2;
    }
#end
#unroll y 0 4
    dst[(4 * $y) * p.count + t] = e[3 * $y];
    dst[(4 * $y + 1) * p.count + t] = 0.5 * (e[3 * $y] + e[3 * $y + 1] + e[3 * $y + 2]);
    dst[(4 * $y + 2) * p.count + t] = 0.5 * (e[3 * $y] - e[3 * $y + 1] + e[3 * $y + 2]);
    dst[(4 * $y + 3) * p.count + t] = e[3 * $y + 2];
#end
}
