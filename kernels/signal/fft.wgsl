// One radix-RADIX pass of a Fourier transform along one axis (Stockham's self-sorting order).
//
//   data seen as [outer][n][inner]: inner = 1 transforms rows, inner = nx transforms columns
//   v[r] = src[j + r n/R] exp(-2 pi i (j mod ns) r / (ns R)),  j in 0..n/R
//   dst[(j div ns) ns R + j mod ns + q ns] = scale DFT_R(v)[q]
//
// ns is the product of the radices of the passes before. One thread per butterfly. Neighbouring threads access
// neighbouring addresses: always for columns, and when reading for rows. `roots` holds exp(-2 pi i k / n), rounded from
// f64. sign is 1 forward, -1 backward.
// Method: T. G. Stockham's autosort FFT, in the form of Govindaraju et al., SC 2008.
#use thread
#use complex
#use butterfly

fn root(k: u32) -> vec2f {
    let w = roots[k];
    return vec2f(w.x, p.sign * w.y);
}

@compute @workgroup_size(WORKGROUP)
fn fft(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    let line = p.n / RADIX;
    if t >= p.inner * line * p.outer {
        return;
    }
    let i = t % p.inner;
    let j = (t / p.inner) % line;
    let o = t / (p.inner * line);

    let at = j % p.ns;
    let turn = line / p.ns * at;
    let from_ = (o * p.n + j) * p.inner + i;
    let stride = line * p.inner;
    var v: array<vec2f, RADIX>;
    v[0] = src[from_];
#unroll r 1 RADIX
    v[$r] = multiply(src[from_ + $r * stride], root($r * turn));
#end

#if RADIX == 2
    let f = dft2(v[0], v[1]);
#end
#if RADIX == 4
    let f = dft4(v[0], v[1], v[2], v[3], p.sign);
#end
#if RADIX == 8
    let f = dft8(v, p.sign);
#end
#if PRIME
    // An odd prime radix: the plain sum, with RADIX roots in registers.
    var w: array<vec2f, RADIX>;
    var f: array<vec2f, RADIX>;
#unroll r 0 RADIX
    w[$r] = root($r * line);
    f[$r] = v[0];
#end
#unroll r 1 RADIX
#unroll q 0 RADIX
    f[$q] += multiply(v[$r], w[($r * $q) % RADIX]);
#end
#end
#end

    let to = (o * p.n + (j - at) * RADIX + at) * p.inner + i;
#unroll q 0 RADIX
    dst[to + $q * p.ns * p.inner] = p.scale * f[$q];
#end
}
