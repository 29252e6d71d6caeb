// The weights for the data gradient of a convolution: input and output channels swap places. With p.reverse the order
// of the taps is reversed too,
//
//   dst[t][o][i] = src[reverse ? taps - 1 - t : t][i][o]
//
// src [taps][4 ci4][co4], dst [taps][4 co4][ci4], both of quads. One thread per quad of dst.
#use thread

@compute @workgroup_size(WORKGROUP)
fn flip(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    let co = 4 * p.co4;
    if t >= p.taps * co * p.ci4 {
        return;
    }
    let quad = t % p.ci4;
    let channel = t / p.ci4 % co;
    let tap = t / p.ci4 / co;
    let own = select(tap, p.taps - 1 - tap, p.reverse != 0);
    let at = 4 * p.src_first + (own * 4 * p.ci4 + 4 * quad) * co + channel;
    dst[t] = vec4f(src[at], src[at + co], src[at + 2 * co], src[at + 3 * co]);
}
