// Multiplies as many matrices as the device's matrix units can. Its rate is the ceiling of convolve_half.wgsl. Each of
// four teams of 32 threads adds up eight chains,
//
//   S = A B + S, steps times, from 0;  dst[team][chain] = the first number of S
//
// There are four A (all numbers a, 2 a, 3 a, 4 a) and two B (b, 2 b), in half precision. The compiler cannot fold the
// chains, because a and b come from a buffer. Dispatch: groups of four teams.
const TEAMS: u32 = 4;
const LEFT_PITCH: u32 = SIDE;
const RIGHT_PITCH: u32 = SIDE;
var<workgroup> left: array<f16, 4 * SIDE * SIDE>;
var<workgroup> right: array<f16, 2 * SIDE * SIDE>;

#use units

@compute @workgroup_size(128)
fn products(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) local: u32,
#if IMITATED == 0
    @builtin(subgroup_id) team: u32,
    @builtin(subgroup_invocation_id) lane: u32,
#end
) {
#if IMITATED
    let team = local / 32;
    let lane = local % 32;
#end
    for (var i = local; i < SIDE * SIDE; i += 128) {
#unroll m 0 4
        left[i + $m * SIDE * SIDE] = f16(($m + 1) * factors[0]);
#end
#unroll j 0 2
        right[i + $j * SIDE * SIDE] = f16(($j + 1) * factors[1]);
#end
    }
    workgroupBarrier();
#unroll m 0 4
    let a$m = left_unit($m * SIDE * SIDE, lane);
#end
#unroll j 0 2
    let b$j = right_unit($j * SIDE * SIDE, lane);
#end
#unroll m 0 4
#unroll j 0 2
    var sum_$m$j = Sum();
#end
#end
    for (var k = 0u; k < p.steps; k++) {
#unroll m 0 4
#unroll j 0 2
        sum_$m$j = multiply_add(a$m, b$j, sum_$m$j);
#end
#end
    }
    let start = team * SIDE * SIDE;
#unroll m 0 4
#unroll j 0 2
    workgroupBarrier();
    store_unit(sum_$m$j, start, lane);
    workgroupBarrier();
    if lane == 0 {
        dst[(group.x * TEAMS + team) * 8 + 2 * $m + $j] = unit[start];
    }
#end
#end
}
