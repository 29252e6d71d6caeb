// Products of SIDE x SIDE matrices by a team of 32 threads: f16 factors, f32 sums. The factors lie in workgroup memory
// row by row: `left` at LEFT_PITCH and `right` at RIGHT_PITCH. The kernel declares both arrays and pitches. A sum is
// stored into `unit`, row by row.
//
// IMITATED 0: the team is a subgroup, and the device's matrix units multiply. IMITATED 1: the threads multiply, each
// SHARE sums of one row in the same precision. This is slow, and serves to test devices without matrix units.
var<workgroup> unit: array<f32, TEAMS * SIDE * SIDE>;

#if IMITATED
const SHARE: u32 = SIDE * SIDE / 32;
alias Left = u32;
alias Right = u32;
alias Sum = array<f32, SHARE>;

fn left_unit(at: u32, lane: u32) -> Left {
    return at + lane * SHARE / SIDE * LEFT_PITCH;
}

fn right_unit(at: u32, lane: u32) -> Right {
    return at + lane * SHARE % SIDE;
}

fn multiply_add(a: Left, b: Right, c: Sum) -> Sum {
    var sum = c;
    for (var k = 0u; k < SIDE; k++) {
        for (var i = 0u; i < SHARE; i++) {
            sum[i] = fma(f32(left[a + k]), f32(right[b + k * RIGHT_PITCH + i]), sum[i]);
        }
    }
    return sum;
}

fn store_unit(sum: Sum, at: u32, lane: u32) {
    var own = sum;
    for (var i = 0u; i < SHARE; i++) {
        unit[at + lane * SHARE + i] = own[i];
    }
}
#else
#if SIDE == 16
alias Left = coop_mat16x16<f16, A>;
alias Right = coop_mat16x16<f16, B>;
alias Sum = coop_mat16x16<f32, C>;
#else
alias Left = coop_mat8x8<f16, A>;
alias Right = coop_mat8x8<f16, B>;
alias Sum = coop_mat8x8<f32, C>;
#end

fn left_unit(at: u32, lane: u32) -> Left {
    return coopLoadT<Left>(&left[at], LEFT_PITCH);
}

fn right_unit(at: u32, lane: u32) -> Right {
    return coopLoadT<Right>(&right[at], RIGHT_PITCH);
}

fn multiply_add(a: Left, b: Right, c: Sum) -> Sum {
    return coopMultiplyAdd(a, b, c);
}

fn store_unit(sum: Sum, at: u32, lane: u32) {
    coopStoreT(sum, &unit[at], SIDE);
}
#end
