// As many fused multiply-adds as the device can do: what the arithmetic of other kernels is measured against.
// Twelve independent chains a thread,
//
//   s = s a + b, steps times, from s = chain number;  dst[t] = sum of the chains
//
// with a and b from a buffer, so that nothing can be folded. HALF 1: in half precision.
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
