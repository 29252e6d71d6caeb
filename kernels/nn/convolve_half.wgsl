// The convolution of convolve.wgsl on matrix units: f16 factors, f32 sums,
//
//   dst[p][o] = sum over taps t and channels i of half(src[source(p, t)][i]) half(weights[t][i][o])
//
// with the FINISH, the GEOMETRY (0 to 3) and the pixel numbers of convolve.wgsl. Four teams of 32 threads compute 128
// pixels x 64 channels from 16 input channels at a time in workgroup memory. Each team computes 64 x 32, which is
// HIGH x BROAD units of SIDE x SIDE (lib/units.wgsl). The rows in workgroup memory are padded, because the rows of a
// unit would otherwise fall on the same memory banks. Dispatch: pixels / 128 by co4 / 16. GEOMETRY 2 dispatches 4
// taps along z. If there are too many pixels for x, the rest goes along z.
const TEAMS: u32 = 4;
const PIXELS: u32 = 128;
const COLUMNS: u32 = 16;
const LEFT_PITCH: u32 = 24;
const RIGHT_PITCH: u32 = 72;
var<workgroup> left: array<f16, PIXELS * LEFT_PITCH>;
var<workgroup> right: array<f16, 16 * RIGHT_PITCH>;

#use convolution
#use units

fn lay_left(at: u32, quad: vec4f) {
    let half = vec4<f16>(quad);
#unroll c 0 4
    left[at + $c] = half[$c];
#end
}

fn lay_right(at: u32, quad: vec4f) {
    let half = vec4<f16>(quad);
#unroll c 0 4
    right[at + $c] = half[$c];
#end
}

// Stores a team's unit, given its first pixel and its first channel.
fn finish_unit(sum: Sum, team: u32, lane: u32, first: u32, channel: u32, along_z: u32) {
    let start = team * SIDE * SIDE;
    workgroupBarrier();
    store_unit(sum, start, lane);
    workgroupBarrier();
    for (var i = lane; i < SIDE * SIDE / 4; i += 32) {
        let pixel = first + 4 * i / SIDE;
        let column = (channel + 4 * i % SIDE) / 4;
        if pixel < p.n * p.h * p.w && column < p.co4 {
            let at = start + 4 * i;
            var total = vec4f(unit[at], unit[at + 1], unit[at + 2], unit[at + 3]);
#if FINISH == 1
            total += quad_of(weights[p.shift_first + column]);
#end
#if FINISH == 2
            total = finished(total, finish_of(column));
#end
            dst[result(pixel, along_z) + column] = total;
        }
    }
}

@compute @workgroup_size(128)
fn convolve_half(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32,
#if IMITATED == 0
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) invocation: u32,
#end
) {
#if IMITATED
    let team = local / 32;
    let lane = local % 32;
#else
    let team = subgroup;
    let lane = invocation;
#end
    let tile = group.x + group.z / ALONG_Z * groups.x;
    let along_z = group.z % ALONG_Z;
    let pixels = p.n * p.h * p.w;
    // This thread loads one quad of input channels of pixels 32 apart, and rows of weights 8 apart.
    let quad = local % 4;
#unroll i 0 4
    let pixel$i = tile * PIXELS + local / 4 + 32 * $i;
    let at$i = place(pixel$i, p.n, p.w);
#end
    let row = local / COLUMNS;
    let column = group.y * COLUMNS + local % COLUMNS;
    // The first pixel and the first channel of this thread's team.
    let first = team / 2 * 64;
    let mine = team % 2 * 32;
    var sums: array<Sum, HIGH * BROAD>;
    // The loop goes through the taps and four quads of input channels at a time. The next loads overlap the products.
    var t = 0u;
    var k = 0u;
#unroll i 0 4
    var pixels_quad$i = pixels_of(pixel$i < pixels, at$i, max(t, along_z), k + quad);
#end
#unroll j 0 2
    var weights_quad$j = weights_of(max(t, along_z), 4 * k + row + 8 * $j, column);
#end
    while t < TAPS {
        workgroupBarrier();
#unroll i 0 4
        lay_left((local / 4 + 32 * $i) * LEFT_PITCH + 4 * quad, pixels_quad$i);
#end
#unroll j 0 2
        lay_right((row + 8 * $j) * RIGHT_PITCH + 4 * (local % COLUMNS), weights_quad$j);
#end
        workgroupBarrier();
        k += 4;
        if k >= p.ci4 {
            k = 0;
            t++;
        }
        if t < TAPS {
            let tap = max(t, along_z);
#unroll i 0 4
            pixels_quad$i = pixels_of(pixel$i < pixels, at$i, tap, k + quad);
#end
#unroll j 0 2
            weights_quad$j = weights_of(tap, 4 * k + row + 8 * $j, column);
#end
        }
        for (var q = 0u; q < 16; q += SIDE) {
            let rows = first * LEFT_PITCH + q;
            let columns = q * RIGHT_PITCH + mine;
#if IMITATED
            for (var i = 0u; i < HIGH * BROAD; i++) {
                let a = left_unit(rows + i / BROAD * SIDE * LEFT_PITCH, lane);
                sums[i] = multiply_add(a, right_unit(columns + i % BROAD * SIDE, lane), sums[i]);
            }
#else
#unroll j 0 BROAD
            let b$j = right_unit(columns + $j * SIDE, lane);
#end
#unroll m 0 HIGH
            let a$m = left_unit(rows + $m * SIDE * LEFT_PITCH, lane);
#unroll j 0 BROAD
            sums[$m * BROAD + $j] = multiply_add(a$m, b$j, sums[$m * BROAD + $j]);
#end
#end
#end
        }
    }
    // Stores one unit after the other, because only whole matrices of sums can be stored.
    let pixel = tile * PIXELS + first;
    let channel = group.y * 4 * COLUMNS + mine;
#if IMITATED
    for (var i = 0u; i < HIGH * BROAD; i++) {
        finish_unit(sums[i], team, lane, pixel + i / BROAD * SIDE, channel + i % BROAD * SIDE, along_z);
    }
#else
#unroll m 0 HIGH
#unroll j 0 BROAD
    finish_unit(sums[$m * BROAD + $j], team, lane, pixel + $m * SIDE, channel + $j * SIDE, along_z);
#end
#end
#end
}
