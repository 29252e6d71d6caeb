// Runs as many fused multiply-adds as the device can. Its rate is the arithmetic ceiling of other kernels. Each thread
// has twelve independent chains,
//
//   s = s a + b, steps times, from s = chain number;  dst[t] = sum of the chains
//
// The compiler cannot fold them, because a and b come from a buffer. HALF 1: half precision.
#use thread

#if HALF
alias Number = vec4<f16>;
#else
alias Number = vec4f;
#end

@compute @workgroup_size(WORKGROUP)
fn chains(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    let a = Number(factors[0]);
    let b = Number(factors[1]);
#unroll i 0 12
    var s$i = Number(vec4f($i));
#end
    for (var k = 0u; k < p.steps; k++) {
#unroll i 0 12
        s$i = fma(s$i, a, b);
#end
    }
    if t < p.n {
        var sum = vec4f(0.0);
#unroll i 0 12
        sum += vec4f(s$i);
#end
        dst[t] = sum;
    }
}
